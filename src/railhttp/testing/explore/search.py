"""Runs a program under every schedule, those with the fewest faults first."""

import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Final, Generic, NamedTuple, cast

from typing_extensions import TypeVar

from railhttp.model.errors import HTTPValidationError
from railhttp.model.exchange import Exchange
from railhttp.testing.explore import faults as catalogue
from railhttp.testing.explore.drive import counted_threads
from railhttp.testing.explore.fault import Fault, Faults
from railhttp.testing.explore.injection import Sent
from railhttp.testing.explore.progress import Progress, shown_progress
from railhttp.testing.explore.report import Report
from railhttp.testing.explore.run import (
    ClientFactory,
    Experiment,
    Judge,
    Program,
    Run,
    default_client,
)
from railhttp.testing.explore.schedule import Schedule

T = TypeVar("T")
W = TypeVar("W", bound=Exchange)


class UnstableProgramError(Exception):
    """The program does not make the same calls in two equal runs, so schedules have no meaning."""


async def explore(
    program: Program[T],
    world: Callable[[], W],
    judge: Judge[T, W] | None = None,
    *,
    at_once: int = 1,
    faults: Iterable[Fault] | None = None,
    client: ClientFactory = default_client,
    first: Iterable[Schedule] = (),
    patience: float = 2.0,
    progress: bool | None = None,
) -> Report[T]:
    """Run a program under every failure of each of its calls.

    Faults are injected at the transport, below the client's own retries, breakers, deadlines and
    redirects. A `ManualClock` makes waiting free. Schedules with fewer faults are run first, and
    those that contain a bad schedule are not run, so every bad schedule is minimal.

    Some complaints need no judge: the program raised an exception; it made no progress; it repeated
    a request without an idempotency key after the response was lost; it left a task running or a
    response open; it returned a failure that its annotation does not have.

    A world with a method `snapshot()` is explored faster. Faults are equivalent if the snapshots
    right after them are equal and the same requests, times, outcome and final snapshot follow; only
    the first of them is combined with further faults.

    Args:
        program: The code under test, which makes its calls with the given client.
        world: Builds a fresh world for each run: an exchange that replies to every call, such as a
            `ScriptedTransport` whose handlers change a state. If it has an attribute `clock`, this
            is set to the clock of the run.
        judge: Checks the outcome and the final state of the world, and returns a complaint or
            None; an `AssertionError` counts as a complaint.
        at_once: The greatest number of faults in one run.
        faults: The faults; `faults.all()` if None.
        client: Builds the client of one run from an exchange and a clock. By default it has the
            settings of `HTTPClient()`, and verbs that never raise (`total=True`).
        first: Schedules to run before all others; if one of them has a complaint, the exploration
            stops there.
        patience: Seconds of real time that a run may wait for something other than its clock,
            such as a thread or `asyncio.sleep`.
        progress: Whether to show progress on the standard error stream; if None, only on a
            terminal.

    Returns:
        The report.

    Raises:
        UnstableProgramError: Two equal runs make different calls.
        HTTPValidationError: `at_once` is negative.
        TypeError: `world` or `judge` returns a wrong type.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> from railhttp.testing import ScriptedTransport
        >>> def world() -> ScriptedTransport:
        ...     script = ScriptedTransport()
        ...     script.on("GET", "/users/7").reply(json={"name": "Ann"})
        ...     return script
        >>> async def program(client: HTTPClient) -> object:
        ...     response = (await client.get("https://api.example/users/7")).unwrap()
        ...     return response.json()
        >>> report = asyncio.run(explore(program, world, faults=catalogue.named("dns", "html")))
        >>> [str(run.schedule) for run in report.minimal]
        ['GET /users/7: dns', 'GET /users/7: html']
    """
    if at_once < 0:
        raise HTTPValidationError(f"must be 0 or more, got {at_once!r}", field="at_once")
    chosen = catalogue.all() if faults is None else Faults(faults)
    with counted_threads() as threads, shown_progress(progress) as shown:
        experiment = Experiment(program, world, judge, client, patience, threads)
        search = _Search(experiment, chosen, shown)
        began = time.perf_counter()
        await search.run(first, at_once)
        return Report(
            runs=tuple(search.runs),
            at_once=at_once,
            seconds=time.perf_counter() - began,
            faults=chosen,
            merged=search.merged,
            unplayed=experiment.unplayed,
            declared=experiment.declared,
        )


async def replay(
    program: Program[T],
    world: Callable[[], W],
    judge: Judge[T, W] | None,
    schedule: Schedule,
    *,
    client: ClientFactory = default_client,
    patience: float = 2.0,
) -> T:
    """Run a program under one schedule, as a regression test.

    Args:
        program: See `explore`.
        world: See `explore`.
        judge: See `explore`.
        schedule: The faults.
        client: See `explore`.
        patience: See `explore`.

    Returns:
        The outcome of the program.

    Raises:
        AssertionError: There is a complaint, or the program does not make a call of the schedule,
            so the test would prove nothing. A test of hypothesis does not fail for such a call,
            because `schedules` cannot know which calls a program makes after a fault.
    """
    with counted_threads() as threads:
        experiment = Experiment(program, world, judge, client, patience, threads)
        usual = await experiment.run(Schedule())
        run = await experiment.run(schedule, usual.effects)
    if run.complaint is not None:
        raise AssertionError(f"{schedule}\n    → {run.complaint}") from run.error
    if run.missed and not _is_drawn():
        made = ", ".join(run.calls) or "none"
        missed = ", ".join(run.missed)
        raise AssertionError(f"{schedule}\n    → not reached: {missed}; the calls were: {made}")
    return cast("T", run.outcome)  # without a complaint it has returned


