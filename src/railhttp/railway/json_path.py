"""Places inside a JSON document, written as `$.items[3].id` (RFC 9535)."""

import json
import re
from collections.abc import Iterable
from typing import Final

PathSegment = str | int
"""One step down: the name of a member, or an index counted from 0."""

_SHORTHAND: Final = re.compile(r"[^\W\d]\w*")


def json_path(steps: Iterable[PathSegment]) -> str:
    r"""Write the way from a document's root to a place in it.

    Args:
        steps: Names of members and indices, the outermost first.

    Returns:
        A JSONPath; names that are no plain words stand in brackets, escaped.

    Example:
        >>> json_path(["items", 3, "id"]), json_path([]), json_path(["a b", "\n"])
        ('$.items[3].id', '$', '$["a b"]["\\n"]')
    """
    return "$" + "".join(map(_segment, steps))


def _segment(step: PathSegment) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _SHORTHAND.fullmatch(step) else f"[{json.dumps(step)}]"
