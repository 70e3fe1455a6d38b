"""Models of pydantic and msgspec: read by their own packages, refused in our words.

Neither package is imported before a model of it is decoded.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast, get_args, get_origin

from typing_extensions import TypeForm

from railhttp.model.response import JSON
from railhttp.railway.json_path import PathSegment
from railhttp.railway.scalars import MismatchError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_REFUSED: Final = "expected a value that the model accepts"


@dataclass(frozen=True, slots=True)
class Package:
    """How a package reads one model.

    Attributes:
        parse: Reads a JSON text in UTF-8; raises whatever the package raises.
        explain: Says of what it raised where and why, given the document, without the data.
    """

    parse: Callable[[bytes], object]
    explain: Callable[[Exception, JSON], MismatchError]


def package_for(model: TypeForm[object]) -> Package | None:
    """Find the package that a model, or a part of a generic type such as `list[Model]`, is from.

    Returns:
        None where the model needs no package.

    Raises:
        ImportError: The package is not installed.

    Example:
        >>> package_for(list[int]) is None
        True
    """
    for part in _parts(model):
        if hasattr(part, "__pydantic_validator__"):
            return _pydantic(model)
        if hasattr(part, "__struct_fields__"):
            return _msgspec(model)
    return None


def _parts(model: object) -> Iterator[object]:
    yield model
    yield get_origin(model)  # a generic model is not what it is an alias of
    for argument in get_args(model):
        yield from _parts(argument)


def _pydantic(model: TypeForm[object]) -> Package:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  # an extra

    def explain(error: Exception, document: JSON) -> MismatchError:
        if not isinstance(error, ValidationError):
            return MismatchError(_REFUSED)
        first = error.errors(include_url=False, include_input=False)[0]
        steps = _existing(document, first["loc"])
        return MismatchError(_told(first), steps)

    adapter = TypeAdapter[object](model)
    return Package(adapter.validate_json, explain)


def _told(error: "ErrorDetails") -> str:
    """Say what pydantic says, unless it may quote the data."""
    kind, context = error["type"], error.get("ctx")
    text = _without_cause(kind, error["msg"])
    own = text in _IN_JSON or text == _without_cause(kind, _own_text(kind, context))
    if kind in _OF_THE_MODEL or not own:
        return _REFUSED
    if kind == "missing":
        return f"expected a member {error['loc'][-1]!r}, found none"
    quotes = not kind.endswith(_PARSING) and not _QUOTING.isdisjoint(context or ())
    return _REFUSED if quotes else _lowered(text)


def _without_cause(kind: str, message: str) -> str:
    return message.partition(", ")[0] if kind.endswith(_PARSING) else message


def _own_text(kind: str, context: dict[str, Any] | None) -> str:
    """Give the text that pydantic has for a kind; a model may use the kind for texts of its own."""
    from pydantic_core import PydanticKnownError  # noqa: PLC0415  # an extra

    try:
        return PydanticKnownError(cast("Any", kind), context).message()  # one of 100 literals
    except (KeyError, TypeError):
        return ""


_PARSING: Final = "_parsing"
"""How kinds end that tell the cause behind a comma, often with the data."""

_IN_JSON: Final = frozenset(
    {
        "Input should be null",
        "Input should be a valid array",
        "Input should be an object",
        "Input should be an array or an object",
        "Input should be a valid duration",
    }
)
"""Texts that are others for Python's values, and which pydantic gives for those alone."""

_OF_THE_MODEL: Final = frozenset({"value_error", "assertion_error"})
"""Kinds of what the model's own code says."""

_QUOTING: Final = frozenset({"error", "encoding_error", "tag", "tz_actual"})
"""What a message of pydantic quotes of the document."""


def _existing(document: JSON, location: Sequence[PathSegment]) -> list[PathSegment]:
    """Walk as far as the document goes; between the steps stand names of a union's members."""
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
    return steps


def _msgspec(model: object) -> Package:
    from msgspec import ValidationError, json  # noqa: PLC0415  # an extra

    def explain(error: Exception, document: JSON) -> MismatchError:
        # What has a cause was raised by the model's own code, and may hold the data.
        if not isinstance(error, ValidationError) or error.__cause__ is not None:
            return MismatchError(_REFUSED)
        text, _, path = str(error).partition(" - at `")
        telling = _WITHOUT_DATA.match(text)
        return MismatchError(
            _lowered(telling[0]) if telling else _REFUSED,
            _named(document, path.removeprefix("$")),
        )

    return Package(json.Decoder(model).decode, explain)


_WITHOUT_DATA: Final = re.compile(
    r"(Invalid enum value|Invalid value|Object contains unknown field)"
    r"|(Expected|Object missing|Invalid|Integer|Number|Timestamp) .*"
)
"""The part of a message of msgspec that quotes nothing of the document."""


def _named(document: JSON, path: str) -> list[PathSegment]:
    """Walk along a path of msgspec, which escapes no name and leaves some of them out."""
    steps: list[PathSegment] = []
    while True:
        if isinstance(document, dict):
            names = [name for name in document if path.startswith(f".{name}")]
            if not names:
                return steps
            name = max(names, key=len)
            steps.insert(0, name)
            document, path = document[name], path[len(name) + 1 :]
        elif isinstance(document, list) and (index := _INDEX.match(path)):
            steps.insert(0, int(index[1]))
            document, path = document[int(index[1])], path[index.end() :]
        else:
            return steps


_INDEX: Final = re.compile(r"\[(\d+)\]")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
