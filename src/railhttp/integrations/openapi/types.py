"""Python types for JSON Schemas, as source."""

import ast
from collections.abc import Sequence
from typing import Final

from railhttp.integrations.openapi.document import SCHEMAS, Document, JSONObject, members
from railhttp.model.response import JSON

_FORMATS: Final = {
    "date-time": "dt.datetime",
    "date": "dt.date",
    "uuid": "UUID",
}
_SCALARS: Final = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Types:
    """Finds the type of each schema of a document, and names those that need a class.

    Args:
        document: The document.
        untagged: Whether the models can decode a union of classes without a discriminator.
    """

    def __init__(self, document: Document, *, untagged: bool) -> None:
        self._document = document
        self._untagged = untagged
        self._open: set[str] = set()

    def of(self, schema: JSON, wish: str) -> str:
        """Return the source of a schema's type.

        Args:
            schema: The schema, with the Python names of other schemas.
            wish: The name of the class, if one is needed that has none.
        """
        if not isinstance(schema, dict):
            return "object"
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, wish)
        if "enum" in schema or "const" in schema:
            return _literal(schema)
        union = schema.get("oneOf", schema.get("anyOf"))
        if isinstance(union, list):
            return self._union(schema, union, wish)
        if "allOf" in schema:
            parts = schema["allOf"]
            if isinstance(parts, list) and len(parts) == 1:
                return _nullable(self.of(parts[0], wish), schema)
            return self._document.name(wish, schema)
        kinds = _kinds(schema)
        found = [self._of_kind(kind, schema, wish) for kind in kinds] or ["object"]
        return _nullable(_either(found), schema)

    def _of_kind(self, kind: str, schema: JSONObject, wish: str) -> str:
        if kind == "array":
            return f"list[{self.of(schema.get('items', {}), f'{wish}Item')}]"
        if kind == "object":
            if members(schema, "properties"):
                return self._document.name(wish, schema)
            extra = schema.get("additionalProperties", {})
            return f"dict[str, {self.of(extra, f'{wish}Value')}]"
        if kind == "string":
            return _FORMATS.get(str(schema.get("format", "")), "str")
        return _SCALARS.get(kind, "object")

    def _referred(self, reference: str, wish: str) -> str:
        name = reference.removeprefix(SCHEMAS)
        schema = self._document.resolve({"$ref": reference})
        if not reference.startswith(SCHEMAS):
            return self.of(self._document.renamed(schema), wish)
        if self.has_class(schema) or name in self._open:
            return name
        self._open.add(name)  # an alias may contain itself
        try:
            return self.of(schema, wish)
        finally:
            self._open.discard(name)

    def has_class(self, schema: JSONObject) -> bool:
        """Whether a named schema becomes a class, and not an alias."""
        if "enum" in schema:
            # one with null is an alias, see `split_null`
            return split_null(schema) is None and _kinds(schema) in (["string"], ["integer"], [])
        if "allOf" in schema:
            return True
        return bool(members(schema, "properties")) and "object" in (_kinds(schema) or ["object"])

    def _union(self, schema: JSONObject, parts: Sequence[JSON], wish: str) -> str:
        objects = sum(object_like(self._document.resolve(part)) for part in parts)
        if not self._untagged and "discriminator" not in schema and objects > 1:
            return "object"
        names = [self.of(part, f"{wish}{number}") for number, part in enumerate(parts, 1)]
        return _nullable(_either(names), schema)


def object_like(schema: JSONObject) -> bool:
    """Whether a resolved schema is one of objects."""
    return "object" in _kinds(schema) or "properties" in schema or "allOf" in schema


def split_null(schema: JSONObject) -> JSONObject | None:
    """Return the schema of everything but null; None if null is not one of several values.

    Example:
        >>> split_null({"type": ["string", "null"], "enum": ["a", None]})
        {'type': 'string', 'enum': ['a']}
        >>> split_null({"anyOf": [{"type": "integer"}, {"type": "null"}]})
        {'type': 'integer'}
    """
    for union in ("oneOf", "anyOf"):
        parts = schema.get(union)
        if isinstance(parts, list):
            rest = [part for part in parts if part != {"type": "null"}]
            if len(rest) == len(parts):
                return None
            only: JSON = rest[0] if len(rest) == 1 else {union: rest}
            return only if isinstance(only, dict) else None
    kinds, values = _kinds(schema), schema.get("enum")
    choices = values if isinstance(values, list) else []
    if ("null" not in kinds or len(kinds) == 1) and (None not in choices or len(choices) == 1):
        return None
    whole = {name: part for name, part in schema.items() if name not in {"type", "nullable"}}
    named: list[JSON] = [kind for kind in kinds if kind != "null"]
    if named:
        whole = {"type": named[0] if len(named) == 1 else named, **whole}
    return {**whole, "enum": [one for one in choices if one is not None]} if choices else whole


def _kinds(schema: JSONObject) -> list[str]:
    kind = schema.get("type")
    if isinstance(kind, list):
        return [str(one) for one in kind]
    if isinstance(kind, str):
        return [kind]
    return ["object"] if "properties" in schema or "additionalProperties" in schema else []


def _literal(schema: JSONObject) -> str:
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    choices = values if isinstance(values, list) else []
    plain = [one for one in choices if one is None or isinstance(one, str | int | bool)]
    if not plain or len(plain) < len(choices):
        return "object"
    shown = [repr(one) for one in plain if one is not None]
    parts = [f"Literal[{', '.join(shown)}]"] if shown else []
    return _nullable(_either([*parts, *(["None"] if None in plain else [])]), schema)


def alternatives(name: str) -> list[str]:
    """Return the types of a union, but not those of a union inside brackets.

    Example:
        >>> alternatives("list[int | str] | None")
        ['list[int | str]', 'None']
    """
    node = ast.parse(name, mode="eval").body
    found: list[str] = []
    while isinstance(node, ast.BinOp):
        found.insert(0, ast.unparse(node.right))
        node = node.left
    return [ast.unparse(node), *found]


def _either(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(part for name in names for part in alternatives(name)))
    if "object" in distinct:
        return "object"
    return " | ".join([one for one in distinct if one != "None"] + ["None"] * ("None" in distinct))


def _nullable(name: str, schema: JSONObject) -> str:
    return _either([name, "None"]) if schema.get("nullable") is True else name
