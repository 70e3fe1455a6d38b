"""What each part of an OpenAPI document becomes in the generated source."""

from collections.abc import Mapping
from typing import Final

import pytest

from railhttp.integrations.openapi.document import Document, DocumentError, JSONObject
from railhttp.integrations.openapi.naming import pascal, snake, unique
from railhttp.integrations.openapi.operations import PARAMETERS, Declared, Operations
from railhttp.integrations.openapi.simplify import Simplifier
from railhttp.integrations.openapi.types import Types
from railhttp.model.response import JSON

INTEGER: Final[JSONObject] = {"type": "integer"}
TEXT: Final[JSONObject] = {"type": "string"}
OBJECT: Final[JSONObject] = {"type": "object", "properties": {"id": INTEGER}}


def schema(name: str) -> JSONObject:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Final[JSONObject] = {
    "Pet": OBJECT,
    "Fish": {"properties": {"id": INTEGER}},
    "Error": OBJECT,
    "Problem": OBJECT,
    "Mood": {"type": "string", "enum": ["calm"]},
    "Size": {"type": "integer", "enum": [1, 2]},
    "Ratio": {"type": "number", "enum": [1.5]},
    "Loose": {"enum": ["a"]},
    "MaybeMood": {"type": ["string", "null"], "enum": ["calm", None]},
    "Note": TEXT,
    "Tree": {"type": "array", "items": schema("Tree")},
    "Both": {"allOf": [schema("Pet"), {"type": "object", "properties": {"a": {}}}]},
    "Bag": {"type": "object"},
    "MaybePet": {"type": ["object", "null"], "properties": {"a": {}}},
    "Odd": {"type": "string", "properties": {"a": {}}},
}


def document(
    path: str = "/things", item: JSON = None, components: Mapping[str, JSON] | None = None
) -> Document:
    root: JSONObject = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {} if item is None else {path: item},
        "components": {"schemas": SCHEMAS, **(components or {})},
    }
    return Document(root, check=False)


