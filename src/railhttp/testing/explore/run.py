"""One run of a program under one schedule, and the complaints about it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeAlias

from typing_extensions import TypeVar

from railhttp.client.http_client import HTTPClient
from railhttp.model.config import HTTPClientConfig
from railhttp.model.exchange import Exchange
from railhttp.testing.clock import ManualClock
from railhttp.testing.explore.declared import declared_failures, failure_of
from railhttp.testing.explore.drive import (
    CountingExecutor,
    Driver,
    NoProgressError,
    RunClock,
    cancelled,
)
from railhttp.testing.explore.injection import InjectedCall, InjectingExchange, Sent
from railhttp.testing.explore.schedule import Schedule
from railhttp.testing.scripted.transport import ScriptedTransport

T = TypeVar("T")
W = TypeVar("W", bound=Exchange)

Program: TypeAlias = Callable[[HTTPClient], Awaitable[T]]
"""The code under test, which makes its calls with the given client."""

Judge: TypeAlias = Callable[[T, W], str | None]
"""Checks the outcome and the final state of the world; returns a complaint, or None if all is well.
An `AssertionError` counts as a complaint."""

ClientFactory: TypeAlias = Callable[[Exchange, ManualClock], HTTPClient]
"""Builds the client of one run, so that breakers and budgets start fresh every time."""


def default_client(exchange: Exchange, clock: ManualClock) -> HTTPClient:
    """Build a client with the default settings, except that its verbs never raise.

    Without a breaker a circuit is never open, so there is nothing to raise: as a value the fault
    shows whether the program handles it.
    """
    return HTTPClient(HTTPClientConfig(total=True), exchange=exchange, clock=clock)


@dataclass(frozen=True, slots=True, eq=False)
class Run(Generic[T]):
    """The result of one run.

    Attributes:
        schedule: The faults.
        calls: The names of the calls that the program made, in order.
        outcome: The return value of the program; None if it did not return.
        complaint: The complaints as one text, or None.
        error: The exception of the program, if it raised one.
    """

    schedule: Schedule
    calls: tuple[str, ...]
    outcome: T | None
    complaint: str | None
    error: BaseException | None = field(default=None, repr=False)
    injected: tuple[InjectedCall, ...] = field(default=(), repr=False)
    log: tuple[Sent, ...] = field(default=(), repr=False)
    effects: Mapping[Hashable, int] = field(default_factory=dict, repr=False)
    state: object = field(default=None, repr=False)

    @property
    def missed(self) -> tuple[str, ...]:
        """The calls of the schedule that the program did not make."""
        return tuple(call for call in self.schedule if call not in self.calls)

    def injected_call(self, key: str) -> InjectedCall:
        """Return the details of a call; only before `light()`."""
        return next(call for call in self.injected if call.key == key)

    def light(self) -> "Run[T]":
        """Return the run without the details for the search; reports keep thousands of runs."""
        _drop_tracebacks(self.error)
        for failure in failure_of(self.outcome):
            _drop_tracebacks(failure if isinstance(failure, BaseException) else None)
        return replace(self, injected=(), log=(), effects={}, state=None)


class _RaisedError(Exception):
    """A program raised.

    Args:
        error: The exception.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error: Final = error


