"""One way in which one call can fail, and sets of them."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from railhttp.model.errors import HTTPValidationError
from railhttp.model.stage import Stage
from railhttp.testing.explore.catalogue import KINDS, Kind, status_kind

_TEXT: Final = re.compile(r"(?P<name>.*?)(?P<acted>, acted)?(?P<once>, once)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which one call can fail.

    The catalogue is closed: unknown names are refused, and so are combinations that cannot happen,
    such as a refused connection to a server that acted.

    Args:
        name: A kind (`dns`, `disconnected`), a phase (`timeout read`), a status (`503`) or a
            spoilt body (`html`).
        acted: Whether the server carried out the request.
        once: Whether only the first attempt of the call fails; otherwise every attempt does.

    Raises:
        HTTPValidationError: The catalogue does not have this fault.

    Example:
        >>> print(Fault("disconnected", acted=True), Fault("503", once=True), sep=" | ")
        disconnected, acted | 503, once
        >>> Fault("connect", acted=True)
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: fault: 'connect' cannot happen to a server that
        acted
    """

    name: str
    acted: bool = False
    once: bool = False

    def __post_init__(self) -> None:
        stages = self.kind.stages
        if stages[self.acted] is None:
            how = "cannot happen to" if self.acted else "happens only to"
            raise HTTPValidationError(f"{self.name!r} {how} a server that acted", field="fault")

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read the text of a fault, as `str` writes it.

        `acted` may be left out if the fault happens only to a server that acted.

        Raises:
            HTTPValidationError: The catalogue does not have this fault.

        Example:
            >>> Fault.parse("timeout read, acted, once")
            Fault(name='timeout read', acted=True, once=True)
        """
        found = _TEXT.fullmatch(text)
        name = found["name"] if found else text
        acted = bool(found and found["acted"]) or _kind(name).stages[False] is None
        return cls(name, acted, bool(found and found["once"]))

    @property
    def kind(self) -> Kind:
        """The catalogue entry of the fault."""
        return _kind(self.name)

    @property
    def stage(self) -> Stage:
        """The stage that the attempt reaches."""
        return cast("Stage", self.kind.stages[self.acted])  # checked when the fault was made

    def __str__(self) -> str:
        return self.name + ", acted" * self.acted + ", once" * self.once


def _kind(name: str) -> Kind:
    kind = KINDS.get(name) or status_kind(name)
    if kind is None:
        known = ", ".join(KINDS)
        message = f"there is no {name!r}; there are {known}, and statuses from 200 to 599"
        raise HTTPValidationError(message, field="fault")
    return kind


class Faults(Collection[Fault]):
    """An ordered set of faults; `|` and `-` combine sets.

    Args:
        members: The faults; duplicates are dropped.

    Example:
        >>> print(Faults([Fault("dns")]) | Faults([Fault("503"), Fault("dns")]))
        dns; 503
    """

    __slots__ = ("_members",)

    def __init__(self, members: Iterable[Fault] = ()) -> None:
        self._members: Final = dict.fromkeys(members)

    def __contains__(self, fault: object) -> bool:
        return fault in self._members

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __or__(self, others: Iterable[Fault]) -> "Faults":
        return Faults([*self, *others])

    def __sub__(self, others: Iterable[Fault]) -> "Faults":
        gone = frozenset(others)
        return Faults(fault for fault in self if fault not in gone)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Faults) and self._members.keys() == other._members.keys()

    def __hash__(self) -> int:
        return hash(frozenset(self._members))

    def once(self) -> "Faults":
        """The same faults, each at the first attempt only.

        Example:
            >>> print(Faults([Fault("dns"), Fault("503")]).once())
            dns, once; 503, once
        """
        return Faults(replace(fault, once=True) for fault in self)

    def __str__(self) -> str:
        return "; ".join(map(str, self))

    def __repr__(self) -> str:
        return f"<Faults {self}>"
