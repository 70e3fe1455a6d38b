"""Whatever a document holds, its module is one that Python can run."""

import ast
import builtins
from typing import Final, Literal

import pytest

from railhttp.integrations.openapi.document import Document, DocumentError, JSONObject
from railhttp.integrations.openapi.naming import pascal, snake
from railhttp.integrations.openapi.source import module_of
from railhttp.model.response import JSON

Kind = Literal["dataclass", "msgspec", "pydantic"]
KINDS: Final[tuple[Kind, ...]] = ("dataclass", "msgspec", "pydantic")
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def json_of(value: JSON, kind: str = "application/json") -> JSONObject:
    return {"content": {kind: {"schema": value}}}


def document(paths: JSONObject, schemas: JSONObject | None = None, title: str = "Shop") -> Document:
    root: JSONObject = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": "https://s.example"}],
        "paths": paths,
        "components": {"schemas": schemas or {}},
    }
    return Document(root, check=False)


def operation(name: str, **more: JSON) -> JSONObject:
    return {"operationId": name, "responses": {"204": {}}, **more}


EVERYTHING: Final[JSONObject] = {
    **{f"/{method}": {method: operation(f"use_{method}")} for method in METHODS},
    "/fields/{id}": {
        "post": operation(
            "fields",
            parameters=[
                {"in": "path", "name": "id", "schema": {"type": "string", "format": "uuid"}},
                {"in": "header", "name": "X-Id", "schema": {"type": "string"}},
                {"in": "query", "name": "a-b", "schema": {"enum": ["a"]}},
                {"in": "query", "name": "at", "schema": {"type": "string", "format": "date-time"}},
                {"in": "query", "name": "on", "schema": {"type": "string", "format": "date"}},
            ],
            requestBody=json_of({"type": "integer"}),
        )
    },
    "/events": {"get": operation("events", responses={"200": json_of({}, "text/event-stream")})},
    "/text": {"get": operation("text", responses={"200": json_of({}, "text/plain")})},
}


def unbound(source: str) -> set[str]:
    """Return the names that a module uses and does not have."""
    tree = ast.parse(source)
    bound = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    bound |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    bound |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return used - bound - set(dir(builtins))


@pytest.mark.parametrize("models", KINDS)
def test_every_name_that_a_module_uses_is_one_that_it_has(models: Kind) -> None:
    source = module_of(document(EVERYTHING), models)
    assert unbound(source) == set()
    imports = source.partition("BASE_URL")[0]
    for name in (
        *("HttpResponse", "ServerSentEvent", "Body", "Header", "Query", "Service", "delete"),
        *("get", "head", "patch", "post", "put", "request", "Annotated", "Final", "Literal"),
        *("dataclass", "UUID", "dt"),
    ):
        assert name in imports


def test_imports_are_sorted_and_only_those_that_are_used() -> None:
    lines = module_of(document(EVERYTHING), "dataclass").partition("BASE_URL")[0].splitlines()
    assert [line for line in lines if line.startswith(("import", "from"))] == [
        "from __future__ import annotations",
        "import datetime as dt",
        "from dataclasses import dataclass",
        "from railhttp import HttpResponse, ServerSentEvent",
        "from railhttp.endpoints import Body, Header, Query, Service, delete, get, head, patch, "
        "post, put, request",
        "from typing import Annotated, Final, Literal",
        "from uuid import UUID",
    ]
    bare = module_of(document({"/a": {"get": operation("a")}}), "dataclass")
    assert "import datetime" not in bare
    assert "UUID" not in bare