# Types.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "object"),
        (True, "object"),
        (TEXT, "str"),
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": "string", "format": "date"}, "dt.date"),
        ({"type": "string", "format": "date-time"}, "dt.datetime"),
        ({"type": "string", "format": "email"}, "str"),
        (INTEGER, "int"),
        ({"type": "number"}, "float"),
        ({"type": "boolean"}, "bool"),
        ({"type": "null"}, "None"),
        ({"type": "file"}, "object"),
        ({"type": ["null", "string"]}, "str | None"),
        ({"type": ["string", "integer"]}, "str | int"),
        ({"type": "string", "nullable": True}, "str | None"),
        ({"type": "string", "nullable": False}, "str"),
        ({"nullable": True}, "object"),
        ({"type": "array"}, "list[object]"),
        ({"type": "array", "items": INTEGER}, "list[int]"),
        ({"type": "array", "items": OBJECT}, "list[WishItem]"),
        ({"type": "object"}, "dict[str, object]"),
        ({"type": "object", "properties": {}}, "dict[str, object]"),
        ({"type": "object", "additionalProperties": INTEGER}, "dict[str, int]"),
        ({"type": "object", "additionalProperties": True}, "dict[str, object]"),
        ({"type": "object", "additionalProperties": OBJECT}, "dict[str, WishValue]"),
        ({"additionalProperties": INTEGER}, "dict[str, int]"),
        (OBJECT, "Wish"),
        ({"properties": {"a": {}}}, "Wish"),
        ({"enum": ["a", "b"]}, "Literal['a', 'b']"),
        ({"const": "a"}, "Literal['a']"),
        ({"const": True}, "Literal[True]"),
        ({"const": 1}, "Literal[1]"),
        ({"const": None}, "None"),
        ({"enum": ["a", None]}, "Literal['a'] | None"),
        ({"enum": ["a"], "nullable": True}, "Literal['a'] | None"),
        ({"enum": [None]}, "None"),
        ({"enum": ["a | b", "b"]}, "Literal['a | b', 'b']"),
        ({"enum": ["a", 1.5]}, "object"),
        ({"enum": [{"a": 1}]}, "object"),
        ({"enum": []}, "object"),
        ({"enum": "a"}, "object"),
        ({"oneOf": [TEXT, INTEGER]}, "str | int"),
        ({"anyOf": [INTEGER, {"type": "null"}]}, "int | None"),
        ({"anyOf": [{"type": "null"}, INTEGER]}, "int | None"),
        ({"anyOf": [TEXT, {}]}, "object"),
        ({"anyOf": [TEXT, TEXT]}, "str"),
        ({"anyOf": [TEXT], "nullable": True}, "str | None"),
        ({"oneOf": [schema("Pet"), schema("Fish")]}, "Pet | Fish"),
        ({"oneOf": [OBJECT, {"properties": {"b": {}}}]}, "Wish1 | Wish2"),
        ({"allOf": [schema("Pet")]}, "Pet"),
        ({"allOf": [schema("Pet")], "nullable": True}, "Pet | None"),
        ({"allOf": [schema("Pet"), schema("Fish")]}, "Wish"),
        ({"allOf": []}, "Wish"),
        (schema("Pet"), "Pet"),
        (schema("Fish"), "Fish"),
        (schema("Mood"), "Mood"),
        (schema("Size"), "Size"),
        (schema("Ratio"), "object"),
        (schema("Loose"), "Loose"),
        (schema("MaybeMood"), "Literal['calm'] | None"),
        (schema("Note"), "str"),
        (schema("Tree"), "list[Tree]"),
        (schema("Both"), "Both"),
        (schema("Bag"), "dict[str, object]"),
        (schema("MaybePet"), "MaybePet"),
        (schema("Odd"), "str"),
        ({"$ref": "#/components/parameters/Pets/schema"}, "list[Pet]"),
        (
            {
                "anyOf": [
                    {"type": "array", "items": {"anyOf": [TEXT, INTEGER]}},
                    {"type": "array", "items": {"anyOf": [TEXT, {"type": "boolean"}]}},
                ]
            },
            "list[str | int] | list[str | bool]",
        ),
    ],
)
def test_a_schema_has_a_type(given: JSON, expected: str) -> None:
    pets: JSONObject = {"Pets": {"schema": {"type": "array", "items": schema("Pet")}}}
    known = document(components={"parameters": pets})
    types = Types(known, untagged=True)
    assert types.of(given, "Wish") == expected
    added = set(known.schemas) - set(SCHEMAS)
    assert added == {
        name
        for name in ("Wish", "Wish1", "Wish2", "WishItem", "WishValue")
        if name in expected.replace("[", " ").replace("]", " ").split()
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"oneOf": [schema("Pet"), schema("Fish")]}, "object"),
        ({"oneOf": [schema("Pet"), schema("Fish")], "discriminator": {}}, "Pet | Fish"),
        ({"oneOf": [schema("Pet"), schema("Both")]}, "object"),
        ({"oneOf": [schema("Pet"), TEXT]}, "Pet | str"),
        ({"anyOf": [TEXT, INTEGER]}, "str | int"),
    ],
)
def test_models_that_cannot_tell_classes_apart_have_no_union_of_them(
    given: JSON, expected: str
) -> None:
    assert Types(document(), untagged=False).of(given, "Wish") == expected


# Operations.


def declared(path: str, method: str, operation: JSONObject, shared: JSON = None) -> Declared:
    page: JSONObject = {"Page": {"in": "query", "name": "page", "schema": INTEGER}}
    refusals: JSONObject = {"Refusal": json_of(schema("Error"))}
    item: JSONObject = {method: operation, "parameters": shared}
    known = document(path, item, {"parameters": page, "responses": refusals})
    [one] = Operations(known, Types(known, untagged=True)).write()
    return one


def json_of(value: JSON, kind: str = "application/json") -> JSONObject:
    return {"content": {kind: {"schema": value}}}


