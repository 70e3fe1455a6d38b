"""Schedules: the calls of a program that fail, and their faults."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from railhttp.model.errors import HTTPValidationError
from railhttp.testing.explore.fault import Fault

_CALL: Final = re.compile(r"(?P<target>[!#$%&'*+.^_`|~0-9A-Za-z-]+ /\S*?)(?: ?#(?P<number>\d+))?")
_PAUSE: Final = re.compile(r";\s+")
_NO_FAULT: Final = "no fault"


def call_key(method: str, path: str, number: int) -> str:
    """Return the name of a call in schedules.

    Args:
        method: Its method.
        path: Its path, percent-encoded, without the query.
        number: The number among the calls of that method and path, counted from 1.

    Example:
        >>> call_key("GET", "/users/1", 1), call_key("GET", "/users/1", 2)
        ('GET /users/1', 'GET /users/1 #2')
    """
    return f"{method} {path}" if number == 1 else f"{method} {path} #{number}"


class Schedule(Mapping[str, Fault]):
    """A frozen mapping from the calls of a program to their faults, with a text to paste.

    The name of a call is its method and path, followed by ` #2` for the second call of that name.
    Concurrent calls are numbered in the order in which they reach the transport.

    Args:
        faults: The fault of each call, by the call's name.

    Raises:
        HTTPValidationError: A key is not the name of a call.

    Example:
        >>> schedule = Schedule({"POST /payments/o": Fault("disconnected", acted=True)})
        >>> str(schedule)
        'POST /payments/o: disconnected, acted'
        >>> Schedule.parse(str(schedule)) == schedule
        True
    """

    __slots__ = ("_faults", "_hash")

    def __init__(self, faults: Mapping[str, Fault] | None = None) -> None:
        self._faults: Final = {_canonical(call): fault for call, fault in (faults or {}).items()}
        self._hash: Final = hash(frozenset(self._faults.items()))

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read a schedule from its text; `parse` and `str` are inverse.

        Args:
            text: `call: fault`, several of them separated by `; `, or `no fault`.

        Raises:
            HTTPValidationError: The text is not a schedule. It is a `ValueError`.

        Example:
            >>> len(Schedule.parse("PUT /stock: dns; GET /users #2: 503, once"))
            2
            >>> Schedule.parse("GET /users")
            Traceback (most recent call last):
            railhttp.model.errors.HTTPValidationError: schedule: expected 'METHOD /path: fault', got
            'GET /users'
        """
        if text.strip() == _NO_FAULT:
            return cls()
        faults: dict[str, Fault] = {}
        for part in _PAUSE.split(text.strip()):  # a path can have semicolons, but not spaces
            call, colon, fault = part.rpartition(": ")
            if not colon:
                message = f"expected 'METHOD /path: fault', got {part!r}"
                raise HTTPValidationError(message, field="schedule")
            key = _canonical(call)
            if key in faults:
                raise HTTPValidationError(f"{key} appears twice", field="schedule")
            faults[key] = Fault.parse(fault.strip())
        return cls(faults)

    def with_fault(self, call: str, fault: Fault) -> "Schedule":
        """Return the schedule with one more fault.

        Args:
            call: The name of the call.
            fault: The fault.
        """
        return Schedule({**self._faults, call: fault})

    def parts(self) -> Iterator["Schedule"]:
        """Return all schedules with some of the faults, but not all of them.

        Example:
            >>> [str(part) for part in Schedule.parse("GET /a: dns; GET /b: tls").parts()]
            ['no fault', 'GET /a: dns', 'GET /b: tls']
        """
        for size in range(len(self)):
            yield from (Schedule(dict(part)) for part in combinations(self.items(), size))

    def __getitem__(self, call: str) -> Fault:
        return self._faults[call]

    def __iter__(self) -> Iterator[str]:
        return iter(self._faults)

    def __len__(self) -> int:
        return len(self._faults)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return "; ".join(f"{call}: {fault}" for call, fault in self.items()) or _NO_FAULT

    def __repr__(self) -> str:
        return f"<Schedule {self}>"


def _canonical(call: str) -> str:
    found = _CALL.fullmatch(call)
    if found is None:
        raise HTTPValidationError(f"expected 'METHOD /path', got {call!r}", field="call")
    method, _, path = found["target"].partition(" ")
    number = int(found["number"] or 1)
    if not number:
        raise HTTPValidationError(f"calls are counted from 1, got {call!r}", field="call")
    return call_key(method.upper(), path, number)
