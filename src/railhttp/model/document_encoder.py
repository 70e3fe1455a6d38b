"""JSON for values that are more than plain data: the counterpart of `railhttp.railway.decode`.

msgspec and pydantic are imported when the first value needs them.
"""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final
from uuid import UUID

from railhttp.model.errors import HTTPValidationError

_SCALARS: Final = frozenset(
    {str, int, bool, type(None), bytes, bytearray, datetime, date, time, timedelta, UUID}
)


def encode(value: object, *, field: str = "value") -> bytes:
    """Encode a value as JSON (RFC 8259), so that `decode` of its type reads an equal value.

    Plain data, dataclasses, attrs classes, named tuples and TypedDicts (as objects), enums (by
    value), sets, `bytes` (base64), `UUID`, `Decimal`, dates, times and durations are encoded by the
    rules of `decode`. Models of pydantic are written by alias, as `model_dump_json(by_alias=True)`
    does, and those of msgspec as `msgspec.json.encode` does, also inside of the others.

    Args:
        field: The name of the caller's argument, for the error.

    Returns:
        Compact JSON in UTF-8.

    Raises:
        HTTPValidationError: The value cannot be written as JSON. The message never shows it.

    Example:
        >>> encode({"id": UUID(int=7), "tags": {"a"}})
        b'{"id":"00000000-0000-0000-0000-000000000007","tags":["a"]}'
    """
    import msgspec  # noqa: PLC0415  # only programs that send such values need it

    try:
        return msgspec.json.encode(_plain(value), enc_hook=_plain)
    except HTTPValidationError as error:
        reason = error.message
    except RecursionError:
        reason = "is nested too deeply or contains itself"
    except UnicodeEncodeError:
        reason = "contains a lone surrogate"
    except Exception as error:  # noqa: BLE001  # a model's own code may raise anything
        # Its text may hold the data, so only its class is shown.
        reason = f"cannot be written as JSON, got a {type(error).__name__}"
    raise HTTPValidationError(reason, field=field)


def _plain(value: object) -> object:
    """Return a value as what msgspec writes in the way that `decode` reads."""
    kind = type(value)
    return value if kind in _SCALARS else _writer(kind)(value)  # type: ignore[arg-type]  # a class has a hash


@lru_cache(maxsize=1024)
def _writer(kind: type) -> Callable[..., object]:
    if hasattr(kind, "__pydantic_serializer__"):
        return _pydantic_writer(kind)
    if hasattr(kind, "__struct_fields__"):
        return lambda value: value
    names = None if issubclass(kind, Enum) else _field_names(kind)
    if names is not None:
        return lambda value: {name: _plain(getattr(value, name)) for name in names}
    for base, writer in _WRITERS.items():
        if issubclass(kind, base):
            return writer
    raise _unwritable("value", kind)


def _field_names(kind: type) -> Sequence[str] | None:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if issubclass(kind, tuple):
        return getattr(kind, "_fields", None)
    attributes = getattr(kind, "__attrs_attrs__", None)
    return None if attributes is None else [attribute.name for attribute in attributes]


def _pydantic_writer(kind: type) -> Callable[..., object]:
    from msgspec import Raw  # noqa: PLC0415  # as above
    from pydantic import TypeAdapter  # noqa: PLC0415  # an extra

    adapter = TypeAdapter[object](kind)
    return lambda value: Raw(adapter.dump_json(value, by_alias=True))


def _finite(value: float | Decimal) -> object:
    if math.isfinite(value):
        return str(value) if isinstance(value, Decimal) else float(value)
    raise HTTPValidationError("contains a number that is not finite")


def _object(value: Mapping[object, object]) -> dict[object, object]:
    return {_name(name): _plain(item) for name, item in value.items()}


def _name(name: object) -> object:
    plain = name if type(name) is str else _plain(name)
    if isinstance(plain, bool) or not isinstance(plain, _NAMES):
        raise _unwritable("name", type(name))
    return plain


def _unwritable(role: str, kind: type) -> HTTPValidationError:
    message = f"cannot be written as JSON: it holds a {role} of type {kind.__name__}"
    return HTTPValidationError(message)


_NAMES: Final = (str, int, float, bytes, datetime, date, time, timedelta, UUID)
_WRITERS: Final[Mapping[type, Callable[..., object]]] = {
    Enum: lambda value: _plain(value.value),
    str: str.__str__,
    int: int.__int__,
    float: _finite,
    Decimal: _finite,
    UUID: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    bytes: bytes,
    memoryview: bytes,
    Mapping: _object,
    Collection: lambda value: [_plain(item) for item in value],
}
