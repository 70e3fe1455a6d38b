"""Why a document does not fit a type, and the place, written as `$.items[3].id` (RFC 9535)."""

import json
import re
from collections.abc import Iterable
from typing import Final

from railhttp.model.response import JSON

PathSegment = str | int
"""The name of a member, or an index counted from 0."""

_SHORTHAND: Final = re.compile(r"[^\W\d]\w*")
_KINDS: Final = (
    (bool, "a boolean"),
    (str, "a string"),
    (int | float, "a number"),
    (list, "an array"),
    (dict, "an object"),
    (object, "null"),
)


class MismatchError(ValueError):
    """A JSON value does not fit its type.

    Attributes:
        expected: The expected value in words, without the data.
        steps: The path to the value, innermost step first.
    """

    def __init__(self, expected: str, steps: Iterable[PathSegment] = ()) -> None:
        super().__init__(expected)
        self.expected: Final = expected
        self.steps: Final = list(steps)

    @property
    def where(self) -> str:
        """The path as a JSONPath."""
        return json_path(reversed(self.steps))


def mismatch(expected: str, value: JSON) -> MismatchError:
    """Build the error for a value from its kind alone.

    Example:
        >>> mismatch("an integer", "secret").expected
        'expected an integer, found a string'
    """
    kind = next(name for kind, name in _KINDS if isinstance(value, kind))
    return MismatchError(f"expected {expected}, found {kind}")


def json_path(steps: Iterable[PathSegment]) -> str:
    r"""Write a path, outermost step first.

    Example:
        >>> json_path(["items", 3, "id"]), json_path([]), json_path(["a b", "\n"])
        ('$.items[3].id', '$', '$["a b"]["\\n"]')
    """
    return "$" + "".join(map(_segment, steps))


def _segment(step: PathSegment) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _SHORTHAND.fullmatch(step) else f"[{json.dumps(step)}]"