def _is_drawn() -> bool:
    """Whether a test of hypothesis is running."""
    if "hypothesis" not in sys.modules:
        return False
    from hypothesis import currently_in_test_context  # noqa: PLC0415  # an optional dependency

    return currently_in_test_context()


class _Extension(NamedTuple, Generic[T]):
    """A run to extend, and the call that fails next."""

    run: Run[T]
    call: str


class _Search(Generic[T, W]):
    """A breadth-first search over schedules.

    Args:
        experiment: Runs the program.
        faults: The faults of one call.
        progress: Displays the number of runs.

    Attributes:
        runs: Every run so far, in its light form.
        merged: How many runs were not extended because an equivalent run was.
    """

    def __init__(self, experiment: Experiment[T, W], faults: Faults, progress: Progress) -> None:
        self._experiment: Final = experiment
        self._faults: Final = faults
        self._progress: Final = progress
        self._known: dict[Schedule, Run[T]] = {}
        self._usual: Mapping[Hashable, int] = {}
        self._bad: set[Schedule] = set()
        self.runs: list[Run[T]] = []
        self.merged = 0

    async def run(self, first: Iterable[Schedule], at_once: int) -> None:
        """Run the program under every schedule of at most `at_once` faults."""
        base = await self._without_fault()
        if base.complaint is not None:
            return
        early = [await self._early(schedule) for schedule in first]
        if any(run.complaint for run in early):
            return
        level = [base]
        for depth in range(1, at_once + 1):
            plan = [_Extension(run, call) for run in level for call in _calls_to_fail(run)]
            self._progress.begin(depth, len(plan) * len(self._faults))
            last = depth == at_once
            level = [run for each in plan for run in await self._extended(each, last=last)]

    async def _without_fault(self) -> Run[T]:
        base = await self._experiment.run(Schedule())
        again = await self._experiment.run(Schedule())
        if (base.calls, base.complaint) != (again.calls, again.complaint):
            raise UnstableProgramError(
                "two runs without a fault differ: `world` must return a fresh world, and paths must"
                f" not be random\n    first: {_shown(base)}\n    then:  {_shown(again)}"
            )
        self._usual = base.effects
        self.runs.append(base.light())
        return base

    async def _early(self, schedule: Schedule) -> Run[T]:
        run = await self._run(schedule)
        self._known[schedule] = run
        return run

    async def _run(self, schedule: Schedule) -> Run[T]:
        known = self._known.pop(schedule, None)
        if known is not None:
            return known
        run = await self._experiment.run(schedule, self._usual)
        self.runs.append(run.light())
        return run

    async def _extended(self, extension: _Extension[T], *, last: bool) -> list[Run[T]]:
        """Run every fault of a call; return the runs to extend further."""
        run, call = extension
        sends: dict[Fault, int] = {}
        extended: list[Run[T]] = []
        tails: list[_Tail] = []
        for fault in self._faults:
            self._progress.advance(len(self.runs))
            if fault.kind.in_body and call.startswith("HEAD "):
                continue
            if fault.once and sends.get(replace(fault, once=False)) == 1:
                continue  # without a second attempt this run would be the same
            schedule = run.schedule.with_fault(call, fault)
            if not self._bad.isdisjoint(schedule.parts()):
                continue  # it would not be minimal
            found = await self._run(schedule)
            if found.missed:
                raise UnstableProgramError(
                    f"under {found.schedule} the program does not make the same calls twice"
                )
            failed = found.injected_call(call)
            sends[fault] = failed.sends
            if found.complaint is not None:
                self._bad.add(schedule)
            if last or found.complaint is not None:
                continue
            tail = _Tail(failed.state, found.log[failed.position :], found.outcome, found.state)
            if failed.state is not None and tail in tails:
                self.merged += 1  # further faults have the same effect as in the equivalent run
                continue
            tails.append(tail)
            extended.append(found)
        return extended


class _Tail(NamedTuple):
    """The part of a run after its last fault; equal tails make runs equivalent."""

    state: object
    sent: tuple[Sent, ...]
    outcome: object
    end: object


def _calls_to_fail(run: Run[T]) -> tuple[str, ...]:
    """Return the calls after the last fault, so that every combination is run once."""
    last = max((run.calls.index(call) for call in run.schedule), default=-1)
    return run.calls[last + 1 :]


def _shown(run: Run[T]) -> str:
    calls = ", ".join(run.calls) or "no call"
    return f"{calls} → {run.complaint}" if run.complaint else calls