@pytest.mark.parametrize(
    ("path", "method", "operation", "name", "about"),
    [
        (
            "/things",
            "get",
            {"operationId": "listThings", "summary": " All. "},
            "list_things",
            "All.",
        ),
        ("/things", "get", {"summary": "a", "description": "b"}, "get_things", "a"),
        ("/things", "get", {"description": "b"}, "get_things", "b"),
        ("/things/{thing_id}/parts/{no}", "put", {}, "put_things_by_thing_id_parts_by_no", ""),
    ],
)
def test_an_operation_has_a_name_and_a_summary(
    path: str, method: str, operation: JSONObject, name: str, about: str
) -> None:
    one = declared(path, method, operation)
    assert (one.name, one.wish, one.about) == (name, pascal(name), about)


@pytest.mark.parametrize(
    ("tags", "tag"), [(["shop", "b"], "shop"), ([], ""), (None, ""), ("shop", "")]
)
def test_the_first_tag_names_the_service(tags: JSON, tag: str) -> None:
    assert declared("/things", "get", {"tags": tags}).tag == tag


def test_names_differ_within_a_tag_and_not_beyond() -> None:
    known = document(
        item={
            "get": {"operationId": "find", "tags": ["a"]},
            "put": {"operationId": "find", "tags": ["a"]},
            "post": {"operationId": "find", "tags": ["b"]},
        }
    )
    found = Operations(known, Types(known, untagged=True)).write()
    assert [(one.tag, one.name) for one in found] == [("a", "find"), ("a", "find2"), ("b", "find")]


@pytest.mark.parametrize(
    ("method", "source"),
    [
        *(
            (verb, f'{verb}("/things")')
            for verb in ("get", "put", "post", "delete", "patch", "head")
        ),
        ("options", 'request("options", "/things")'),
        ("trace", 'request("trace", "/things")'),
    ],
)
def test_a_verb_without_a_declaration_of_its_own_is_named(method: str, source: str) -> None:
    one = declared("/things", method, {})
    assert (one.source, one.fields) == (source, ())


HIDDEN: Final = ("self", "body", "content_type")
"""Names of arguments that the generated module needs for itself."""


def given(place: str, name: str, value: JSON = None, **more: JSON) -> JSONObject:
    return {"in": place, "name": name, **({} if value is None else {"schema": value}), **more}


