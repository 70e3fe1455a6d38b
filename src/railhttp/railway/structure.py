"""From a type to the function that reads it from JSON.

| type | JSON |
|---|---|
| `str`, `int`, `float`, `bool`, `None` | itself; `float` takes integers, `int` takes no booleans |
| `datetime`, `date`, `time`, `timedelta`, `UUID` | a string |
| `Decimal` | a string or a number |
| `bytes` | a string in base64 |
| `list[T]`, `Sequence[T]`, `set[T]`, `tuple[T, ...]`, `tuple[A, B]` | an array |
| `dict[K, T]`, `Mapping[K, T]` | an object |
| dataclasses, attrs classes, named tuples, TypedDicts | an object; unknown members are ignored |
| models of pydantic and msgspec | what their packages read |
| `A | B` | the first that fits, but an integer fits `int` before it fits `float` |
| `Literal`, `Enum`, `NewType`, `Annotated`, `Final`, `object` | what they stand for |

msgspec decodes what it reads by these rules. Our readers decode the other types. They also read
a document again that msgspec refused: to find the place, or because it fits after all.
"""

import re
from collections import abc
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from typing_extensions import ReadOnly, is_typeddict

from railhttp.railway import _readers as readers
from railhttp.railway import adapters
from railhttp.railway._fields import (
    assigns_fields_only,
    class_of,
    is_record,
    record_fields,
    substituted,
)
from railhttp.railway._readers import SCALARS, Shape
from railhttp.railway.adapters import is_pydantic, is_struct

_ARRAYS: Final = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    abc.Sequence: list,
    abc.Collection: list,
    abc.Set: set,
}
_OBJECTS: Final = frozenset({dict, abc.Mapping})
_PLAIN: Final = {**SCALARS, Any: readers.anything, Final: readers.anything}
_QUALIFIERS: Final = frozenset({Required, NotRequired, ReadOnly, Final})
_NOT_FINITE: Final = re.compile(
    rb'"(?:\\[tnrf]|[^"\w])*(?:s?nan(?:\d|\\u\w{4})*|inf(?:inity)?)(?:\\[tnrf]|[^"\w])*"'
    rb"|\\u(?:00[0-7]|0085|00a0|1680|20|3000)",  # escapes of letters and white space
)
"""Finds text in lower case that could be a `Decimal` which is not finite: msgspec accepts it."""
_HINTS: Final = (b"nan", b"inf", b"\\u")  # found faster, and seldom there


@dataclass(frozen=True, slots=True)
class Structure:
    """How a type is decoded.

    Attributes:
        from_bytes: Decodes JSON text in UTF-8, and may raise anything; None if only `from_document`
            decodes the type.
        from_document: Reads a document, or raises `MismatchError` with the place.
    """

    from_bytes: Callable[[bytes], object] | None
    from_document: Shape


def structure_of(model: object) -> Structure:
    """Find out how a type is decoded.

    Raises:
        TypeError: The type cannot be decoded.

    Example:
        >>> structure_of(dict[str, list[int]]).from_document({"a": [1, 2]})
        {'a': [1, 2]}
    """
    parts = [part for part in adapters.parts_of(model) if isinstance(part, type)]
    models = [part for part in parts if is_pydantic(part)]
    if models and not any(_is_ours(part) for part in parts if part not in models):
        decoder = adapters.pydantic_decoder(model)
        return Structure(decoder, adapters.pydantic_reader(decoder))
    compiler = _Compiler()
    shape = compiler.shape(model)
    from_bytes = None if compiler.reads_otherwise else adapters.bytes_decoder(model)
    if from_bytes is None:
        return Structure(None, _Compiler(by_parts=True).shape(model))
    return Structure(_finite_only(from_bytes) if compiler.has_decimals else from_bytes, shape)


def _is_ours(kind: type) -> bool:
    """Whether pydantic reads a class by other rules than ours, or not at all."""
    return kind is bytes or is_struct(kind) or is_record(kind)


