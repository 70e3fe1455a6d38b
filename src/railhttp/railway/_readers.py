"""Functions that read one JSON value, and name the place if it does not fit its type."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import GenericAlias
from typing import Annotated, Any, Final, NamedTuple, cast
from uuid import UUID

from railhttp.model.response import JSON
from railhttp.railway.adapters import REFUSED, converted
from railhttp.railway.mismatch import MismatchError, PathSegment, mismatch

Shape = Callable[[JSON], object]
"""Makes a Python value of a JSON value, or raises `MismatchError`."""


class Member(NamedTuple):
    """A member of an object, the argument that takes it, and how it is read."""

    name: str
    argument: str
    shape: Shape
    required: bool


def anything(value: JSON) -> JSON:
    return value


def _float(value: JSON) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isfinite(number):
        return number
    raise mismatch("a number that a float can hold", value)


def _decimal(value: JSON) -> Decimal:
    try:
        match value:
            case bool():
                pass
            case str() | int() if (number := Decimal(value)).is_finite():
                return number
            # A float holds 15 digits exactly; more may have been lost.
            case float() if len(text := repr(value)) <= 16 and "e" not in text:
                return Decimal(text)
    except ArithmeticError:
        pass
    raise mismatch("a decimal number as text", value)


def _scalar(model: object, expected: str, parse: Callable[[str], object] | None = None) -> Shape:
    def read(value: JSON) -> object:
        if type(value) is model:
            return value
        try:
            return converted(value, model)
        except MismatchError:
            if parse is not None and isinstance(value, str):
                try:
                    return parse(value)
                except ValueError:
                    pass
            raise mismatch(expected, value) from None

    return read


SCALARS: Final[Mapping[object, Shape]] = {
    object: anything,
    None: _scalar(None, "null"),
    type(None): _scalar(None, "null"),
    bool: _scalar(bool, "a boolean"),
    int: _scalar(int, "an integer"),
    float: _float,
    str: _scalar(str, "a string"),
    bytes: _scalar(bytes, "bytes as text (base64)"),
    # msgspec reads what RFC 3339 allows, ISO 8601 allows more.
    datetime: _scalar(datetime, "a date and time as text (ISO 8601)", datetime.fromisoformat),
    date: _scalar(date, "a date as text (ISO 8601)", date.fromisoformat),
    time: _scalar(time, "a time as text (ISO 8601)", time.fromisoformat),
    timedelta: _scalar(timedelta, "a duration as text (ISO 8601)"),
    Decimal: _decimal,
    UUID: _scalar(UUID, "a UUID as text"),
}


def choice(choices: Iterable[object], expected: str) -> Shape:
    """Read one of some values; members of an enum are found by their values.

    Types count: `True` is not 1.

    Example:
        >>> choice([1, "a"], "1 or a")("a")
        'a'
    """
    table = {_typed(one.value if isinstance(one, Enum) else one): one for one in choices}

    def read(value: JSON) -> object:
        if not isinstance(value, list | dict) and (key := _typed(value)) in table:
            return table[key]
        raise mismatch(expected, value)

    return read


def member_of(kind: type[Enum]) -> Shape:
    expected = f"a value of {kind.__name__}"
    listed = choice(kind.__members__.values(), expected)

    def read(value: JSON) -> object:
        try:
            return listed(value)
        except MismatchError as error:
            try:
                return converted(value, kind)  # `_missing_` may know the value
            except MismatchError:
                raise error from None

    return read


def _typed(value: object) -> tuple[type, object]:
    return type(value), value


def array(item: Shape, build: Callable[[list[object]], object]) -> Shape:
    def read(value: JSON) -> object:
        if not isinstance(value, list):
            raise mismatch("an array", value)
        items = [_within(index, item, part) for index, part in enumerate(value)]
        try:
            return build(items)
        except TypeError:
            raise mismatch("an array of hashable values", value) from None

    return read


def fixed_array(items: Sequence[Shape]) -> Shape:
    def read(value: JSON) -> tuple[object, ...]:
        if not isinstance(value, list) or len(value) != len(items):
            raise mismatch(f"an array of {len(items)}", value)
        parts = zip(items, value, strict=True)
        return tuple(_within(index, item, part) for index, (item, part) in enumerate(parts))

    return read


def mapping(key: object, member: Shape) -> Shape:
    """Read an object into a dict, its names by msgspec."""
    names: Shape = anything if key is str else lambda name: _name(key, name)

    def read(value: JSON) -> dict[object, object]:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        return {
            _within(name, names, name): _within(name, member, part) for name, part in value.items()
        }

    return read


def _name(key: object, name: JSON) -> object:
    document = converted({str(name): None}, GenericAlias(dict, (key, None)))
    return next(iter(cast("dict[object, None]", document)))  # the type just given


def record(members: Collection[Member], build: Callable[..., object]) -> Shape:
    def read(value: JSON) -> object:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        arguments = {}
        for name, argument, shape, required in members:
            if name in value:
                arguments[argument] = _within(name, shape, value[name])
            elif required:
                raise MismatchError(f"expected a member {name!r}, found none")
        try:
            return build(**arguments)
        except Exception as error:  # noqa: BLE001  # a model's own checks may raise anything
            # Its text may hold the data, so only its class is shown.
            kind = type(error).__name__
            raise MismatchError(f"expected a valid {build.__name__}, got a {kind}") from None

    return read


def converting(model: object) -> Shape:
    return lambda value: converted(value, model)


def converted_or(model: object, shape: Shape) -> Shape:
    """Read a type by msgspec, or by a shape if msgspec refuses the value."""

    def read(value: JSON) -> object:
        try:
            return converted(value, model)
        except MismatchError:
            return shape(value)

    return read


def struct(model: object, locator: Callable[[], Shape]) -> Shape:
    """Read a Struct by msgspec; if that fails, look for the place in its members."""

    def read(value: JSON) -> object:
        try:
            return converted(value, model)
        except MismatchError:
            locator()(value)
            raise

    return read


def tagged(name: str | None, tag: JSON, shape: Shape) -> Shape:
    """Refuse an object with the tag of another type."""

    def read(value: JSON) -> object:
        if isinstance(value, dict) and name is not None and value.get(name, tag) != tag:
            raise MismatchError(REFUSED)
        return shape(value)

    return read


def optional(shape: Shape) -> Shape:
    return lambda value: None if value is None else shape(value)


def constrained(shape: Shape, kind: object, metas: Sequence[object]) -> Shape:
    """Read a value that also satisfies constraints of msgspec."""
    annotated: Any = Annotated  # at run time, for a type that no checker knows
    model = annotated[(kind, *metas)]

    def read(value: JSON) -> object:
        converted(value, model)
        return shape(value)

    return read


def union(shapes: Sequence[Shape], names: str) -> Shape:
    """Read the first type that fits; the place is inside a type if only one of them goes deeper."""

    def read(value: JSON) -> object:
        inner = []
        for shape in shapes:
            try:
                return shape(value)
            except MismatchError as error:
                inner += [error] if error.steps else []
        raise inner[0] if len(inner) == 1 else mismatch(names, value)

    return read


def _within(step: PathSegment, shape: Shape, value: JSON) -> object:
    try:
        return shape(value)
    except MismatchError as error:
        error.steps.append(step)
        raise
