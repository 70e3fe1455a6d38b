"""The path of an endpoint: `/users/{user_id}` (RFC 6570, level 1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from railhttp.model.spelling import spelled_path

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_DOTS: Final = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a path between two slashes.

    Attributes:
        texts: The fixed texts around the names, percent-encoded; one more than there are names.
        names: The names of the fields in the segment.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether one field is all of the segment."""
        return self.texts == ("", "")


class SegmentError(ValueError):
    """A value cannot be a segment of a path.

    Attributes:
        name: The field.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name: Final = name


class PathTemplate:
    """A path with named fields, each of which fills one segment or a part of one.

    Args:
        text: The template.

    Raises:
        TypeError: The template is not a path, or a field in it is malformed.

    Example:
        >>> template = PathTemplate("/users/{name}/avatar")
        >>> template.fill({"name": "a/b"})
        '/users/a%2Fb/avatar'
        >>> template.match("/v1/users/a%2Fb/avatar")
        {'name': 'a/b'}
    """

    def __init__(self, text: str) -> None:
        if not text.startswith("/"):
            raise TypeError("path: must begin with a slash")
        if "?" in text or "#" in text:
            raise TypeError("path: declare query parameters as fields, not in the path")
        self.text: Final = text
        self.segments: Final = tuple(_segment(part) for part in text.split("/")[1:])
        names = [name for segment in self.segments for name in segment.names]
        for name in names:
            if names.count(name) > 1:
                raise TypeError(f"{name}: the path names it twice")
        self.names: Final = tuple(names)
        self._pattern = re.compile("(?:/.*)?" + "".join(map(_pattern, self.segments)))

    def fill(self, texts: Mapping[str, str]) -> str:
        """Put texts into the path, each percent-encoded as part of one segment (RFC 3986, 3.3).

        Args:
            texts: A text for each name.

        Raises:
            SegmentError: A text is empty, would make a segment `.` or `..`, which servers and
                clients remove (RFC 3986, section 6.2.2.3), or has a surrogate.
        """
        return "".join([f"/{fill_segment(segment, texts)}" for segment in self.segments])

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Read the texts back from a path, which may have a base path before it.

        Args:
            raw_path: The path of a request, percent-encoded.

        Returns:
            The decoded texts by name; None if the path is another one.
        """
        found = self._pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {name: unquote(text) for name, text in zip(self.names, found.groups(), strict=True)}

    @property
    def specificity(self) -> tuple[int, tuple[bool, ...]]:
        """Sort key: longer paths come first, and fixed segments before fields."""
        return -len(self.segments), tuple(bool(segment.names) for segment in self.segments)


def _segment(part: str) -> Segment:
    texts = _FIELD.split(part)
    names = tuple(texts[1::2])
    if any("{" in text or "}" in text for text in texts[::2]):
        raise TypeError("path: has a brace without its partner")
    for name in names:
        if not name.isidentifier():
            raise TypeError(f"path: {{{name}}} must be the name of a field")
    if any(not text for text in texts[2:-1:2]):
        raise TypeError("path: two fields need text between them")
    if not names and part in {".", ".."}:
        raise TypeError("path: must not have the segments . and ..")
    return Segment(tuple(map(spelled_path, texts[::2])), names)


def fill_segment(segment: Segment, texts: Mapping[str, str]) -> str:
    """Put texts into one segment; see `PathTemplate.fill`."""
    if not segment.names:
        return segment.texts[0]
    filled = [segment.texts[0]]
    for name, after in zip(segment.names, segment.texts[1:], strict=True):
        if not (text := texts[name]):
            raise SegmentError(name, "must not be empty: it is a segment of the path")
        try:
            filled += (quote(text, safe=""), after)
        except UnicodeEncodeError:
            raise SegmentError(name, "must not contain a lone surrogate") from None
    whole = "".join(filled)
    if whole in _DOTS:
        raise SegmentError(segment.names[-1], "must not be . or ..: they change the path")
    return whole


def _pattern(segment: Segment) -> str:
    texts = [re.escape(text) for text in segment.texts]
    return "/" + "([^/]+?)".join(texts)
