"""The header fields of a request in the order in which they are sent."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from multidict import CIMultiDict

from railhttp.model.memo import Memo
from railhttp.model.validation import TOKEN

_LOOKED_AT: Final = frozenset({"content-length", "content-type", "host", "transfer-encoding"})


class FieldLines(NamedTuple):
    """Header fields, line by line (RFC 9110, section 5.2).

    Few requests need their fields by name, so a multi-dict is built when it is read
    (benchmarks/README.md).

    Attributes:
        names: The name of each line, in the caller's spelling.
        values: Their values, without blanks around them.

    Example:
        >>> lines = FieldLines.of(CIMultiDict([("Accept", "a/b"), ("accept", "c/d")]))
        >>> lines
        FieldLines(names=('Accept', 'accept'), values=('a/b', 'c/d'))
    """

    names: tuple[str, ...]
    values: tuple[str, ...]

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """Return the lines of fields that are known to be valid."""
        names = tuple(fields)
        if len(names) != len(fields):  # iteration leaves repeated names out
            names = tuple(name for name, _ in fields.items())
        return cls(names, tuple(fields.values()))

    @property
    def fields(self) -> CIMultiDict[str]:
        """The fields by their names, in any case."""
        return CIMultiDict(zip(*self, strict=True))

    def without(self, dropped: frozenset[str]) -> "FieldLines":
        """Return the other lines than those of some names, in lower case."""
        lines = zip(*self, strict=True)
        return FieldLines.of(CIMultiDict(line for line in lines if line[0].lower() not in dropped))


def _are_plain(names: tuple[str, ...]) -> bool:
    folded = {name.lower() for name in names if TOKEN.fullmatch(name)}
    return len(folded) == len(names) and folded.isdisjoint(_LOOKED_AT)


NO_LINES: Final = FieldLines((), ())
_ARE_PLAIN: Final = Memo(_are_plain, size=1024)  # programs use few sets of names


def plain_lines(given: dict[str, str] | None, defaults: FieldLines | None) -> FieldLines | None:
    """Return the lines of fields that need no further look, as those of almost all calls.

    Their names are tokens that differ, and none frames or describes a body. Their values are
    printable text.

    Args:
        given: The fields of a call, not validated.
        defaults: Valid fields that come before them.

    Returns:
        The lines, or None if other fields are among them: see `require_headers`.

    Example:
        >>> plain_lines({"X-Page": " 2"}, FieldLines(("Accept",), ("a/b",)))
        FieldLines(names=('Accept', 'X-Page'), values=('a/b', '2'))
        >>> plain_lines({"accept": "c/d"}, FieldLines(("Accept",), ("a/b",)))
    """
    if given is None:
        return defaults if defaults is not None and _ARE_PLAIN[defaults.names] else None
    names, texts = tuple(given), []
    for name, value in given.items():
        # An enum that is a str equals its text, and is something else.
        if not (type(name) is type(value) is str and value.isprintable()):
            return None
        texts.append(value.strip(" "))
    values = tuple(texts)
    if defaults is not None:
        names, values = defaults.names + names, defaults.values + values
    if not _ARE_PLAIN[names]:
        return None
    # Half as dear as `FieldLines(names, values)`.
    return tuple.__new__(FieldLines, (names, values))
