"""The lines of a generated module: its classes, its services, and the names that it imports."""

import ast
from typing import Final, Literal

import pytest

from railhttp.integrations.openapi.document import Document, JSONObject
from railhttp.integrations.openapi.source import module_of


def schema(name: str) -> JSONObject:
    return {"$ref": f"#/components/schemas/{name}"}


def kind(name: str) -> JSONObject:
    properties: JSONObject = {"kind": {"type": "string", "enum": [name]}}
    return {"type": "object", "required": ["kind"], "properties": properties}


SHOP: Final[JSONObject] = {
    "openapi": "3.1.0",
    "info": {"title": 'The "Shop"\n API.', "version": "1"},
    "servers": [{"url": "https://s.example"}],
    "paths": {
        "/p": {
            "get": {
                "operationId": "pets",
                "tags": ["pets"],
                "summary": 'All "pets". ' + "x" * 90,
                "parameters": [{"in": "query", "name": "mood", "schema": schema("Mood")}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": schema("Pet")}}},
                    "404": {"content": {"application/json": {"schema": schema("Problem")}}},
                },
            }
        },
        "/q": {
            "get": {
                "operationId": "everythingThatThereIsAndThatMayBeOfUse",
                "tags": ["Pet"],
                "responses": {
                    "200": {"content": {"application/json": {"schema": schema("Animal")}}},
                    "202": {"content": {"application/json": {"schema": schema("Pet")}}},
                    "404": {"content": {"application/json": {"schema": schema("Problem")}}},
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Mood": {"type": "string", "enum": ["calm", "wild"], "description": "A mood."},
            "Pet": {
                "type": "object",
                "description": "A pet.",
                "required": ["id", "born"],
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "born": {"type": "string", "format": "date-time"},
                    "level": {"type": "string", "enum": ["a", "b"], "default": "a"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "Cat": kind("cat"),
            "Dog": kind("dog"),
            "Animal": {
                "oneOf": [schema("Cat"), schema("Dog")],
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {
                        "cat": "#/components/schemas/Cat",
                        "dog": "#/components/schemas/Dog",
                    },
                },
            },
            "Problem": {"type": "object", "properties": {"title": {"type": "string"}}},
        }
    },
}

EVERY: Final = [
    'BASE_URL: Final = "https://s.example"',
    "class Mood(StrEnum):",
    "    A mood.",
    "    A pet.",
    "    born: datetime",
    "@dataclass(frozen=True)",
    "class Pets:",
    "    mood: Mood | None = None",
    "class PetsService(Service):",
    '    """pets of The \'Shop\' API."""',
    "    # All 'pets'.",
    f"    # {'x' * 90}",
    '    pets = get("/p", Pets).gives(Pet).fails(404, Problem)',
    "class PetService(Service):",
    "    everything_that_there_is_and_that_may_be_of_use = (",
    '        get("/q")',
    "        .gives(Cat | Dog)",
    "        .or_gives(202, Pet)",
    "        .fails(404, Problem)",
    "    )",
    "class Api(Service):",
    '    """The \'Shop\' API."""',
    "    pets_service: PetsService",
    "    pet_service: PetService",
]
OF_KIND: Final = {
    "dataclass": [
        "@dataclass(frozen=True, kw_only=True)",
        "    id: int",
        "    level: Level = Level.a",
        "    tags: list[str] | None = None",
        "    either: str | None = None",
        "    kind: Literal['cat']",
        "Animal: TypeAlias = Cat | Dog",
    ],
    "msgspec": [
        "class Pet(Struct, kw_only=True):",
        "    id: Annotated[int, Meta(ge=1)]",
        "    level: Level | UnsetType = Level.a",
        "    tags: list[str] | UnsetType = UNSET",
        "    either: str | None | UnsetType = UNSET",
        "class Cat(Struct, kw_only=True, tag_field='kind', tag='cat'):",
        "Animal: TypeAlias = Cat | Dog",
    ],
    "pydantic": [
        "class Pet(BaseModel):",
        "    id: Annotated[int, Field(ge=1)]",
        "    level: Level = Level.a",
        "    tags: list[str] | None = None",
        "    either: str | None = None",
        "    kind: Literal['cat']",
        "    root: Annotated[Cat | Dog, Field(discriminator='kind')]",
    ],
}


@pytest.mark.parametrize("models", ["dataclass", "msgspec", "pydantic"])
def test_a_module_has_its_classes_and_services(
    models: Literal["dataclass", "msgspec", "pydantic"],
) -> None:
    source = module_of(Document(SHOP, check=False), models)
    lines = source.splitlines()
    assert lines[0] == '"""The \'Shop\' API. 1; generated by `railhttp openapi`."""'
    assert lines[2] == "from __future__ import annotations"
    missing = [line for line in [*EVERY, *OF_KIND[models]] if line not in lines]
    assert not missing, source
    assert source.endswith("\n")
    assert "\n\n\n\n" not in source


@pytest.mark.parametrize("models", ["dataclass", "msgspec", "pydantic"])
def test_a_module_imports_what_it_uses_and_nothing_else(
    models: Literal["dataclass", "msgspec", "pydantic"],
) -> None:
    tree = ast.parse(module_of(Document(SHOP, check=False), models))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    } - {"annotations"}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used
    bound = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert {"Service", "get", "dataclass", "Final", "StrEnum"} <= imported
    assert not imported & bound


def test_a_document_without_schemas_and_servers_is_a_module_too() -> None:
    bare: JSONObject = {
        "openapi": "3.1.0",
        "info": {"title": "", "version": "2"},
        "paths": {"/q": {"get": {"operationId": "q", "responses": {"204": {}}}}},
    }
    source = module_of(Document(bare, check=False), "dataclass")
    assert "BASE_URL" not in source
    assert (
        'class Api(Service):\n    """."""\n\n    q = get("/q").gives(None, status=204)\n' in source
    )