NAMES: Final = (
    *("HttpResponse", "ServerSentEvent", "Body", "Header", "Query", "Service", "UUID", "Final"),
    *("Annotated", "Literal"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_of_a_name_that_the_module_needs_gets_another_one(name: str) -> None:
    pet: JSONObject = {"type": "object", "properties": {"id": {"type": "integer"}}}
    paths: JSONObject = {
        "/a": {
            "get": operation(
                "a", responses={"200": json_of({"$ref": f"#/components/schemas/{name}"})}
            )
        }
    }
    source = module_of(document(paths, {name: pet}), "dataclass")
    assert f"class {name}Model:" in source
    assert f'a = get("/a").gives({name}Model)' in source
    assert unbound(source) == set()


def test_a_class_of_parameters_is_named_after_its_operation_unless_a_schema_is() -> None:
    pet: JSONObject = {"type": "object", "properties": {"id": {"type": "integer"}}}
    parameters: JSON = [{"in": "query", "name": "x", "schema": {"type": "integer"}}]
    paths: JSONObject = {
        "/a": {"get": operation("pet", parameters=parameters)},
        "/b": {"get": operation("pet", parameters=parameters, tags=["other"])},
        "/c": {"get": operation("cat", parameters=parameters)},
    }
    source = module_of(document(paths, {"Pet": pet}), "dataclass")
    classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert classes == ["Pet", "PetParameters", "PetParameters2", "Cat", "Shop", "Other", "Api"]


def test_a_service_is_named_after_its_tag_unless_another_class_is() -> None:
    pet: JSONObject = {"type": "object", "properties": {"id": {"type": "integer"}}}
    paths: JSONObject = {
        "/a": {"get": operation("a", tags=["pet"])},
        "/b": {"get": operation("b", tags=["Pet"])},
        "/c": {"get": operation("c", tags=["api"])},
        "/d": {"get": operation("d")},
    }
    source = module_of(document(paths, {"Pet": pet}, title=""), "dataclass")
    classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert classes == ["Pet", "PetService", "PetService2", "Api", "ApiService", "Api2"]
    assert ast.unparse(ast.parse(source).body[-1]).endswith(
        "pet_service: PetService\n    pet_service2: PetService2\n    api: Api\n"
        "    api_service: ApiService"
    )


def test_a_declaration_of_more_than_ninety_six_characters_is_broken() -> None:
    def source(length: int) -> str:
        start = '    a = get("/'
        path = "x" * (length - len(start) - len('").gives(None, status=204)'))
        return module_of(document({f"/{path}": {"get": operation("a")}}), "dataclass")

    assert max(len(line) for line in source(96).splitlines()) == 96
    assert "a = (" not in source(96)
    assert "    a = (\n" in source(97)
    assert "        .gives(None, status=204)\n    )\n" in source(97)


def test_comments_are_wrapped_and_texts_cannot_end_a_docstring() -> None:
    summary = "word " * 40 + '"""quoted""" \\ end.'
    paths: JSONObject = {"/a": {"get": operation("a", summary=summary)}}
    source = module_of(document(paths, title='A """shop"""'), "dataclass")
    comments = [line for line in source.splitlines() if line.startswith("    # ")]
    assert len(comments) == 3
    assert 96 < max(map(len, comments)) <= 102
    assert comments[-1].endswith("'''quoted'''  end")
    assert (
        ast.get_docstring(ast.parse(source)) == "A '''shop''' 1; generated by `railhttp openapi`."
    )


@pytest.mark.parametrize("models", KINDS)
def test_schemas_that_cannot_be_classes_are_an_error(models: Kind) -> None:
    odd: JSONObject = {"type": "object", "properties": {"a": {"$ref": "nowhere.json#/x"}}}
    with pytest.raises(DocumentError, match="cannot be made classes"):
        module_of(document({}, {"Odd": odd}), models)


@pytest.mark.parametrize(
    ("text", "of_class"),
    [
        ("UNSET", "UNSETModel"),
        ("print", "Print"),
        ("True", "TrueModel"),
        ("int", "Int"),
        ("ValueError", "ValueErrorModel"),
        ("a1b2", "A1b2"),
        ("ABCd", "ABCd"),
        ("9", "N9"),
    ],
)
def test_a_class_hides_no_name_of_python(text: str, of_class: str) -> None:
    assert pascal(text) == of_class


@pytest.mark.parametrize(
    ("text", "of_field"),
    [
        ("ABC1d", "abc_1d"),
        ("9", "n9"),
        ("true", "true"),
        ("None", "none"),
        ("is", "is_"),
        ("_", "value"),
    ],
)
def test_a_field_is_one_that_python_takes(text: str, of_field: str) -> None:
    assert snake(text) == of_field


TEXTS: Final = (*('"""', "\\", "\\N{x}", '\\"""', "a\nb\rc", "'", "{0}", 'x""" + y #', "a\u2028b"),)


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_of_a_document_is_code(text: str) -> None:
    address = f"https://s.example/{text.replace('{', '(')}"
    known = document({"/a": {"get": operation("a", summary=text, tags=[text])}}, title=text)
    source = module_of(
        Document(known.root | {"servers": [{"url": address}]}, check=False), "dataclass"
    )
    statements = [node for node in ast.parse(source).body if not isinstance(node, ast.ImportFrom)]
    assert [type(node) for node in statements] == [ast.Expr, ast.AnnAssign, ast.ClassDef]
    base = statements[1]
    assert isinstance(base, ast.AnnAssign)
    assert base.value is not None
    assert ast.literal_eval(base.value) == address