def list_of(value: JSON) -> JSONObject:
    return {"type": "array", "items": value}


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ([given("query", "x")], ["x: str | None = None"]),
        ([given("query", "x", INTEGER)], ["x: int | None = None"]),
        ([given("query", "x", INTEGER, required=True)], ["x: int"]),
        ([given("query", "x", {"type": "null"})], ["x: str | None = None"]),
        ([given("query", "x", {"type": ["integer", "null"]})], ["x: int | None = None"]),
        ([given("query", "x", {"type": ["integer", "null"]}, required=True)], ["x: int"]),
        ([given("query", "x", INTEGER | {"nullable": True})], ["x: int | None = None"]),
        ([given("query", "x", schema("Note"))], ["x: str | None = None"]),
        ([given("query", "x", schema("Mood"))], ["x: Mood | None = None"]),
        ([given("query", "x", {"enum": ["a"]})], ["x: Literal['a'] | None = None"]),
        ([given("query", "x", {"type": "object"})], ["x: str | None = None"]),
        ([given("query", "x", {"oneOf": [INTEGER, TEXT]})], ["x: str | None = None"]),
        ([given("query", "x", {"anyOf": [INTEGER, TEXT]})], ["x: str | None = None"]),
        ([given("query", "x", {"allOf": [INTEGER]})], ["x: str | None = None"]),
        ([given("query", "x", {"type": ["integer", "string"]})], ["x: str | None = None"]),
        ([given("query", "x", {"type": "array"})], ["x: list[str] | None = None"]),
        ([given("query", "x", list_of(INTEGER))], ["x: list[int] | None = None"]),
        ([given("query", "x", list_of(OBJECT))], ["x: list[str] | None = None"]),
        ([given("query", "x", list_of(list_of(INTEGER)))], ["x: list[str] | None = None"]),
        ([given("query", "x", list_of(INTEGER), explode=False)], ["x: str | None = None"]),
        ([given("query", "x", list_of(INTEGER), explode=True)], ["x: list[int] | None = None"]),
        ([given("query", "x", INTEGER, explode=False)], ["x: int | None = None"]),
        (
            [given("query", "page-size", INTEGER)],
            ['page_size: Annotated[int | None, Query("page-size")] = None'],
        ),
        (
            [given("query", 'a"b', INTEGER, required=True)],
            ["""a_b: Annotated[int, Query('a"b')]"""],
        ),
        (
            [given("header", "X-Trace", TEXT)],
            ['x_trace: Annotated[str | None, Header("X-Trace")] = None'],
        ),
        (
            [given("header", "x", INTEGER, required=True)],
            ['x: Annotated[int, Header("x")]'],
        ),
        (
            [given("header", "x", list_of(INTEGER))],
            ['x: Annotated[str | None, Header("x")] = None'],
        ),
        ([given("header", "Accept", TEXT)], []),
        ([given("header", "content-type", TEXT)], []),
        ([given("header", "Authorization", TEXT)], []),
        ([given("query", "accept", TEXT)], ["accept: str | None = None"]),
        ([given("cookie", "sid", TEXT), given("query", "x", TEXT)], ["x: str | None = None"]),
        ([given("query", "b"), given("query", "a", TEXT, required=True)],
         ["a: str", "b: str | None = None"]),
        (
            [given("query", "id", TEXT), given("header", "id", TEXT)],
            ["id: str | None = None", 'id2: Annotated[str | None, Header("id")] = None'],
        ),
        (
            [given("query", name, TEXT, required=True) for name in HIDDEN],
            [f'{name}2: Annotated[str, Query("{name}")]' for name in HIDDEN],
        ),
        ([{"$ref": "#/components/parameters/Page"}], ["page: int | None = None"]),
        ("no list", []),
    ],
)  # fmt: skip
def test_a_parameter_is_a_field(parameters: JSON, fields: list[str]) -> None:
    one = declared("/things", "get", {"parameters": parameters})
    assert [line.strip() for line in one.fields] == fields
    assert one.source == (f'get("/things", {PARAMETERS})' if fields else 'get("/things")')


@pytest.mark.parametrize(
    ("path", "parameters", "template", "fields"),
    [
        ("/a/{id}/{no}", [], "/a/{id}/{no}", ["id: str", "no: str"]),
        ("/a/{id}", [given("path", "id", INTEGER)], "/a/{id}", ["id: int"]),
        ("/a/{id}", [given("path", "id", {"type": ["integer", "null"]})], "/a/{id}", ["id: int"]),
        ("/a/{id}", [given("path", "id", INTEGER | {"nullable": True})], "/a/{id}", ["id: int"]),
        ("/a/{id}", [given("path", "id", list_of(INTEGER))], "/a/{id}", ["id: str"]),
        ("/a/{class}", [given("path", "class", TEXT)], "/a/{class_}", ["class_: str"]),
        ("/a/{x-y}", [], "/a/{x_y}", ["x_y: str"]),
        ("/a/{id}?b=1", [given("path", "id")], "/a/{id}", ["id: str"]),
    ],
)
def test_a_field_of_a_path_is_always_needed(
    path: str, parameters: JSON, template: str, fields: list[str]
) -> None:
    one = declared(path, "get", {"parameters": parameters})
    assert one.source == f'get("{template}", {PARAMETERS})'
    assert [line.strip() for line in one.fields] == fields


