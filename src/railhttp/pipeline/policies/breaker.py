"""Refuses calls to a host that is down, as `railhttp.policy.breaker` decides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from railhttp.model.clock import Clock
from railhttp.model.errors import FAILURES, HTTPCircuitOpenError, HTTPFailure
from railhttp.model.events import CircuitChangedEvent
from railhttp.model.gauges import CircuitState
from railhttp.model.response import HttpResponse
from railhttp.pipeline.attempt import attempt_of
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.policies.store import StateStore, StoreServerProtocol
from railhttp.pipeline.stack import CircuitBreakerProtocol
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    Open,
    Rejection,
    Report,
    Ticket,
    force_open,
    reset,
    state_name,
)
from railhttp.policy.health import Verdict
from railhttp.policy.window import bucket_end

T = TypeVar("T")
P = ParamSpec("P")
C = TypeVar("C", bound=Call)


@runtime_checkable
class CircuitBreakerControlProtocol(CircuitBreakerProtocol, Protocol):
    """A breaker that can be inspected and controlled; a client needs no more than `call`."""

    @property
    def state(self) -> str:
        """The state: `closed`, `open` or `half_open`."""
        ...

    def protect(self) -> AbstractAsyncContextManager[None]:
        """Protect a block instead of a call."""
        ...

    async def reset(self) -> None:
        """Close the circuit and forget all counts."""
        ...

    async def force_open(self) -> None:
        """Open the circuit until `reset`."""
        ...


@runtime_checkable
class CircuitBreakerRegistryProtocol(Protocol):
    """Keeps circuit breakers by name."""

    def get(self, name: str) -> CircuitBreakerProtocol | None:
        """Return the breaker with that name; None if there is none."""
        ...

    async def get_or_create(self, name: str) -> CircuitBreakerProtocol:
        """Return the breaker with that name, the same one each time."""
        ...

    def list_breakers(self) -> Sequence[str]:
        """Return the names of all breakers."""
        ...


class CircuitBreaker:
    """Stops calling a host that fails, and probes it until it is well again.

    A host fails with connection errors, timeouts, 429 and 5xx. Failures of this client and
    cancellations say nothing about the host; any other exception counts as a failure. A closed
    circuit lets calls pass on the state that its store knows without waiting, and reports the
    successes of a healthy host a tenth of the window at a time.

    Args:
        failure_threshold: See `BreakerRule`, as for all arguments up to `failure_if_response`.
        name: The name in errors, and the key in `store`.
        rule: A complete rule, instead of its settings.
        store: Keeps the state; in this process if None.
        clock: The source of time for plain functions; the calls of a client use its clock.

    Raises:
        HTTPValidationError: A number is out of bounds, or an argument is not a function.

    Example:
        >>> import asyncio
        >>> breaker = CircuitBreaker(failure_threshold=1, name="stock")
        >>> async def fail() -> None:
        ...     raise ConnectionError
        >>> async def run() -> None:
        ...     try:
        ...         await breaker.call(fail)
        ...     except ConnectionError:
        ...         print(breaker.state)
        ...     await breaker.reset()
        >>> asyncio.run(run())
        open
        >>> breaker.state
        'closed'
    """

    def __init__(
        self,
        failure_threshold: int = 5,
        recovery_timeout: float = 5.0,
        *,
        name: str = "",
        failure_ratio: float | None = 0.5,
        minimum_calls: int = 20,
        window: float = 30.0,
        max_recovery_timeout: float = 300.0,
        half_open_max_calls: int = 1,
        probe_lease: float = 30.0,
        slow_call: float | None = None,
        failure_if: Callable[[HTTPFailure], bool] | None = None,
        failure_if_response: Callable[[HttpResponse], bool] | None = None,
        rule: BreakerRule | None = None,
        store: StateStore[BreakerState] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = rule or BreakerRule(
            failure_threshold=failure_threshold,
            recovery_timeout=recovery_timeout,
            failure_ratio=failure_ratio,
            minimum_calls=minimum_calls,
            window=window,
            max_recovery_timeout=max(max_recovery_timeout, recovery_timeout),
            half_open_max_calls=half_open_max_calls,
            probe_lease=probe_lease,
            slow_call=slow_call,
            failure_if=failure_if,
            failure_if_response=failure_if_response,
        )
        self._name = name
        self._store = ShieldedStore(store)
        self._clock = clock
        self._seen: CircuitState = "closed"  # the state that was reported last
        self._ticket = Ticket(-1, 0, 0.0)
        self._calm: BreakerState | None = None  # see `_ordinary`
        self._successes = 0  # of one bucket, not reported yet
        self._bucket_ends = 0.0
        self._bucket_began = 0.0

    def __repr__(self) -> str:
        name = f"{self._name!r} " if self._name else ""
        return f"<{type(self).__name__} {name}{self.state}>"

    @property
    def name(self) -> str:
        """The name in errors."""
        return self._name

    @property
    def rule(self) -> BreakerRule:
        """When the circuit opens, for how long, and what closes it."""
        return self._rule

    @property
    def server(self) -> StoreServerProtocol | None:
        """The server of a shared store, if it has one."""
        return self._store.server

    @property
    def state(self) -> CircuitState:
        """The state as of the last call: `closed`, `open` (also by force) or `half_open`."""
        return state_name(self._store.peek(self._name))

    @property
    def is_refusing(self) -> bool:
        """Whether the circuit is open as of the last call, and stays so for a while."""
        return self.refuses_at(self._clock.monotonic())

    def refuses_at(self, now: float) -> bool:
        """Return whether the circuit, as of the last call, is open at a time."""
        state = self._store.peek(self._name)
        if isinstance(state, Open):
            return now < state.until
        return isinstance(state, ForcedOpen)

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func`, unless the circuit is open.

        Returns:
            The result of `func`.

        Raises:
            HTTPCircuitOpenError: `func` was not called; `retry_after` is the time until a probe
                may pass.
            HTTPInterceptorError: `failure_if` or `failure_if_response` raised; that does not count
                against the host. Or the store raised before the call; later exceptions are logged.
        """
        attempt = attempt_of(func, self._clock, *args, **kwargs)
        return await self.run(attempt.send, attempt.call)

    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make an attempt, unless the circuit is open; see `call`."""
        # Almost every call finds the state as the call before it did, so the way in and the way
        # out are one comparison each (benchmarks/README.md).
        peek = self._store.peek  # a function, which `self._store.peek()` would look for as a method
        state = peek(self._name)
        if state is not None and state is self._calm:
            ticket = self._ticket
        else:
            ticket = self._ordinary(state, call) or await self._admit(call)
        try:
            result = await send(call)
            judge = self._rule.judge_response
            verdict = judge(result) if isinstance(result, HttpResponse) else "success"
        except BaseException as error:
            await self._conclude(ticket, error, call)
            raise
        if verdict == "failure" or not self._counts(ticket, call.clock):
            await self._record(ticket, verdict, call)
        return result

    @asynccontextmanager
    async def protect(self) -> AsyncIterator[None]:
        """Protect a block instead of a call: an exception from it counts as in `call`.

        Raises:
            HTTPCircuitOpenError: The circuit is open and the block is not entered.
            HTTPInterceptorError: See `call`.
        """
        call = Call(self._clock)
        ticket = await self._admit(call)
        try:
            yield
        except BaseException as error:
            await self._conclude(ticket, error, call)
            raise
        await self._record(ticket, "success", call)

    async def reset(self) -> None:
        """Close the circuit and forget all counts; calls under way no longer count.

        As with `force_open`, the next call reports the change.
        """
        await self._store.apply(self._name, reset, None)

    async def force_open(self) -> None:
        """Open the circuit until `reset`."""
        await self._store.apply(self._name, force_open, None)

    async def _admit(self, call: Call) -> Ticket:
        admission = await self._store.decide(
            self._name,
            self._rule.admit,
            None,
            call,
            undo=lambda admission: self._give_back(admission, call.clock),
        )
        self._notice(call)
        if isinstance(admission, Ticket):
            return admission
        raise HTTPCircuitOpenError(
            f"circuit {self._name} is open" if self._name else "the circuit is open",
            retry_after=admission.retry_after,
            name=self._name,
            **call.call_info(),
        )

    def _give_back(self, admission: Ticket | Rejection, clock: Clock) -> None:
        """Return the slot of a probe whose call was cancelled before it was admitted."""
        if isinstance(admission, Ticket) and admission.probe:
            report = Report(admission, "inconclusive", 0.0)
            self._store.report_later(self._name, self._rule.record, report, clock=clock)

    def _notice(self, call: Call) -> None:
        """Report a change of the state since the last look, whoever made it."""
        before, after = self._seen, self.state
        if before != after:
            self._seen = after
            event = CircuitChangedEvent(
                name=self._name, before=before, after=after, **call.identity()
            )
            call.report(event)

    def _ordinary(self, state: BreakerState | None, call: Call) -> Ticket | None:
        """Return the ticket for a closed circuit, which changes no state; None for any other.

        A state in which a success changes nothing but sums is kept as `_calm`.
        """
        if not isinstance(state, Closed) or self._rule.slow_call is not None:
            return None
        if state.generation != self._ticket.generation:
            self._ticket = Ticket(state.generation, 0, 0.0)
            self._successes, self._bucket_ends, self._calm = 0, 0.0, None
            self._notice(call)
        if not state.in_a_row and self._rule.failure_ratio is not None:
            self._calm = state
        return self._ticket

    def _counts(self, ticket: Ticket, clock: Clock) -> bool:
        """Keep a success that changes nothing but sums for the next report; return whether it does.

        A healthy host then costs one report for each bucket of the window, and next to nothing for
        each call.
        """
        peek = self._store.peek
        state = peek(self._name)
        if ticket is not self._ticket:
            return False
        if state is not None and state is self._calm and clock.monotonic() < self._bucket_ends:
            self._successes += 1
            return True
        if not isinstance(state, Closed) or state.in_a_row:
            return False
        if state.generation != ticket.generation or self._rule.failure_ratio is None:
            return True
        if clock.monotonic() >= self._bucket_ends:
            return False
        self._successes += 1
        return True

    async def _conclude(self, ticket: Ticket, error: BaseException, call: Call) -> None:
        verdict: Verdict = "inconclusive"  # if a predicate raises, the slot is returned too
        if isinstance(error, Exception):
            try:
                verdict = self._rule.judge(error) if isinstance(error, FAILURES) else "failure"
            finally:
                await self._record(ticket, verdict, call)
            return
        if isinstance(error, asyncio.CancelledError) and (failure := call.cut_off(error)):
            verdict = self._rule.judge(failure)
        # A cancelled call must not wait for the store.
        reports = self._due(ticket, verdict, call.clock)
        self._store.report_later(self._name, self._rule.record, *reports, clock=call.clock)
        self._notice(call)

    async def _record(self, ticket: Ticket, verdict: Verdict, call: Call) -> None:
        reports = self._due(ticket, verdict, call.clock)
        await self._store.report(self._name, self._rule.record, *reports, call=call)
        self._notice(call)

    def _due(self, ticket: Ticket, verdict: Verdict, clock: Clock) -> tuple[Report, ...]:
        """Return the report of a call, after that of the successes that were kept for it."""
        now = clock.monotonic()
        successes, self._successes = self._successes, 0
        kept = Report(self._ticket, "success", 0.0, successes, now - self._bucket_began)
        self._bucket_ends = bucket_end(now, self._rule.window)
        self._bucket_began = now
        report = Report(ticket, verdict, clock.uniform())
        return (kept, report) if successes else (report,)
