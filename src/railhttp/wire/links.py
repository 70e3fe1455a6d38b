"""The links of a response (RFC 8288)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TARGET: Final = re.compile(r"[ \t,]*<([^>]*)>[ \t]*")
_PARAMETER: Final = re.compile(
    rf';[ \t]*(?:({_NAME})[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^"; ,\t]*)))?)?[ \t]*'
)


class Link(NamedTuple):
    """A link of a response.

    Attributes:
        target: The URL as the server wrote it, absolute or relative.
        parameters: The parameters, with names in lower case; of a repeated one the first.
    """

    target: str
    parameters: Mapping[str, str]

    @property
    def relations(self) -> frozenset[str]:
        """The relation types in lower case."""
        return frozenset(self.parameters.get("rel", "").lower().split(" ")) - {""}


def links(fields: Iterable[str]) -> Iterator[Link]:
    """Yield the links of `Link` fields; a malformed link ends its field.

    Example:
        >>> [one.target for one in links(['</?page=2>; rel="next last", </>; rel=first'])]
        ['/?page=2', '/']
    """
    for field in fields:
        position = 0
        while target := _TARGET.match(field, position):
            position = target.end()
            parameters: dict[str, str] = {}
            while found := _PARAMETER.match(field, position):
                name, quoted, plain = found.groups()
                if name:
                    value = plain or "" if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                    parameters.setdefault(name.lower(), value)
                position = found.end()
            yield Link(target[1], parameters)


def next_target(fields: Iterable[str]) -> str | None:
    """Return the target of the first link to the next page, if any.

    A link with an `anchor` belongs to another resource and is skipped.

    Example:
        >>> next_target(['</b>; rel=next; anchor="/other"', '<?page=2>; rel="NEXT"'])
        '?page=2'
    """
    for link in links(fields):
        if "next" in link.relations and not link.parameters.get("anchor"):
            return link.target
    return None
