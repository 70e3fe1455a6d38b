"""JSON Schema (2020-12) of declared types, as components of an OpenAPI document."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NotRequired,
    Protocol,
    Required,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from typing_extensions import ReadOnly, is_typeddict

from railhttp.model.response import JSON
from railhttp.railway import ProblemDetails

JSONObject: TypeAlias = dict[str, JSON]

_PREFIX: Final = "#/components/schemas/"


class Schemas:
    """Collects the schemas of named types.

    Attributes:
        components: The schemas by name.

    Example:
        >>> schemas = Schemas()
        >>> schemas.of(list[int | None])
        {'type': 'array', 'items': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}}
    """

    def __init__(self) -> None:
        self.components: Final[JSONObject] = {}
        self._names: dict[object, str] = {}

    def of(self, hint: object) -> JSONObject:
        """Return the schema of a type; that of a class is a reference to a component.

        Raises:
            TypeError: The type has no schema.
        """
        origin, args = get_origin(hint), get_args(hint)
        if hint is Any or hint is object:
            return {}
        if origin in {Required, NotRequired, ReadOnly} or (
            origin is Annotated and not _is_plain(args[0])
        ):
            return self.of(args[0])
        for alias in ("__supertype__", "__value__"):
            if hasattr(hint, alias):
                return self.of(getattr(hint, alias))
        if isinstance(hint, type) and origin is None and (schema := self._class(hint)) is not None:
            return schema
        return self._composed(hint, origin or hint, args)

    def _composed(self, hint: object, origin: object, args: tuple[object, ...]) -> JSONObject:
        if origin in {Union, UnionType}:
            return {"anyOf": [self.of(part) for part in args]}
        if origin is tuple and args and args[-1] is not ...:
            items: list[JSON] = [self.of(part) for part in args]
            size = len(items)
            return {"type": "array", "prefixItems": items, "minItems": size, "maxItems": size}
        if origin in _ARRAYS:
            unique: JSONObject = {"uniqueItems": True} if origin in {set, frozenset} else {}
            return {"type": "array", "items": self.of(args[0]) if args else {}, **unique}
        if origin in {dict, Mapping}:
            members = self.of(args[1]) if args else {}
            return {"type": "object", "additionalProperties": members}
        if origin is Literal and len(args) == 1:
            return {"const": _json(args[0])}
        return _plain(hint)

    def _class(self, kind: type) -> JSONObject | None:
        if hasattr(kind, "__pydantic_validator__"):
            return self._model(kind)
        if kind is ProblemDetails:
            return self._named(kind, _problem)
        if hasattr(kind, "__struct_fields__"):
            return self._struct(kind)
        if issubclass(kind, Enum):
            values: list[JSON] = [_json(member.value) for member in kind]
            return self._named(kind, lambda: JSONObject(enum=values))
        if not _is_record(kind):
            return None
        return self._named(kind, lambda: self._record(kind))

    def _named(self, kind: type, make: "_Maker") -> JSONObject:
        if kind not in self._names:
            name = self._names[kind] = self._free(kind.__name__)
            self.components[name] = {}  # a class may contain itself
            described = _description(kind)
            schema = {"title": kind.__name__, **described, **make()}
            self.components[name] = schema
        return {"$ref": _PREFIX + self._names[kind]}

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self.components:
            number += 1
            free = f"{name}{number}"
        return free

    def _record(self, kind: type) -> JSONObject:
        members = list(_members(kind))
        required: list[JSON] = [one.name for one in members if one.required]
        properties: JSONObject = {}
        for one in members:
            properties[one.name] = {**self.of(one.hint), **one.default}
        schema: JSONObject = {"type": "object", "properties": properties}
        return {**schema, "required": required} if required else schema

    def _struct(self, kind: type) -> JSONObject:
        if kind not in self._names:
            template = _PREFIX + "{name}"
            (_,), found = msgspec.json.schema_components((kind,), ref_template=template)
            self._names[kind] = kind.__name__
            self.components.update(found)
        return {"$ref": _PREFIX + self._names[kind]}

    def _model(self, kind: type) -> JSONObject:
        if kind not in self._names:
            from pydantic import TypeAdapter  # noqa: PLC0415  # an extra

            schema = TypeAdapter(kind).json_schema(ref_template=_PREFIX + "{model}")
            name = self._names[kind] = kind.__name__
            self.components.update(schema.pop("$defs", {}))
            self.components.setdefault(name, schema)
        return {"$ref": _PREFIX + self._names[kind]}


_ARRAYS: Final = frozenset({list, Sequence, tuple, set, frozenset})


def _problem() -> JSONObject:
    """Describe problem details; any other member is an extension (RFC 9457, section 3.2)."""
    text: JSONObject = {"type": "string"}
    names = ("type", "title", "detail", "instance")
    properties: JSONObject = dict.fromkeys(names, text)
    return {"type": "object", "properties": {**properties, "status": {"type": "integer"}}}


class _Member(NamedTuple):
    name: str
    hint: object
    required: bool
    default: JSONObject


class _Maker(Protocol):
    def __call__(self) -> JSONObject: ...


def _is_plain(hint: object) -> bool:
    return isinstance(hint, type) and not _is_record(hint) and get_origin(hint) is None


def _is_record(kind: type) -> bool:
    is_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    return is_tuple or (
        dataclasses.is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "__attrs_attrs__")
    )


def _members(kind: type) -> Iterator[_Member]:
    hints = get_type_hints(kind, include_extras=True)
    if is_typeddict(kind):
        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        for name, hint in hints.items():
            is_required = get_origin(hint) is not NotRequired and name in required
            yield _Member(name, hint, is_required, {})
        return
    names = {field.alias: field.name for field in getattr(kind, "__attrs_attrs__", ())}
    for argument, parameter in inspect.signature(kind).parameters.items():
        name = names.get(argument, argument)
        default: JSONObject = {}
        if parameter.default is None or isinstance(parameter.default, str | int | float):
            default = {"default": parameter.default}
        is_required = parameter.default is parameter.empty
        yield _Member(name, hints.get(name, object), is_required, default)


def _description(kind: type) -> JSONObject:
    text = inspect.cleandoc(kind.__doc__ or "")
    generated = text.startswith(f"{kind.__name__}(") or text == inspect.cleandoc(Enum.__doc__ or "")
    return {"description": text} if text and not generated else {}


def _json(value: object) -> JSON:
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value!r} has no form in JSON")


def _plain(hint: object) -> JSONObject:
    if hint is None or hint is NoneType:
        return {"type": "null"}
    schema: JSONObject = msgspec.json.schema(hint)
    return schema