class Experiment(Generic[T, W]):
    """Runs a program, each time in a fresh world.

    Args:
        program: The code under test.
        world: Builds the world of one run.
        judge: Checks outcomes; None applies only the rules for every program.
        client: Builds the client of one run.
        patience: Seconds of real time that a run may wait for something other than its clock.
        threads: The executor of the program's work in threads.

    Attributes:
        declared: The classes of failures that the program declares, or None if they are unknown.
    """

    def __init__(
        self,
        program: Program[T],
        world: Callable[[], W],
        judge: Judge[T, W] | None,
        client: ClientFactory,
        patience: float,
        threads: CountingExecutor,
    ) -> None:
        self._program: Final = program
        self._make_world: Final = world
        self._judge: Final = judge
        self._make_client: Final = client
        self._patience: Final = patience
        self._threads: Final = threads
        self._played: Final[set[str]] = set()
        self._routes: Final[dict[str, None]] = {}
        self.declared: Final = declared_failures(program)

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The routes of the worlds that no run has called."""
        return tuple(route for route in self._routes if route not in self._played)

    async def run(self, schedule: Schedule, usual: Mapping[Hashable, int] | None = None) -> Run[T]:
        """Run the program once.

        Args:
            schedule: The faults.
            usual: How often the program sends each request without a key if nothing fails.
        """
        clock = RunClock()
        world = self._fresh_world(clock)
        exchange = InjectingExchange(world, schedule, clock, usual or {})
        complaints: list[str] = []
        outcome: T | None = None
        error: BaseException | None = None
        before = asyncio.all_tasks()
        async with self._make_client(exchange, clock) as client:
            driver = Driver(clock, exchange, self._threads, self._patience)
            try:
                outcome = await driver.run(_called(self._program, client))
            except NoProgressError as stuck:
                complaints.append(f"no progress: {stuck}")
            except _RaisedError as raised:
                error = raised.error
                if error is not exchange.broken:
                    complaints.append(f"it raised {_in_words(error)}")
            else:
                complaints += (*self._undeclared(outcome), *self._judged(outcome, world))
            complaints += await _left(before, exchange, clock)
        self._note_routes(world)
        return Run(
            schedule,
            tuple(call.key for call in exchange.calls),
            outcome,
            "; ".join((*_of_requests(exchange), *complaints)) or None,
            error,
            tuple(exchange.calls),
            tuple(exchange.log),
            exchange.effects,
            exchange.snapshot(),
        )

    def _fresh_world(self, clock: ManualClock) -> W:
        world = self._make_world()
        if not (callable(getattr(world, "send", None)) and callable(getattr(world, "open", None))):
            raise TypeError(
                "world: must return an exchange, which has `send` and `open`, such as a"
                f" ScriptedTransport; got {type(world).__name__}"
            )
        if hasattr(world, "clock"):
            setattr(world, "clock", clock)  # noqa: B010  # an optional attribute of a world
        return world

    def _undeclared(self, outcome: T) -> list[str]:
        """Return a complaint about a failure that the program does not declare."""
        if self.declared is None:
            return []
        return [
            f"{type(failure).__name__} came out, which is not a declared failure"
            for failure in failure_of(outcome)
            if not isinstance(failure, self.declared)
        ]

    def _judged(self, outcome: T, world: W) -> list[str]:
        if self._judge is None:
            return []
        try:
            complaint: object = self._judge(outcome, world)
        except AssertionError as error:
            # Only the first line: pytest appends values whose addresses differ between runs.
            return [str(error).partition("\n")[0] or "an assertion of the judge failed"]
        if complaint is None:
            return []
        if not isinstance(complaint, str):
            kind = type(complaint).__name__
            raise TypeError(f"judge: must return a text or None, got {kind}")
        return [complaint or "the judge complains"]

    def _note_routes(self, world: W) -> None:
        if isinstance(world, ScriptedTransport):
            for route in world.routes:
                self._routes[str(route)] = None
                if route.called:
                    self._played.add(str(route))


async def _called(program: Program[T], client: HTTPClient) -> T:
    try:
        return await program(client)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise  # the driver cancelled the run
        raise _RaisedError(error) from error


def _of_requests(exchange: InjectingExchange) -> Iterator[str]:
    """Yield complaints about the requests and about the world."""
    if exchange.broken is not None:
        yield f"the world raised {_in_words(exchange.broken)}"
    for call in exchange.resent:
        yield f"{call} was sent again after its response was lost, without an idempotency key"


async def _left(
    before: Set[asyncio.Task[object]], exchange: InjectingExchange, clock: ManualClock
) -> list[str]:
    """Return complaints about tasks and responses that the program left."""
    left = asyncio.all_tasks() - before
    if left:
        await clock.settle()
        left = {task for task in left if not task.done()}
        names = sorted(getattr(task.get_coro(), "__qualname__", "a task") for task in left)
        await cancelled(*left)
        complaints = [f"a task was left: {name}" for name in names]
    else:
        complaints = []
    opened = exchange.open_responses.values()
    return [*complaints, *(f"the response to {call} was left open" for call in opened)]


def _in_words(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _drop_tracebacks(error: BaseException | None) -> None:
    """Drop the tracebacks of an exception, which keep all objects of its run alive."""
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