@pytest.mark.parametrize(
    ("own", "fields"),
    [
        ([given("query", "page", INTEGER, required=True)], ["page: int"]),
        ([given("query", "size")], ["page: str | None = None", "size: str | None = None"]),
        (None, ["page: str | None = None"]),
    ],
)
def test_an_operation_overrules_the_parameters_of_its_path(own: JSON, fields: list[str]) -> None:
    one = declared("/things", "get", {"parameters": own}, [given("query", "page", TEXT)])
    assert [line.strip() for line in one.fields] == fields


CONTENT_TYPE: Final = 'content_type: Annotated[str, Header("Content-Type")]'


@pytest.mark.parametrize(
    ("method", "body", "fields"),
    [
        ("post", json_of(schema("Pet")) | {"required": True}, ["body: Body[Pet]"]),
        ("post", json_of(schema("Pet")), ["body: Body[Pet | None] = None"]),
        ("delete", json_of(schema("Pet")), ["body: Body[Pet | None] = None"]),
        ("options", json_of(schema("Pet")), ["body: Body[Pet | None] = None"]),
        ("post", json_of({"type": ["integer", "null"]}), ["body: Body[int | None] = None"]),
        ("post", json_of(OBJECT) | {"required": True}, ["body: Body[SendItRequest]"]),
        (
            "post",
            {"content": {"text/plain": {}, "application/json": {"schema": INTEGER}}},
            ["body: Body[int | None] = None"],
        ),
        (
            "post",
            {"content": {"application/json": {}}, "required": True},
            ["body: Body[object]"],
        ),
        (
            "post",
            json_of(TEXT, "text/plain") | {"required": True},
            ["body: Body[bytes]", CONTENT_TYPE],
        ),
        ("post", json_of(TEXT, "text/plain"), [CONTENT_TYPE, "body: Body[bytes | None] = None"]),
        (
            "post",
            json_of(TEXT, "application/json-seq"),
            [CONTENT_TYPE, "body: Body[bytes | None] = None"],
        ),
        ("post", {"content": {}}, []),
        *((method, json_of(schema("Pet")), []) for method in ("get", "head", "trace")),
    ],
)
def test_a_body_is_a_field(method: str, body: JSONObject, fields: list[str]) -> None:
    one = declared("/things", method, {"operationId": "sendIt", "requestBody": body})
    assert [line.strip() for line in one.fields] == fields


PET: Final = json_of(schema("Pet"))
ERROR: Final = json_of(schema("Error"))
PROBLEM: Final = json_of(schema("Problem"))


