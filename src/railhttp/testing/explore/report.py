"""The result of an exploration, as values and as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, NamedTuple

from typing_extensions import TypeVar

from railhttp.testing.explore.declared import failure_of
from railhttp.testing.explore.fault import Fault, Faults
from railhttp.testing.explore.run import Run

T = TypeVar("T")

_MOST_LINES: Final = 100
"""Limit of schedules that an assertion lists for each group."""


class Tally(NamedTuple):
    """The faults of one call and their complaints.

    Attributes:
        call: The call.
        faults: Every fault that was tried at the call, as the last one of a schedule, with the
            first complaint; None if all of these schedules were handled.
    """

    call: str
    faults: dict[Fault, str | None]

    @property
    def unhandled(self) -> tuple[Fault, ...]:
        """The faults with a complaint."""
        return tuple(fault for fault, complaint in self.faults.items() if complaint is not None)


class Group(NamedTuple, Generic[T]):
    """Minimal schedules in which the same calls fail, with the same complaint.

    Attributes:
        complaint: The complaint.
        runs: Their runs, in the order in which they were found.
    """

    complaint: str
    runs: tuple[Run[T], ...]


@dataclass(frozen=True, repr=False)
class Report(Generic[T]):
    """The result of an exploration; `print` shows it as a table.

    Attributes:
        runs: Every run, those with the fewest faults first.
        at_once: The greatest number of faults in one run.
        seconds: The duration.
        faults: The faults to try at each call.
        merged: How many runs were not combined with further faults because an equivalent run
            was, see `explore`.
        unplayed: The routes of the world that no run called.
        declared: The classes of failures that the program declares, or None if they are unknown.
    """

    runs: tuple[Run[T], ...]
    at_once: int
    seconds: float
    faults: Faults
    merged: int = 0
    unplayed: tuple[str, ...] = ()
    declared: tuple[type, ...] | None = None

    @cached_property
    def calls(self) -> tuple[str, ...]:
        """The names of all calls of all runs, for use in schedules."""
        return tuple(dict.fromkeys(call for run in self.runs for call in run.calls))

    @cached_property
    def minimal(self) -> tuple[Run[T], ...]:
        """The runs with a complaint whose schedules have no smaller bad part."""
        bad = [run for run in self.runs if run.complaint]
        known = {run.schedule for run in bad}
        return tuple(run for run in bad if known.isdisjoint(run.schedule.parts()))

    @cached_property
    def groups(self) -> tuple[Group[T], ...]:
        """The minimal runs by the calls that fail and by complaint."""
        groups: dict[tuple[tuple[str, ...], str], list[Run[T]]] = {}
        for run in self.minimal:
            groups.setdefault((tuple(run.schedule), run.complaint or ""), []).append(run)
        return tuple(Group(complaint, tuple(runs)) for (_, complaint), runs in groups.items())

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """The faults that were tried at each call, with their complaints."""
        tallies: dict[str, Tally] = {}
        for run in self.runs:
            if not run.schedule or run.missed:
                continue
            call, fault = list(run.schedule.items())[-1]
            faults = tallies.setdefault(call, Tally(call, {})).faults
            faults[fault] = faults.get(fault) or run.complaint
        return tuple(tallies[call] for call in self.calls if call in tallies)

    @cached_property
    def not_reached(self) -> tuple[str, ...]:
        """Descriptions of the cases that no run has covered."""
        return tuple(self._gaps())

    def _gaps(self) -> Iterator[str]:
        if self.runs[0].complaint:
            yield "any failure: the program has a complaint without one"
            return
        for run in self.runs:
            if run.missed:
                yield f"{', '.join(run.missed)} in {run.schedule}"
        for route in self.unplayed:
            yield f"{route}: no run called this route of the world"
        seen = {type(failure) for run in self.runs for failure in failure_of(run.outcome)}
        for declared in self.declared or ():
            if not any(issubclass(cls, declared) for cls in seen):
                yield f"{declared.__name__}: declared, but no run ended with it"
        tried = {fault for tally in self.tallies for fault in tally.faults}
        if idle := self.faults - tried:
            yield f"{'; '.join(map(str, idle))}: no call could show it"
        yield f"more than {counted(self.at_once, 'failure')} at once"

    def assert_handled(self) -> None:
        """Assert that the program handles every failure.

        Raises:
            AssertionError: It does not; the message lists the minimal schedules as lines to
                paste, each with its complaint.
        """
        if not self.minimal:
            return
        lines = [f"{counted(len(self.minimal), 'schedule')} not handled, for Schedule.parse:"]
        for complaint, runs in self.groups:
            shown = runs[:_MOST_LINES]
            lines += [f'    "{run.schedule}",  # {one_line(complaint)}' for run in shown]
            if runs[_MOST_LINES:]:
                lines.append(f"    # and {len(runs) - _MOST_LINES} alike")
        raise AssertionError("\n".join(lines))

    def html(self) -> str:
        """Return the report as an HTML page: calls by faults as a matrix."""
        from railhttp.testing.explore.page import page_of  # noqa: PLC0415  # few look at it

        return page_of(self)

    def __repr__(self) -> str:
        return f"<Report of {counted(len(self.runs), 'schedule')}, {self.verdict}>"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    @property
    def verdict(self) -> str:
        """The number of schedules that are not handled, as a phrase."""
        bad = sum(run.complaint is not None for run in self.runs)
        return f"{bad} not handled" if bad else "all handled"

    def _lines(self) -> Iterator[str]:
        yield (
            f"{counted(len(self.runs), 'schedule')}, up to"
            f" {counted(self.at_once, 'failure')} at once, {self.seconds:.1f} s:"
            f" {self.verdict}"
        )
        yield from self._table()
        if self.groups:
            groups = counted(len(self.groups), "group")
            yield ""
            yield f"smallest schedules: {len(self.minimal)} in {groups}"
        for complaint, (first, *others) in self.groups:
            alike = f" (and {len(others)} alike)" if others else ""
            yield f"  {first.schedule}{alike}"
            yield f"      → {one_line(complaint)}"
        yield ""
        yield "not reached"
        for gap in self.not_reached:
            yield f"  {gap}"

    def _table(self) -> Iterator[str]:
        width = max((len(call) for call in self.calls), default=4)
        yield ""
        yield f"{'call':{width}}  failures  handled  unhandled"
        for tally in self.tallies:
            count, bad = len(tally.faults), len(tally.unhandled)
            row = f"{tally.call:{width}}  {count:8}  {count - bad:7}"
            yield f"{row}  {bad:9}   {'; '.join(map(str, tally.unhandled))}" if bad else row


def counted(number: int, noun: str) -> str:
    """Return a number with a noun in the right number.

    Example:
        >>> counted(1, "failure"), counted(2, "failure")
        ('1 failure', '2 failures')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(complaint: str | None) -> str:
    """Return a complaint without line breaks."""
    return " ".join((complaint or "").split())
