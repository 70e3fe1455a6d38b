"""Values without parts: how plain types are read from JSON."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

from railhttp.model.response import JSON
from railhttp.railway.json_path import PathSegment

Shape = Callable[[JSON], object]
"""Makes a Python value of a JSON one, or raises `MismatchError`."""


class MismatchError(ValueError):
    """A JSON value does not have the shape that was asked for.

    Attributes:
        expected: What was asked for, in words.
        steps: The way to the value, the innermost step first.
    """

    def __init__(self, expected: str, steps: Iterable[PathSegment] = ()) -> None:
        super().__init__(expected)
        self.expected: Final = expected
        self.steps: Final = list(steps)


def mismatch(expected: str, value: JSON) -> MismatchError:
    """Build the refusal of a value; it names the value's kind, never the value.

    Example:
        >>> mismatch("an integer", "secret").expected
        'expected an integer, found a string'
    """
    return MismatchError(f"expected {expected}, found {_kind(value)}")


def _kind(value: JSON) -> str:
    return next(name for kind, name in _KINDS if isinstance(value, kind))


_KINDS: Final = (
    (bool, "a boolean"),
    (str, "a string"),
    (int | float, "a number"),
    (list, "an array"),
    (dict, "an object"),
    (object, "null"),
)


def read_anything(value: JSON) -> JSON:
    """Take any value as it is."""
    return value


def _read_none(value: JSON) -> None:
    if value is not None:
        raise mismatch("null", value)


def _read_bool(value: JSON) -> bool:
    if isinstance(value, bool):
        return value
    raise mismatch("a boolean", value)


def _read_int(value: JSON) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise mismatch("an integer", value)


def _read_float(value: JSON) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
        raise mismatch("a number that a float can hold", value)
    raise mismatch("a number", value)


def _read_str(value: JSON) -> str:
    if isinstance(value, str):
        return value
    raise mismatch("a string", value)


def _parsed(parse: Callable[[str], object], expected: str) -> Shape:
    def read(value: JSON) -> object:
        try:
            return parse(_read_str(value))
        except (ValueError, ArithmeticError):
            raise mismatch(expected, value) from None

    return read


def _finite_decimal(text: str) -> Decimal:
    number = Decimal(text)
    if number.is_finite():
        return number
    raise ValueError("not finite")


SCALARS: Final[Mapping[object, Shape]] = {
    object: read_anything,
    None: _read_none,
    type(None): _read_none,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    str: _read_str,
    datetime: _parsed(datetime.fromisoformat, "a date and time as text (ISO 8601)"),
    date: _parsed(date.fromisoformat, "a date as text (ISO 8601)"),
    time: _parsed(time.fromisoformat, "a time as text (ISO 8601)"),
    Decimal: _parsed(_finite_decimal, "a decimal number as text"),
    UUID: _parsed(UUID, "a UUID as text"),
}
"""The plain types that need no package."""


def one_of(choices: Iterable[object], expected: str) -> Shape:
    """Read one of some values; an enum's members are found by their values.

    Types count: `True` is not 1.

    Example:
        >>> one_of([1, "a"], "1 or a")("a")
        'a'
    """
    table = {_exact(getattr(choice, "value", choice)): choice for choice in choices}

    def read(value: JSON) -> object:
        if not isinstance(value, list | dict) and (key := _exact(value)) in table:
            return table[key]
        raise mismatch(expected, value)

    return read


def _exact(value: object) -> tuple[type, object]:
    return type(value), value


def members_of(kind: type[Enum]) -> Shape:
    """Read a member of an enum by its value."""
    return one_of(kind.__members__.values(), f"a value of {kind.__name__}")