@pytest.mark.parametrize(
    ("responses", "calls"),
    [
        ({}, ""),
        ({"200": PET}, ".gives(Pet)"),
        ({"201": PET}, ".gives(Pet, status=201)"),
        ({"204": {}}, ".gives(None, status=204)"),
        ({"2xx": PET}, ".gives(Pet, status=range(200, 300))"),
        ({"200": PET, "2XX": ERROR}, ".gives(Pet)"),
        ({"201": PET, "200": ERROR}, ".gives(Error).or_gives(201, Pet)"),
        ({"200": PET, "204": {}}, ".gives(Pet).or_gives(204, None)"),
        ({"200": json_of(TEXT, "text/plain")}, ".gives(HttpResponse)"),
        ({"200": json_of(INTEGER, "application/problem+json")}, ".gives(int)"),
        ({"200": {"content": {"application/json": {}}}}, ".gives(object)"),
        ({"200": json_of(OBJECT), "404": json_of(OBJECT)}, ".gives(TResponse).fails(404, TError)"),
        ({"200": json_of({"enum": ["a, b"]})}, ".gives(Literal['a, b'])"),
        ({"201": json_of({"enum": ["a, b"]}), "400": ERROR},
         ".gives(Literal['a, b'], status=201).fails(400, Error)"),
        ({"200": PET, "302": ERROR}, ".gives(Pet)"),
        ({"200": PET, "404": {}}, ".gives(Pet)"),
        ({"200": PET, "404": json_of({})}, ".gives(Pet)"),
        ({"200": PET, "404": json_of(TEXT, "text/html")}, ".gives(Pet)"),
        ({"200": PET, "404": PET}, ".gives(Pet)"),  # a refusal must not look like the value
        ({"200": json_of({"oneOf": [schema("Pet"), TEXT]}), "404": PET}, ".gives(Pet | str)"),
        ({"200": PET, "404": json_of({"oneOf": [schema("Pet"), TEXT]})}, ".gives(Pet)"),
        (
            {
                "200": json_of(list_of({"oneOf": [schema("Pet"), TEXT]})),
                "404": json_of(list_of({"oneOf": [schema("Pet"), INTEGER]})),
            },
            ".gives(list[Pet | str]).fails(404, list[Pet | int])",
        ),
        ({"404": {"$ref": "#/components/responses/Refusal"}}, ".fails(404, Error)"),
        ({"410": ERROR, "404": ERROR, "500": PROBLEM},
         ".fails({404, 410}, Error).fails(500, Problem)"),
        ({"4XX": ERROR}, ".fails(range(400, 500), Error)"),
        ({"5xx": ERROR}, ".fails(range(500, 600), Error)"),
        ({"default": ERROR}, ".fails(range(400, 600), Error)"),
        ({"404": PROBLEM, "4XX": ERROR},
         ".fails(404, Problem).fails({*range(400, 500)} - {404}, Error)"),
        ({"404": PROBLEM, "405": PROBLEM, "4XX": ERROR},
         ".fails({404, 405}, Problem).fails({*range(400, 500)} - {404, 405}, Error)"),
        ({"400": PROBLEM, "4XX": ERROR}, ".fails(400, Problem).fails(range(401, 500), Error)"),
        ({"499": PROBLEM, "4XX": ERROR}, ".fails(499, Problem).fails(range(400, 499), Error)"),
        ({"4XX": ERROR, "default": PROBLEM},
         ".fails(range(400, 500), Error).fails(range(500, 600), Problem)"),
        ({"4XX": ERROR, "5XX": ERROR, "default": PROBLEM},
         ".fails(range(400, 500), Error).fails(range(500, 600), Error)"),
        ({"200": {"content": {"text/event-stream": {}}}}, ".events(ServerSentEvent)"),
        ({"200": {"content": {"text/event-stream": {"itemSchema": schema("Pet")}}}, "404": PET},
         ".events(Pet).fails(404, Pet)"),
        ({"200": {"content": {"text/event-stream": {"itemSchema": OBJECT}}}}, ".events(TEvent)"),
        (
            {"200": json_of({"contentSchema": schema("Pet")}, "text/event-stream")},
            ".events(Pet)",
        ),
    ],
)  # fmt: skip
def test_responses_are_declared(responses: JSONObject, calls: str) -> None:
    one = declared("/t", "get", {"operationId": "t", "responses": responses})
    assert one.source == f'get("/t"){calls}'


# Documents.


@pytest.mark.parametrize(
    ("servers", "url"),
    [
        (
            [{"url": "https://api.example/v1"}, {"url": "https://b.example"}],
            "https://api.example/v1",
        ),
        ([{"url": "/v1"}], ""),
        ([{"url": "https://{region}.example"}], ""),
        ([{}], ""),
        (["https://api.example"], ""),
        ([], ""),
        (None, ""),
        ({"url": "https://api.example"}, ""),
    ],
)
def test_the_base_is_the_first_server_that_is_absolute(servers: JSON, url: str) -> None:
    assert Document({"openapi": "3.0.3", "servers": servers}, check=False).base_url == url


@pytest.mark.parametrize("version", ["2.0", "3.2.0", "4", ""])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(DocumentError):
        Document({"openapi": version}, check=False)


def test_a_document_without_information_has_no_title() -> None:
    known = Document({"openapi": "3.1.0", "info": []}, check=False)
    assert (known.title, known.version, list(known.operations())) == ("", "", [])


