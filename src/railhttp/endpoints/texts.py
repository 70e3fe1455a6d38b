r"""Values in a path, a query or a header field: how each is written as text, and read back.

| type | text |
|---|---|
| `str`, `int`, `float`, `Decimal`, `UUID` | as Python prints them |
| `bool` | `true`, `false` |
| `datetime`, `date`, `time` | ISO 8601 |
| `Enum`, `Literal` | the text of the value |
| `A \| B` | the first type that fits; `str` is tried last |
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from railhttp.model.validation import LARGEST_INT, describe

TextReader: TypeAlias = Callable[[str], object]
"""Reads a value from its text; raises `ValueError` if the text has another form."""


class TextShape(NamedTuple):
    """How a declared type is read from texts.

    Attributes:
        read: Reads one text.
        collect: Makes the value of several texts; None if there can be only one.
        optional: Whether the value may be None, which is written as no text at all.
    """

    read: TextReader
    collect: Callable[[Iterable[object]], object] | None
    optional: bool


def text_of(value: object) -> str:
    """Write a value as text; see the table above.

    Raises:
        ValueError: The value has no form as text.

    Example:
        >>> text_of(True), text_of(7), text_of(date(2026, 1, 2))
        ('true', '7', '2026-01-02')
    """
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, Enum):
        return text_of(value.value)
    for kind in _KINDS:
        if isinstance(value, kind):
            return _WRITERS[kind](value)
    raise ValueError(f"{_ALLOWED}, got {describe(value)}")


def texts_of(value: object) -> list[str]:
    """Write a value that may be a collection: one text for each item, none for None.

    Raises:
        ValueError: A value has no form as text.

    Example:
        >>> texts_of([1, None, 2]), texts_of(None)
        (['1', '2'], [])
    """
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset):
        return [text_of(item) for item in value if item is not None]
    return [text_of(value)]


def text_shape(hint: object) -> TextShape:
    """Compile a declared type.

    Raises:
        TypeError: Values of this type have no form as text.

    Example:
        >>> shape = text_shape(list[int] | None)
        >>> shape.collect(map(shape.read, ["1", "2"])), shape.optional
        ([1, 2], True)
    """
    parts = [part for part in _members(hint) if part is not NoneType]
    optional = len(parts) < len(_members(hint))
    if len(parts) == 1 and (found := _collection(parts[0])) is not None:
        collect, item = found
        return TextShape(_reader(item), collect, optional)
    return TextShape(_first_that_fits(parts), None, optional)


def _members(hint: object) -> list[object]:
    hint = _bare(hint)
    if get_origin(hint) in {Union, UnionType}:
        return [part for arg in get_args(hint) for part in _members(arg)]
    return [NoneType if hint is None else hint]


def _bare(hint: object) -> object:
    """Take `Annotated`, `NewType` and `type X = …` off a type."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
            continue
        name = "__supertype__" if hasattr(hint, "__supertype__") else "__value__"
        if isinstance(hint, type) or not hasattr(hint, name):
            return hint
        hint = getattr(hint, name)


def _collection(hint: object) -> tuple[Callable[[Iterable[object]], object], object] | None:
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin is tuple and len(args) == 2 and args[1] is ...:
        return tuple, args[0]
    for kind, collect in _COLLECTIONS:
        if origin is kind:
            return collect, args[0] if args else str
    return None


_COLLECTIONS: Final[tuple[tuple[object, Callable[[Iterable[object]], object]], ...]] = (
    (list, list),
    (Sequence, list),
    (set, set),
    (frozenset, frozenset),
)


def _first_that_fits(hints: Sequence[object]) -> TextReader:
    readers = [_reader(hint) for hint in sorted(hints, key=_rank)]
    if len(readers) == 1:
        return readers[0]

    def read(text: str) -> object:
        for reader in readers:
            try:
                return reader(text)
            except ValueError:
                continue
        raise ValueError("fits none of the types of its field")

    return read


def _rank(hint: object) -> int:
    """Sort a union's types: those with few texts first, `int` before `float`, `str` last."""
    order = (bool, int, float, Decimal, str)
    return order.index(hint) if hint in order else -1


def _reader(hint: object) -> TextReader:
    hint = _bare(hint)
    if get_origin(hint) in {Union, UnionType}:
        return _first_that_fits([part for part in _members(hint) if part is not NoneType])
    if get_origin(hint) is Literal:
        return _choice(get_args(hint))
    if isinstance(hint, type):
        if issubclass(hint, Enum):
            return _choice(hint.__members__.values())
        if hint in _READERS:
            return _READERS[hint]
    raise TypeError(f"{_name(hint)} has no form as text: {_ALLOWED}")


def _name(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _choice(choices: Iterable[object]) -> TextReader:
    table = {text_of(choice): choice for choice in choices}

    def read(text: str) -> object:
        if text not in table:
            raise ValueError(f"must be {' or '.join(map(repr, table))}")
        return table[text]

    return read


def _write_int(value: object) -> str:
    if isinstance(value, int) and abs(value) < LARGEST_INT:
        return int.__repr__(value)
    raise ValueError("must have at most 640 digits")


def _write_float(value: object) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return float.__repr__(value)
    raise ValueError(f"must be finite, got {describe(value)}")


def _write_decimal(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    raise ValueError("must be finite")


def _write_str(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else ""  # the text of a str subclass


def _write_iso(value: object) -> str:
    return value.isoformat() if isinstance(value, date | time) else ""


_WRITERS: Final[Mapping[type, Callable[[object], str]]] = {
    str: _write_str,
    bool: lambda value: "true" if value else "false",
    int: _write_int,
    float: _write_float,
    Decimal: _write_decimal,
    UUID: str,
    datetime: _write_iso,
    date: _write_iso,
    time: _write_iso,
}
_KINDS: Final = (str, int, float, Decimal, UUID, datetime, date, time)
_ALLOWED: Final = "use text, a number, a bool, a date or time, a UUID, an enum or a Literal"
_INTEGER: Final = re.compile(r"-?[0-9]+")


def _read_bool(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _read_int(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("must be an integer")
    return int(text)


def _read_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _read_decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("nan")
    if not value.is_finite():
        raise ValueError("must be a finite number")
    return value


def _parsed(parse: Callable[[str], object], expected: str) -> TextReader:
    def read(text: str) -> object:
        try:
            return parse(text)
        except ValueError:
            raise ValueError(f"must be {expected}") from None  # the cause holds the text

    return read


_READERS: Final[Mapping[type, TextReader]] = {
    str: str,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    Decimal: _read_decimal,
    UUID: _parsed(UUID, "a UUID"),
    datetime: _parsed(datetime.fromisoformat, "a date and time (ISO 8601)"),
    date: _parsed(date.fromisoformat, "a date (ISO 8601)"),
    time: _parsed(time.fromisoformat, "a time (ISO 8601)"),
}
