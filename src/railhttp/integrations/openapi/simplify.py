"""Schemas in the form that becomes classes which type checkers accept."""

from collections.abc import Sequence
from typing import Final

from railhttp.integrations.openapi.document import SCHEMAS, Document, JSONObject, members
from railhttp.integrations.openapi.types import object_like, split_null
from railhttp.model.response import JSON

_UNIONS: Final = ("oneOf", "anyOf")
_TEXTS: Final[tuple[str, ...]] = ("title", "description")
_COMPOSED: Final = ("$ref", "allOf", *_UNIONS)


class Simplifier:
    """Rewrites the schemas of a document.

    An `allOf` of objects becomes one object, because a class that changes the type of an inherited
    field is not a subtype. Defaults beside a reference are dropped, because they are not written in
    the type of the field.

    Args:
        document: The document.
        untagged: Whether the models can decode a union of classes without a discriminator. If not,
            such a union becomes any value.
    """

    def __init__(self, document: Document, *, untagged: bool) -> None:
        self._document = document
        self._untagged = untagged

    def schemas(self) -> JSONObject:
        """Rewrite all schemas."""
        return {
            name: self._rewritten(schema, (SCHEMAS + name,))
            for name, schema in self._document.schemas.items()
        }

    def _rewritten(self, schema: JSON, path: tuple[str, ...]) -> JSON:
        if isinstance(schema, list):
            return [self._rewritten(part, path) for part in schema]
        if not isinstance(schema, dict):
            return schema
        for union in _UNIONS:
            parts = schema.get(union)
            if isinstance(parts, list) and self._is_ambiguous(schema, parts):
                return {}
        if (merged := self._merged(schema, path)) is not None:
            schema = merged
        if "enum" in schema and (rest := split_null(schema)) is not None:
            schema = {"anyOf": [rest, {"type": "null"}]}
        if any(name in schema for name in _COMPOSED):
            schema = {name: part for name, part in schema.items() if name != "default"}
        return {name: self._rewritten(part, path) for name, part in schema.items()}

    def _is_ambiguous(self, schema: JSONObject, parts: Sequence[JSON]) -> bool:
        if self._untagged or "discriminator" in schema:
            return False
        return sum(object_like(self._document.resolve(part)) for part in parts) > 1

    def _merged(self, schema: JSONObject, path: tuple[str, ...]) -> JSONObject | None:
        """Merge an `allOf` of objects; None for anything else."""
        parts = schema.get("allOf")
        if not isinstance(parts, list) or len(parts) + len(members(schema, "properties")) < 2:
            return None
        properties: JSONObject = {}
        required: list[JSON] = []
        for part in [*parts, {key: value for key, value in schema.items() if key != "allOf"}]:
            whole = self._object(part, path)
            if whole is None:
                return None
            properties |= members(whole, "properties")
            names = whole.get("required")
            required += names if isinstance(names, list) else []
        kept: JSONObject = {name: schema[name] for name in _TEXTS if name in schema}
        own: JSONObject = {"type": "object", "properties": properties}
        return {**kept, **own, "required": list(dict.fromkeys(map(str, required)))}

    def _object(self, part: JSON, path: tuple[str, ...]) -> JSONObject | None:
        if not isinstance(part, dict):
            return None
        reference = str(part.get("$ref", ""))
        if reference and reference in path:
            return None  # it contains itself
        whole = self._document.resolve(part)
        if "allOf" in whole:
            return self._merged(whole, (*path, reference))
        if any(name in whole for name in _UNIONS) or "enum" in whole:
            return None
        return whole if object_like(whole) or not whole.keys() & {"type", "$ref"} else None
