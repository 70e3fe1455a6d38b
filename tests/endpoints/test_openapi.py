"""A declared service as an OpenAPI 3.1 document, which the validator of OpenAPI accepts."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, NamedTuple, NewType, NotRequired, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from openapi_spec_validator import validate
from tests.endpoints.users_api import Api, Problem, Users

from railhttp import HttpResponse
from railhttp.endpoints import Body, Header, Service, get, openapi, post
from railhttp.model.response import JSON
from railhttp.railway import ProblemDetails
from railhttp.wire.sse import ServerSentEvent


class Colour(Enum):
    """A colour."""

    RED = "red"


class Struct(msgspec.Struct):
    id: int


class Model(pydantic.BaseModel):
    page_size: int = pydantic.Field(alias="pageSize")
    inner: "Model | None" = None


@attrs.frozen
class Attrs:
    id: int
    name: str = "Ann"


class Tuple(NamedTuple):
    id: int
    note: str | None = None


class Typed(TypedDict):
    id: int
    note: NotRequired[str]


Id = NewType("Id", int)


@dataclass
class Everything:
    """All that can be described."""

    id: Id
    structs: list[Struct]
    distinct: frozenset[str]
    models: dict[str, Model]
    colour: Colour
    either: Attrs | Tuple | None
    typed: Typed
    when: datetime
    uuid: UUID
    price: Decimal
    exact: tuple[int, str]
    many: tuple[int, ...]
    anything: object
    kind: Literal["a", "b"]
    one: Literal[1]
    limited: Annotated[int, msgspec.Meta(ge=0)]
    nothing: None = None
    child: "Everything | None" = None
    texts: list[str] = field(default_factory=list)


@dataclass
class Parameters:
    id: int
    body: Body[Everything | None]
    limit: int = 10
    trace: Annotated[str | None, Header("X-Trace")] = None


@dataclass
class Upload:
    data: Body[bytes]


class Things(Service):
    """A service.

    With a longer text.
    """

    everything = (
        post("/things/{id}", Parameters)
        .keyed()
        .gives(Everything)
        .fails(404, Problem)
        .fails({*range(400, 500)} - {404}, Struct)
        .fails(range(500, 599), Model)
        .fails(599, ProblemDetails)
    )
    upload = post("/upload", Upload).gives(HttpResponse, status=201).fails(598, Problem)
    raw = get("/raw").events(ServerSentEvent)
    structs = get("/structs").gives(list[Struct]).or_gives(202, dict[str, Model])


@pytest.mark.parametrize("service", [Users, Api, Things])
def test_the_validator_accepts_what_is_described(service: type[Service]) -> None:
    document = openapi(service, title="API", version="1.2", servers=["https://api.example"])
    validate(json.loads(json.dumps(document)))
    assert document["openapi"] == "3.1.0"


def at(document: JSON, *path: str) -> JSON:
    for name in path:
        assert isinstance(document, dict)
        document = document[name]
    return document


def test_an_operation_has_its_parameters_and_responses() -> None:
    document = openapi(Api, title="API", version="1")
    operation = at(document, "paths", "/users/{user_id}", "get")
    assert at(operation, "operationId") == "users_find"
    assert at(operation, "tags") == ["Users"]
    assert at(operation, "parameters") == [
        {"name": "user_id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {
            "name": "expand",
            "in": "query",
            "required": False,
            "schema": {"type": "boolean", "default": False},
        },
        {"name": "X-Trace", "in": "header", "required": False, "schema": {"type": "string"}},
    ]
    responses = at(operation, "responses")
    assert isinstance(responses, dict)
    assert list(responses) == ["200", "404", "429"]
    assert at(responses, "404") == {
        "description": "Not Found",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/UserNotFound"}}},
    }
    assert at(document, "paths", "/feed", "get", "responses", "200", "content") == {
        "text/event-stream": {
            "schema": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/User"},
            }
        }
    }


def test_a_class_is_a_component() -> None:
    document = openapi(Users, title="API", version="1")
    assert at(document, "components", "schemas", "User") == {
        "title": "User",
        "type": "object",
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "required": ["id", "name"],
    }


def ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}


DESCRIBED: dict[str, JSON] = {
    "id": {"type": "integer"},
    "structs": {"type": "array", "items": ref("Struct")},
    "distinct": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "models": {"type": "object", "additionalProperties": ref("Model")},
    "colour": ref("Colour"),
    "either": {"anyOf": [ref("Attrs"), ref("Tuple"), {"type": "null"}]},
    "typed": ref("Typed"),
    "when": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "price": {"type": "string", "format": "decimal"},
    "exact": {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
        "minItems": 2,
        "maxItems": 2,
    },
    "many": {"type": "array", "items": {"type": "integer"}},
    "anything": {},
    "kind": {"enum": ["a", "b"]},
    "one": {"const": 1},
    "limited": {"type": "integer", "minimum": 0},
    "nothing": {"type": "null", "default": None},
    "child": {"anyOf": [ref("Everything"), {"type": "null"}], "default": None},
    "texts": {"type": "array", "items": {"type": "string"}},
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_schema_of_each_type(name: str) -> None:
    document = openapi(Things, title="API", version="1")
    properties = at(document, "components", "schemas", "Everything", "properties")
    assert at(properties, name) == DESCRIBED[name]


@pytest.mark.parametrize(
    ("name", "properties", "required"),
    [
        ("Struct", {"id": {"type": "integer"}}, ["id"]),
        (
            "Attrs",
            {"id": {"type": "integer"}, "name": {"type": "string", "default": "Ann"}},
            ["id"],
        ),
        (
            "Tuple",
            {
                "id": {"type": "integer"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            },
            ["id"],
        ),
        ("Typed", {"id": {"type": "integer"}, "note": {"type": "string"}}, ["id"]),
        (
            "Model",
            {
                "pageSize": {"title": "Pagesize", "type": "integer"},
                "inner": {"anyOf": [ref("Model"), {"type": "null"}], "default": None},
            },
            ["pageSize"],
        ),
    ],
)
def test_a_record_of_any_library_has_its_members(
    name: str, properties: JSON, required: list[JSON]
) -> None:
    schema = at(openapi(Things, title="API", version="1"), "components", "schemas", name)
    expected = {"type": "object", "title": name, "properties": properties, "required": required}
    assert schema == expected


def test_what_has_a_default_is_not_required() -> None:
    document = openapi(Things, title="API", version="1")
    required = at(document, "components", "schemas", "Everything", "required")
    assert required == [name for name in DESCRIBED if name not in {"nothing", "child", "texts"}]


def test_what_is_left_of_a_class_of_statuses_is_a_range() -> None:
    document = openapi(Things, title="API", version="1")
    responses = at(document, "paths", "/things/{id}", "post", "responses")
    assert isinstance(responses, dict)
    problem = at(responses, "599", "content")
    assert problem == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    }
    assert list(responses) == ["200", "404", "4XX", "599", "5XX"]


def test_texts_come_from_docstrings() -> None:
    document = openapi(Things, title="API", version="1")
    assert at(document, "info", "description") == "A service.\n\nWith a longer text."
    assert at(document, "components", "schemas", "Everything", "description") == (
        "All that can be described."
    )
    other = openapi(Things, title="API", version="1", description="Other")
    assert at(other, "info", "description") == "Other"


def test_classes_of_one_name_are_two_components() -> None:
    def named(hint: type[object]) -> type[object]:
        return dataclass(type("Same", (), {"__annotations__": {"id": hint}}))

    class Names(Service):
        one = get("/1").gives(named(int))
        two = get("/2").gives(named(str))

    document = openapi(Names, title="API", version="1")
    schemas = at(document, "components", "schemas")
    assert isinstance(schemas, dict)
    assert list(schemas) == ["Same", "Same2"]


def test_one_path_twice_is_refused() -> None:
    class Twice(Service):
        one = get("/1")
        two = get("/1")

    with pytest.raises(ValueError, match="GET /1"):
        openapi(Twice, title="API", version="1")


class Ranges(Service):
    read = (
        get("/")
        .gives(int, status=range(200, 300))
        .or_gives(range(300, 400), str)
        .fails(range(400, 500), Problem)
        .fails(range(500, 600), Struct)
    )


def test_each_class_of_statuses_may_be_a_range() -> None:
    responses = at(openapi(Ranges, title="R", version="1"), "paths", "/", "get", "responses")
    assert isinstance(responses, dict)
    assert list(responses) == ["2XX", "3XX", "4XX", "5XX"]
    assert {code: at(responses, code, "description") for code in responses} == {
        "2XX": "Success",
        "3XX": "Redirection",
        "4XX": "Client error",
        "5XX": "Server error",
    }


class Keyed(Service):
    add = post("/", Upload).gives(None).keyed()
    read = get("/").gives(Colour)


def test_an_endpoint_with_a_key_requires_its_field() -> None:
    document = openapi(Keyed, title="K", version="1")
    parameters = at(document, "paths", "/", "post", "parameters")
    assert isinstance(parameters, list)
    field = {"name": "Idempotency-Key", "in": "header", "required": True}
    assert parameters[-1] == {**field, "schema": {"type": "string"}}
    operation = at(document, "paths", "/", "get")
    assert isinstance(operation, dict)
    assert "parameters" not in operation


def test_an_enumeration_is_a_component_with_its_values() -> None:
    document = openapi(Keyed, title="K", version="1")
    colour = at(document, "components", "schemas", "Colour")
    assert colour == {"title": "Colour", "description": "A colour.", "enum": ["red"]}