def test_names_of_schemas_are_classes_and_references_follow() -> None:
    known = Document(
        {
            "openapi": "3.0.0",
            "components": {
                "schemas": {
                    "my-pet": {"type": "object"},
                    "MyPet": {
                        "oneOf": [schema("my-pet"), {"$ref": "#/elsewhere"}],
                        "discriminator": {
                            "mapping": {"a": "my-pet", "b": "#/components/schemas/my-pet", "c": "x"}
                        },
                    },
                    "$ref": {"properties": {"$ref": {"type": "string"}, "mapping": TEXT}},
                }
            },
        },
        check=False,
    )
    assert list(known.schemas) == ["MyPet", "MyPet2", "Ref"]
    assert known.schemas["MyPet2"] == {
        "oneOf": [schema("MyPet"), {"$ref": "#/elsewhere"}],
        "discriminator": {
            "mapping": {
                "a": "#/components/schemas/MyPet",
                "b": "#/components/schemas/MyPet",
                "c": "x",
            }
        },
    }
    assert known.resolve(schema("MyPet")) == {"type": "object"}
    assert known.name("my pet", {}) == "MyPet3"
    assert known.schemas["MyPet3"] == {}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/paths/~1a~0b", {"x": 1}),
        ("#/chain", {"x": 1}),
        ("#/text", {}),
    ],
)
def test_a_reference_is_followed(reference: str, found: JSONObject) -> None:
    root: JSONObject = {
        "openapi": "3.1.0",
        "paths": {"/a~b": {"x": 1}},
        "chain": {"$ref": "#/paths/~1a~0b"},
        "text": "a text",
    }
    assert Document(root, check=False).resolve({"$ref": reference}) == found


@pytest.mark.parametrize(
    "reference",
    ["#", "#openapi", "#xopenapi", "#/nowhere", "#/openapi/x", "other.json#/x", "#/loop"],
)
def test_a_reference_that_leads_nowhere_is_an_error(reference: str) -> None:
    root: JSONObject = {"openapi": "3.1.0", "loop": {"$ref": "#/loop"}}
    with pytest.raises(DocumentError):
        Document(root, check=False).resolve({"$ref": reference})


# Names.


@pytest.mark.parametrize(
    ("text", "of_class", "of_field"),
    [
        ("show-pet_byID", "ShowPetByID", "show_pet_by_id"),
        ("HTTPServer", "HTTPServer", "http_server"),
        ("2fa", "N2fa", "n2fa"),
        ("-", "Model", "value"),
        ("List", "ListModel", "list_"),
        ("class", "Class", "class_"),
        ("none", "NoneModel", "none"),
        ("exception", "ExceptionModel", "exception"),
        ("get", "Get", "get_"),
    ],
)
def test_a_name_is_one_of_python_that_hides_nothing(
    text: str, of_class: str, of_field: str
) -> None:
    assert (pascal(text), snake(text)) == (of_class, of_field)


@pytest.mark.parametrize(
    "name",
    [
        *("Annotated", "Any", "AwareDatetime", "BaseModel", "Body", "Decimal", "Dict", "Enum"),
        *("Field", "Final", "Header", "HttpResponse", "List", "Literal", "Meta", "None"),
        *("Optional", "Query", "RootModel", "ServerSentEvent", "Service", "StrEnum", "Struct"),
        *("TypeAlias", "UUID", "Union", "UnsetType"),
    ],
)
def test_no_class_has_a_name_that_a_generated_module_uses(name: str) -> None:
    assert pascal(name) == f"{name}Model"


@pytest.mark.parametrize(
    "name",
    [
        *("binding", "bool", "bytes", "delete", "dict", "dt", "float", "get", "head", "int"),
        *("list", "object", "patch", "post", "put", "range", "request", "str"),
    ],
)
def test_no_field_has_a_name_that_a_generated_module_uses(name: str) -> None:
    assert snake(name) == f"{name}_"