def _finite_only(decode: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def decode_finite(text: bytes) -> object:
        lowered = text.lower()
        if any(hint in lowered for hint in _HINTS) and _NOT_FINITE.search(lowered):
            raise ValueError("not for msgspec")
        return decode(text)

    return decode_finite


class _Compiler:
    """Compiles one type; remembers its classes, which may contain themselves.

    Args:
        by_parts: Let msgspec read each class that it can serve.
        locates: The shape only looks for the place of an error in a Struct.

    Attributes:
        reads_otherwise: msgspec reads a part of the type by other rules.
        has_decimals: A part of the type is a `Decimal`.
    """

    def __init__(self, *, by_parts: bool = False, locates: bool = False) -> None:
        self._by_parts = by_parts
        self._locates = locates
        self.reads_otherwise = False
        self.has_decimals = False
        self._classes: dict[object, Shape] = {}

    def shape(self, model: object) -> Shape:
        origin, args = get_origin(model), get_args(model)
        if origin is None and model in _PLAIN:
            self.has_decimals |= model is Decimal
            return _PLAIN[model]
        if origin is Annotated:
            return self._annotated(args[0], args[1:])
        if origin in {Union, UnionType}:
            return self._union(args)
        if (kind := class_of(model)) is not None:
            return self._class(model, kind, args)
        if origin in _QUALIFIERS:
            return self.shape(args[0])
        if origin is Literal:
            return readers.choice(args, " or ".join(map(repr, args)))
        return self._named(model, args)

    def _named(self, model: object, args: tuple[object, ...]) -> Shape:
        if isinstance(model, TypeVar):
            return self.shape(model.__bound__ or object)
        for alias in ("__supertype__", "__value__"):  # NewType, and `type X = ...`
            if hasattr(model, alias):
                parameters: tuple[object, ...] = getattr(model, "__type_params__", ())
                arguments = dict(zip(parameters, args, strict=False))
                return self.shape(substituted(getattr(model, alias), arguments))
        raise _undecodable(model)

    def _class(self, model: object, kind: type, args: tuple[object, ...]) -> Shape:
        if is_pydantic(kind) or is_struct(kind) or is_record(kind):
            return self._model(model, kind)
        if issubclass(kind, Enum):
            return readers.member_of(kind)
        if kind in _OBJECTS:
            key, value = args or (str, object)
            self.shape(key)
            return readers.mapping(key, self.shape(value))
        if kind not in _ARRAYS:
            raise _undecodable(model)
        if model is kind:  # `tuple[()]` has no arguments either
            return readers.array(readers.anything, _ARRAYS[kind])
        if kind is tuple and args[1:] != (...,):
            return readers.fixed_array([self.shape(arg) for arg in args])
        return readers.array(self.shape(args[0]), _ARRAYS[kind])

    def _annotated(self, inner: object, metadata: tuple[object, ...]) -> Shape:
        shape = self.shape(inner)
        metas = [one for one in metadata if adapters.is_constraint(one)]
        return readers.constrained(shape, class_of(inner) or inner, metas) if metas else shape

    def _union(self, args: tuple[object, ...]) -> Shape:
        shapes = [self.shape(arg) for arg in args]
        if len(args) == 2 and NoneType in args:
            return readers.optional(shapes[args[0] is NoneType])
        names = " or ".join(getattr(arg, "__name__", str(arg)) for arg in args)
        numbers = {int, float, Decimal}.intersection(args)
        self.reads_otherwise |= len(numbers) > 1 and Decimal in numbers
        # The others take integers too, but convert them.
        shapes.sort(key=lambda shape: len(numbers) > 1 and shape is not SCALARS[int])
        return readers.union(shapes, names)

    def _model(self, model: object, kind: type) -> Shape:
        if model not in self._classes:
            # Until it is compiled, the class stands for itself.
            self._classes[model] = lambda value: self._classes[model](value)  # noqa: PLW0108
            self._classes[model] = self._compiled(model, kind)
        return self._classes[model]

    def _compiled(self, model: object, kind: type) -> Shape:
        if is_pydantic(kind):
            self.reads_otherwise |= is_record(kind)  # msgspec builds a dataclass without its checks
            return adapters.pydantic_reader(adapters.pydantic_decoder(model))
        if is_struct(kind):
            return self._struct(model)
        if self._by_parts and (shape := _served(model)):
            return shape
        if not assigns_fields_only(kind):
            self.reads_otherwise = True
            if self._locates:  # inside of a Struct the rules are msgspec's
                return readers.converting(model)
        members = [
            readers.Member(name, argument, self.shape(annotation), required)
            for name, argument, annotation, required in record_fields(model, kind)
        ]
        return readers.record(members, dict if is_typeddict(kind) else kind)

    def _struct(self, model: object) -> Shape:
        if not self._locates:
            return readers.struct(model, lambda: _Compiler(locates=True).shape(model))
        config, fields = adapters.struct_members(model)
        if config.array_like:
            return readers.converting(model)
        members = [
            readers.Member(name, name, self._part(annotation), required)
            for name, annotation, required in fields
        ]
        return readers.tagged(config.tag_field, config.tag, readers.record(members, dict))

    def _part(self, model: object) -> Shape:
        try:
            return self.shape(model)
        except TypeError:  # msgspec knows more types than the table above
            return readers.converting(model)


def _served(model: object) -> Shape | None:
    compiler = _Compiler()
    shape = compiler.shape(model)
    if compiler.reads_otherwise or compiler.has_decimals or not adapters.bytes_decoder(model):
        return None
    return readers.converted_or(model, shape)


def _undecodable(model: object) -> TypeError:
    return TypeError(f"{model!r} cannot be decoded, see railhttp.railway.structure for what can")
