"""The schema of every form of a type, and the parts of an OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from http import HTTPStatus
from typing import Annotated, Any, Literal, NewType, Required, TypedDict
from uuid import UUID

import attrs
import msgspec
import pytest
from typing_extensions import ReadOnly, TypeAliasType

from railhttp import HttpResponse
from railhttp.endpoints import Body, Service, get, head, openapi, post
from railhttp.endpoints.schemas import Schemas
from railhttp.model.response import JSON
from railhttp.railway import ProblemDetails
from railhttp.wire.sse import ServerSentEvent

UserId = NewType("UserId", int)
Number = TypeAliasType("Number", int | float)


class Plain(Enum):
    A = 1
    B = "b"


@dataclass
class Record:
    id: int


@dataclass
class Defaults:
    """Defaults of every form."""

    text: str = "a"
    number: int = 1
    ratio: float = 0.5
    flag: bool = False
    nothing: int | None = None
    many: list[int] = field(default_factory=list)
    price: Decimal = Decimal(1)


class Partial(TypedDict, total=False):
    id: Required[int]
    name: ReadOnly[str]


@attrs.define
class Attrs:
    _hidden: int
    tags: list[str] = attrs.Factory(list)


class Struct(msgspec.Struct):
    id: int


def ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}


INTEGER: JSON = {"type": "integer"}
TEXT: JSON = {"type": "string"}


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Any, {}),
        (object, {}),
        (None, {"type": "null"}),
        (type(None), {"type": "null"}),
        (int, INTEGER),
        (str, TEXT),
        (bool, {"type": "boolean"}),
        (float, {"type": "number"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (UserId, INTEGER),
        (Number, {"anyOf": [INTEGER, {"type": "number"}]}),
        (int | None, {"anyOf": [INTEGER, {"type": "null"}]}),
        (list, {"type": "array", "items": {}}),
        (list[int], {"type": "array", "items": INTEGER}),
        (Sequence[int], {"type": "array", "items": INTEGER}),
        (tuple[int, ...], {"type": "array", "items": INTEGER}),
        (set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (frozenset[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (
            tuple[int, str, int],
            {
                "type": "array",
                "prefixItems": [INTEGER, TEXT, INTEGER],
                "minItems": 3,
                "maxItems": 3,
            },
        ),
        (dict, {"type": "object", "additionalProperties": {}}),
        (dict[str, int], {"type": "object", "additionalProperties": INTEGER}),
        (Mapping[str, int], {"type": "object", "additionalProperties": INTEGER}),
        (Literal["a"], {"const": "a"}),
        (Literal[7], {"const": 7}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Annotated[int, msgspec.Meta(gt=1)], {"type": "integer", "exclusiveMinimum": 1}),
        (Annotated[Record, "note"], ref("Record")),
        (NewType("Owned", Record), ref("Record")),
        (Annotated[list[Record], "note"], {"type": "array", "items": ref("Record")}),
        (Plain, ref("Plain")),
        (Record, ref("Record")),
        (Struct, ref("Struct")),
        (ProblemDetails, ref("ProblemDetails")),
    ],
)
def test_the_schema_of_a_type(hint: object, schema: JSON) -> None:
    assert Schemas().of(hint) == schema


@pytest.mark.parametrize(
    ("kind", "component"),
    [
        (Plain, {"title": "Plain", "enum": [1, "b"]}),
        (
            Record,
            {
                "title": "Record",
                "type": "object",
                "properties": {"id": INTEGER},
                "required": ["id"],
            },
        ),
        (
            Defaults,
            {
                "title": "Defaults",
                "description": "Defaults of every form.",
                "type": "object",
                "properties": {
                    "text": {"type": "string", "default": "a"},
                    "number": {"type": "integer", "default": 1},
                    "ratio": {"type": "number", "default": 0.5},
                    "flag": {"type": "boolean", "default": False},
                    "nothing": {"anyOf": [INTEGER, {"type": "null"}], "default": None},
                    "many": {"type": "array", "items": INTEGER},
                    "price": {"type": "string", "format": "decimal"},
                },
            },
        ),
        (
            Partial,
            {
                "title": "Partial",
                "type": "object",
                "properties": {"id": INTEGER, "name": TEXT},
                "required": ["id"],
            },
        ),
        (
            Attrs,
            {
                "title": "Attrs",
                "type": "object",
                "properties": {"_hidden": INTEGER, "tags": {"type": "array", "items": TEXT}},
                "required": ["_hidden"],
            },
        ),
    ],
)
def test_the_component_of_a_class(kind: type[object], component: JSON) -> None:
    schemas = Schemas()
    assert schemas.of(kind) == schemas.of(kind) == ref(kind.__name__)
    assert schemas.components == {kind.__name__: component}


def test_problem_details_are_an_object_of_rfc_9457() -> None:
    schemas = Schemas()
    schemas.of(ProblemDetails)
    component = schemas.components["ProblemDetails"]
    assert isinstance(component, dict)
    assert component["type"] == "object"
    assert component["properties"] == {
        "type": TEXT,
        "title": TEXT,
        "status": INTEGER,
        "detail": TEXT,
        "instance": TEXT,
    }


def test_a_value_without_a_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        Schemas().of(Literal[b"x"])


@dataclass
class Sent:
    record: Body[Record]


@dataclass
class Optional:
    record: Body[Record | None] = None


@dataclass
class Raw:
    data: Body[bytes]


@dataclass
class Paging:
    limit: int = 10
    ratio: float = 0.5
    order: str = "up"
    flag: bool = True
    colour: Plain = Plain.B
    tags: list[str] = field(default_factory=list)
    after: str | None = None


class Api(Service):
    whole = get("/whole")
    nothing = head("/nothing").gives(None)
    response = get("/response").gives(HttpResponse)
    sent = post("/sent", Sent).gives(int, status=299)
    optional = post("/optional", Optional).gives(ProblemDetails, status=201)
    raw = post("/raw", Raw).gives(int, status=range(200, 251)).fails(range(251, 300), str)
    half = get("/half").gives(int, status=range(200, 250)).fails(range(250, 300), str)
    most = get("/most").gives(int, status=range(200, 298))
    paging = get("/paging", Paging).gives(int)
    streamed = get("/streamed").streamed()
    events = get("/events").events(ServerSentEvent)
    typed = get("/typed").events(Record)


DOCUMENT = openapi(Api, title="T", version="2")


def operation(name: str, method: str = "get") -> dict[str, JSON]:
    paths = DOCUMENT["paths"]
    assert isinstance(paths, dict)
    path = paths[f"/{name}"]
    assert isinstance(path, dict)
    found = path[method]
    assert isinstance(found, dict)
    return found


def responses(name: str, method: str = "get") -> dict[str, JSON]:
    found = operation(name, method)["responses"]
    assert isinstance(found, dict)
    return found


def test_a_document_has_what_is_known_and_no_more() -> None:
    assert list(DOCUMENT) == ["openapi", "info", "paths", "components"]
    assert DOCUMENT["info"] == {"title": "T", "version": "2"}
    servers = openapi(Api, title="T", version="2", servers=["https://a", "/b"])["servers"]
    assert servers == [{"url": "https://a"}, {"url": "/b"}]

    class Small(Service):
        one = get("/1")

    small = openapi(Small, title="T", version="2", description="")
    assert list(small) == ["openapi", "info", "paths"]
    assert operation("whole") == {
        "operationId": "whole",
        "tags": ["Api"],
        "responses": {"200": {"description": "OK"}},
    }


JSON_TYPE, PROBLEM = "application/json", "application/problem+json"


@pytest.mark.parametrize(
    ("name", "method", "expected"),
    [
        ("nothing", "head", {"200": {"description": "OK"}}),
        ("response", "get", {"200": {"description": "OK"}}),
        (
            "sent",
            "post",
            {"299": {"description": "Status 299", "content": {JSON_TYPE: {"schema": INTEGER}}}},
        ),
        (
            "optional",
            "post",
            {
                "201": {
                    "description": "Created",
                    "content": {PROBLEM: {"schema": ref("ProblemDetails")}},
                }
            },
        ),
        (
            "streamed",
            "get",
            {"200": {"description": "OK", "content": {"application/octet-stream": {}}}},
        ),
        (
            "events",
            "get",
            {"200": {"description": "OK", "content": {"text/event-stream": {"schema": TEXT}}}},
        ),
        (
            "typed",
            "get",
            {
                "200": {
                    "description": "OK",
                    "content": {
                        "text/event-stream": {
                            "schema": {
                                "type": "string",
                                "contentMediaType": "application/json",
                                "contentSchema": ref("Record"),
                            }
                        }
                    },
                }
            },
        ),
    ],
)
def test_what_an_operation_returns(name: str, method: str, expected: JSON) -> None:
    assert responses(name, method) == expected


def test_more_than_half_of_a_class_of_statuses_is_its_range_if_the_rest_is_declared() -> None:
    assert list(responses("raw", "post")) == [*map(str, range(251, 300)), "2XX"]
    assert list(responses("half")) == [str(status) for status in range(200, 300)]
    assert list(responses("most")) == [str(status) for status in range(200, 298)]


def test_the_name_of_a_status_is_that_of_the_registry() -> None:
    found = responses("most")
    for status in HTTPStatus:
        if str(int(status)) in found:
            described = found[str(int(status))]
            assert isinstance(described, dict)
            assert described["description"] == status.phrase


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("sent", {"required": True, "content": {JSON_TYPE: {"schema": ref("Record")}}}),
        (
            "optional",
            {
                "required": False,
                "content": {JSON_TYPE: {"schema": {"anyOf": [ref("Record"), {"type": "null"}]}}},
            },
        ),
        ("raw", {"required": True, "content": {"application/octet-stream": {}}}),
    ],
)
def test_the_body_of_an_operation(name: str, body: JSON) -> None:
    assert operation(name, "post")["requestBody"] == body


def test_the_defaults_of_query_parameters() -> None:
    parameters = operation("paging")["parameters"]
    assert isinstance(parameters, list)
    found = {}
    for one in parameters:
        assert isinstance(one, dict)
        assert (one["in"], one["required"]) == ("query", False)
        found[one["name"]] = one["schema"]
    assert found == {
        "limit": {"type": "integer", "default": 10},
        "ratio": {"type": "number", "default": 0.5},
        "order": {"type": "string", "default": "up"},
        "flag": {"type": "boolean", "default": True},
        "colour": {**ref("Plain"), "default": "b"},  # type: ignore[dict-item]  # a reference
        "tags": {"type": "array", "items": TEXT},
        "after": TEXT,
    }


@attrs.frozen
class Listing:
    limit: int = 10
    tags: list[str] = attrs.Factory(list)


class Listings(Service):
    listing = get("/listing", Listing).gives(int)


def test_a_factory_of_attrs_is_no_default() -> None:
    paths = openapi(Listings, title="T", version="1")["paths"]
    assert isinstance(paths, dict)
    path = paths["/listing"]
    assert isinstance(path, dict)
    described = path["get"]
    assert isinstance(described, dict)
    assert described["parameters"] == [
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "default": 10},
        },
        {
            "name": "tags",
            "in": "query",
            "required": False,
            "schema": {"type": "array", "items": TEXT},
        },
    ]
