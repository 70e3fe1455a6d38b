"""Adapters for msgspec and pydantic, which are imported when a type is first decoded.

Of their errors only the place and the kind are used: their messages may quote the data.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from railhttp.model.response import JSON
from railhttp.railway.mismatch import MismatchError, PathSegment

if TYPE_CHECKING:
    from msgspec.structs import StructConfig

REFUSED = "expected a value that the model accepts"


def parts_of(model: object) -> Iterator[object]:
    """Iterate over a type, the origin of a generic one, and its arguments."""
    yield model
    yield get_origin(model)
    for argument in get_args(model):
        yield from parts_of(argument)


def is_pydantic(kind: object) -> bool:
    """Whether a class is a model or a dataclass of pydantic."""
    return hasattr(kind, "__pydantic_validator__")


def is_struct(kind: object) -> bool:
    """Whether a class is a `msgspec.Struct`."""
    return hasattr(kind, "__struct_fields__")


def bytes_decoder(model: object) -> Callable[[bytes], object] | None:
    """Return msgspec's decoder for a type; None if msgspec does not support it."""
    import msgspec  # noqa: PLC0415  # only programs that decode types need it

    try:
        return msgspec.json.Decoder(model, dec_hook=_read_custom).decode
    except Exception:  # noqa: BLE001  # besides TypeError, it lets KeyError through
        return None


def converted(value: JSON, model: object) -> object:
    """Convert a JSON value by msgspec.

    Raises:
        MismatchError: msgspec or the model refuses the value.
    """
    import msgspec  # noqa: PLC0415  # as above

    try:
        return msgspec.convert(value, cast("Any", model), str_keys=True, dec_hook=_read_custom)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001  # a model's own checks may raise anything
        raise MismatchError(REFUSED) from None


def struct_members(model: object) -> "tuple[StructConfig, list[tuple[str, object, bool]]]":
    """Return the configuration of a Struct and its members: name in JSON, type, is required."""
    from msgspec.structs import fields  # noqa: PLC0415  # as above

    config: StructConfig = getattr(get_origin(model) or model, "__struct_config__")  # noqa: B009  # not in `type`
    members = fields(cast("Any", model))
    return config, [(field.encode_name, field.type, field.required) for field in members]


def is_constraint(metadata: object) -> bool:
    """Whether a part of an `Annotated` is a `msgspec.Meta`."""
    return type(metadata).__module__.startswith("msgspec")


def pydantic_decoder(model: object) -> Callable[[bytes | str], object]:
    """Make a decoder of JSON by pydantic's rules; it raises what the model raises."""
    from pydantic import TypeAdapter  # noqa: PLC0415  # an extra

    return TypeAdapter[object](cast("Any", model)).validate_json  # it refuses other objects


def pydantic_reader(decoder: Callable[[bytes | str], object]) -> Callable[[JSON], object]:
    """Make a reader of a JSON value by pydantic's rules, with errors in our words."""

    def read(value: JSON) -> object:
        try:
            return decoder(json.dumps(value))
        except RecursionError:
            raise
        except Exception as error:  # noqa: BLE001  # a model's own checks may raise anything
            raise _explained(error, value) from None

    return read


def _explained(error: Exception, document: JSON) -> MismatchError:
    from pydantic import ValidationError  # noqa: PLC0415  # an extra
    from pydantic_core.core_schema import ErrorType  # noqa: PLC0415  # an extra

    if not isinstance(error, ValidationError):
        return MismatchError(REFUSED)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind, location = first["type"], first["loc"]
    place, steps = _existing(document, location)
    if kind == "missing" and isinstance(place, dict) and location[-1] not in place:
        return MismatchError(f"expected a member {location[-1]!r}, found none", steps)
    # A model may raise custom kinds, which could hold data.
    known = kind in get_args(ErrorType)
    return MismatchError(f"{REFUSED} (pydantic: {kind})" if known else REFUSED, steps)


def _existing(document: JSON, location: Sequence[PathSegment]) -> tuple[JSON, list[PathSegment]]:
    """Follow a location; between its steps stand names of a union's members."""
    steps: list[PathSegment] = []
    for step in location:
        match document, step:
            case dict(), str() if step in document:
                document = document[step]
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                continue
        steps.insert(0, step)
    return document, steps


def _read_custom(kind: type, value: JSON) -> object:
    """Read a class that msgspec does not know, inside of one that it does."""
    if is_pydantic(kind):
        return pydantic_decoder(kind)(json.dumps(value))
    raise NotImplementedError
