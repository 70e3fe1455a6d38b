"""Schemas that are composed of others, and those that contain themselves."""

from typing import Final

import pytest

from railhttp.integrations.openapi.document import SCHEMAS, Document, JSONObject
from railhttp.integrations.openapi.simplify import Simplifier
from railhttp.integrations.openapi.types import object_like, split_null
from railhttp.model.response import JSON

INTEGER: Final[JSONObject] = {"type": "integer"}
TEXT: Final[JSONObject] = {"type": "string"}


def schema(name: str) -> JSONObject:
    return {"$ref": SCHEMAS + name}


def rewritten(**schemas: JSON) -> JSONObject:
    pet: JSONObject = {"type": "object", "properties": {"id": INTEGER}, "required": ["id"]}
    root: JSONObject = {"openapi": "3.1.0", "components": {"schemas": {"Pet": pet, **schemas}}}
    return Simplifier(Document(root, check=False), untagged=True).schemas()


def of_object(properties: JSONObject, *required: str, **more: JSON) -> JSONObject:
    return {**more, "type": "object", "properties": properties, "required": list(required)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"allOf": [schema("Pet"), {"properties": {"a": TEXT}}]}
            | {"title": "T", "description": "D"},
            of_object({"id": INTEGER, "a": TEXT}, "id", title="T", description="D"),
        ),
        (
            {"allOf": [schema("Pet"), {"description": "of no type"}]},
            of_object({"id": INTEGER}, "id"),
        ),
        (
            {"allOf": [schema("Pet"), {"properties": {"id": TEXT}, "required": "id"}]},
            of_object({"id": TEXT}, "id"),
        ),
        (
            {"allOf": [schema("Pet")], "properties": {"a": TEXT}, "required": ["a", "id"]},
            of_object({"id": INTEGER, "a": TEXT}, "id", "a"),
        ),
        (
            {"allOf": [schema("Pet"), {"type": "object"}]},
            of_object({"id": INTEGER}, "id"),
        ),
        (
            {"allOf": [schema("Pet"), {"anyOf": [TEXT]}]},
            {"allOf": [schema("Pet"), {"anyOf": [TEXT]}]},
        ),
        (
            {"allOf": [schema("Pet"), {"enum": ["a"]}]},
            {"allOf": [schema("Pet"), {"enum": ["a"]}]},
        ),
        (
            {"allOf": [schema("Pet"), {"type": "array"}]},
            {"allOf": [schema("Pet"), {"type": "array"}]},
        ),
        ({"allOf": [{"properties": {"a": TEXT}}]}, {"allOf": [{"properties": {"a": TEXT}}]}),
        ({"anyOf": [TEXT, INTEGER], "default": 1}, {"anyOf": [TEXT, INTEGER]}),
        ({"oneOf": [TEXT, INTEGER], "default": 1}, {"oneOf": [TEXT, INTEGER]}),
        ({"allOf": [TEXT], "default": "a"}, {"allOf": [TEXT]}),
        ({"type": "string", "default": "a"}, {"type": "string", "default": "a"}),
        (True, True),
        ({"allOf": "no list", "default": 1}, {"allOf": "no list"}),
    ],
)  # fmt: skip
def test_objects_are_merged_and_other_schemas_stay(before: JSON, after: JSON) -> None:
    assert rewritten(Tested=before)["Tested"] == after


def test_a_schema_that_contains_itself_is_not_merged() -> None:
    own: JSONObject = {"allOf": [schema("Own"), {"properties": {"a": TEXT}}]}
    one: JSONObject = {"allOf": [schema("Other"), {"properties": {"a": TEXT}}]}
    other: JSONObject = {"allOf": [schema("One"), {"properties": {"b": TEXT}}]}
    found = rewritten(Own=own, One=one, Other=other)
    assert (found["Own"], found["One"], found["Other"]) == (own, one, other)


def test_a_schema_that_is_used_twice_is_merged_both_times() -> None:
    base: JSONObject = {"allOf": [schema("Pet"), {"properties": {"a": TEXT}}]}
    twice: JSONObject = {"allOf": [schema("Base"), schema("Base"), {"properties": {"b": TEXT}}]}
    found = rewritten(Base=base, Twice=twice)
    assert found["Twice"] == of_object({"id": INTEGER, "a": TEXT, "b": TEXT}, "id")


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        ({"type": "string"}, None),
        ({"type": ["string", "null"]}, TEXT),
        ({"type": ["string", "integer", "null"]}, {"type": ["string", "integer"]}),
        ({"type": ["null"]}, None),
        ({"type": "null"}, None),
        ({"type": ["string", "null"], "nullable": True, "maxLength": 3},
         {"type": "string", "maxLength": 3}),
        ({"enum": ["a", None]}, {"enum": ["a"]}),
        ({"enum": [None]}, None),
        ({"enum": ["a"]}, None),
        ({"type": "string", "enum": ["a", None]}, {"type": "string", "enum": ["a"]}),
        ({"type": ["string", "null"], "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"enum": "no list"}, None),
        ({"oneOf": [TEXT, {"type": "null"}]}, TEXT),
        ({"oneOf": [TEXT, INTEGER, {"type": "null"}]}, {"oneOf": [TEXT, INTEGER]}),
        ({"anyOf": [TEXT, INTEGER, {"type": "null"}]}, {"anyOf": [TEXT, INTEGER]}),
        ({"anyOf": [TEXT, INTEGER]}, None),
        ({"anyOf": [True, {"type": "null"}]}, None),
        ({"anyOf": "no list", "type": ["string", "null"]}, {"anyOf": "no list", "type": "string"}),
    ],
)  # fmt: skip
def test_null_is_split_off_if_it_is_one_of_several_values(
    given: JSONObject, rest: JSONObject | None
) -> None:
    assert split_null(given) == rest


@pytest.mark.parametrize(
    ("given", "is_object"),
    [
        ({"type": "object"}, True),
        ({"type": ["object", "null"]}, True),
        ({"properties": {}}, True),
        ({"additionalProperties": True}, True),
        ({"allOf": []}, True),
        ({"type": "string"}, False),
        ({"oneOf": []}, False),
        ({}, False),
    ],
)
def test_some_schemas_are_those_of_objects(given: JSONObject, is_object: bool) -> None:
    assert object_like(given) is is_object