def test_a_name_is_free_or_numbered() -> None:
    taken = {"Pet", "Pet2"}
    assert [unique(name, taken) for name in ("Pet", "Pet", "Cat")] == ["Pet3", "Pet4", "Cat"]


# Schemas in the form that becomes classes.


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"allOf": [schema("Pet"), {"properties": {"b": TEXT}, "required": ["b"]}],
             "required": ["id", "b"], "description": "d", "x-own": 1},
            {"description": "d", "type": "object", "properties": {"id": INTEGER, "b": TEXT},
             "required": ["b", "id"]},
        ),
        (
            {"allOf": [schema("Pet")], "properties": {"b": TEXT}},
            {"type": "object", "properties": {"id": INTEGER, "b": TEXT}, "required": []},
        ),
        (
            {"allOf": [{"allOf": [schema("Pet"), schema("Fish")]}, {"properties": {"c": TEXT}}]},
            {"type": "object", "properties": {"id": INTEGER, "c": TEXT}, "required": []},
        ),
        ({"allOf": [schema("Pet")]}, {"allOf": [schema("Pet")]}),
        ({"allOf": [schema("Pet"), TEXT]}, {"allOf": [schema("Pet"), TEXT]}),
        (
            {"allOf": [schema("Pet"), {"oneOf": [TEXT]}]},
            {"allOf": [schema("Pet"), {"oneOf": [TEXT]}]},
        ),
        (
            {"allOf": [schema("Pet"), schema("Mood")]},
            {"allOf": [schema("Pet"), schema("Mood")]},
        ),
        ({"allOf": [schema("Pet"), True]}, {"allOf": [schema("Pet"), True]}),
        (
            {"allOf": [schema("Pet"), schema("Tested")]},
            {"allOf": [schema("Pet"), schema("Tested")]},
        ),
        (
            {"type": ["string", "null"], "enum": ["a", None]},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        ),
        (
            {"type": "string", "enum": ["a", None]},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        ),
        ({"enum": ["a", None]}, {"anyOf": [{"enum": ["a"]}, {"type": "null"}]}),
        ({"enum": [None]}, {"enum": [None]}),
        ({"type": ["null"]}, {"type": ["null"]}),
        ({"type": "string", "enum": ["a"], "default": "a"},
         {"type": "string", "enum": ["a"], "default": "a"}),
        ({"properties": {"mood": {"oneOf": [schema("Mood"), TEXT], "default": "calm"}}},
         {"properties": {"mood": {"oneOf": [schema("Mood"), TEXT]}}}),
        ({"$ref": "#/components/schemas/Mood", "default": "calm"}, schema("Mood")),
        ({"type": "array", "items": {"allOf": [schema("Pet")], "default": {}}},
         {"type": "array", "items": {"allOf": [schema("Pet")]}}),
    ],
)  # fmt: skip
def test_a_schema_is_rewritten(before: JSON, after: JSON) -> None:
    known = document()
    known.schemas["Tested"] = before
    assert Simplifier(known, untagged=True).schemas()["Tested"] == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"oneOf": [schema("Pet"), schema("Fish")]}, {}),
        ({"anyOf": [schema("Pet"), OBJECT]}, {}),
        ({"properties": {"a": {"anyOf": [schema("Pet"), OBJECT]}}}, {"properties": {"a": {}}}),
        ({"anyOf": [schema("Pet"), TEXT]}, {"anyOf": [schema("Pet"), TEXT]}),
        (
            {"oneOf": [schema("Pet"), schema("Fish")], "discriminator": {"propertyName": "k"}},
            {"oneOf": [schema("Pet"), schema("Fish")], "discriminator": {"propertyName": "k"}},
        ),
    ],
)
def test_a_union_that_cannot_be_decoded_is_any_value(before: JSON, after: JSON) -> None:
    known = document()
    known.schemas["Tested"] = before
    assert Simplifier(known, untagged=False).schemas()["Tested"] == after
    if after == {}:
        assert Simplifier(known, untagged=True).schemas()["Tested"] == before
