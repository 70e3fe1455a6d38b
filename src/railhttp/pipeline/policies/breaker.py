"""Refuses calls to a host that is down: obeys `railhttp.policy.breaker`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, Self, TypeVar

from railhttp.model.errors import FAILURES, HTTPCircuitOpenError, HTTPFailure
from railhttp.model.response import HttpResponse
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.scope import facts_of, scope_of
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import (
    BreakerState,
    CircuitState,
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
from railhttp.protocols import Clock, StateStore

T = TypeVar("T")
P = ParamSpec("P")


class CircuitBreaker:
    """Stops calling a host that fails, and probes it until it is well again.

    A host fails with connection errors, timeouts, 429 and 5xx. What this client itself refused,
    and what was cancelled, says nothing about it; any other exception counts as a failure.
    A closed circuit lets calls pass on the state that its store knows without waiting, and reports
    a healthy host's successes a tenth of the window at a time.

    Args:
        failure_threshold: How many failures in a row open the circuit.
        recovery_timeout: How long it stays open at first, in seconds.
        name: How errors call it, and its key in `store`.
        failure_ratio: Which share of failures in the window opens it, None for none.
        minimum_calls: How many calls the window must hold before its ratio means anything.
        window: The window's length, in seconds.
        max_recovery_timeout: The longest time that it stays open, in seconds.
        half_open_max_calls: How many probes are let through; when all succeed it closes.
        probe_lease: After how many seconds a probe that has not ended loses its slot.
        slow_call: From how many seconds on a successful call counts as a failure, None for never.
        failure_if: Says which failures count as the host's, in place of `judge_failure`; it is not
            asked about what this client itself refused.
        failure_if_response: Says which answers do, in place of 429 and 5xx.
        store: Where the state is kept, in this process where None.
        clock: What tells the time and draws lots.

    Raises:
        HTTPValidationError: A number is out of its bounds, or what should be a function is none.

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
        store: StateStore[BreakerState] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = BreakerRule(
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
        self._store = ShieldedStore(store, clock)
        self._clock = clock
        self._ticket = Ticket(-1, 0, 0.0)
        self._successes = 0  # of one step, which are yet to be reported
        self._step_ends = 0.0
        self._step_began = 0.0

    @classmethod
    def of(
        cls,
        rule: BreakerRule,
        *,
        name: str = "",
        store: StateStore[BreakerState] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Make a breaker from a rule.

        Args:
            rule: When it opens, for how long, and what closes it.
            name: How errors call it, and its key in `store`.
            store: Where the state is kept, in this process where None.
            clock: What tells the time and draws lots.
        """
        breaker = cls(name=name, store=store, clock=clock)
        breaker._rule = rule
        return breaker

    def __repr__(self) -> str:
        name = f"{self._name!r} " if self._name else ""
        return f"<{type(self).__name__} {name}{self.state}>"

    @property
    def name(self) -> str:
        """How errors call it."""
        return self._name

    @property
    def rule(self) -> BreakerRule:
        """When it opens, for how long, and what closes it."""
        return self._rule

    @property
    def state(self) -> CircuitState:
        """The state as of the last call: `closed`, `open` (also by force) or `half_open`."""
        return state_name(self._store.peek(self._name))

    @property
    def is_waitless(self) -> bool:
        """Whether its store decides at once, so that no call waits for it."""
        return self._store.is_waitless

    @property
    def is_refusing(self) -> bool:
        """Whether it refuses calls for a while yet, or until `reset`, as of the last call."""
        state = self._store.peek(self._name)
        if isinstance(state, Open):
            return self._clock.monotonic() < state.until
        return isinstance(state, ForcedOpen)

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func`, unless the circuit is open.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPCircuitOpenError: It was not called; `retry_after` says when a probe may pass.
            HTTPInterceptorError: `failure_if` or `failure_if_response` raised; the host is not
                judged by that. Or the store raised before the call; what it raises afterwards is
                logged.
        """
        ticket = self._ordinary() or await self._admit(func)
        try:
            result = await func(*args, **kwargs)
            verdict = self._judge_result(result)
        except BaseException as error:
            await self._conclude(ticket, error)
            raise
        if verdict == "failure" or not self._counts(ticket):
            await self._record(ticket, verdict)
        return result

    @asynccontextmanager
    async def protect(self) -> AsyncIterator[None]:
        """Protect a block instead of a call: what it raises is judged as in `call`.

        Raises:
            HTTPCircuitOpenError: The circuit is open and the block is not entered.
            HTTPInterceptorError: See `call`.
        """
        ticket = await self._admit(None)
        try:
            yield
        except BaseException as error:
            await self._conclude(ticket, error)
            raise
        await self._record(ticket, "success")

    async def reset(self) -> None:
        """Close the circuit and forget all that was counted; calls on their way count no more."""
        await self._store.apply(self._name, reset, None)

    async def force_open(self) -> None:
        """Open the circuit until `reset`."""
        await self._store.apply(self._name, force_open, None)

    async def _admit(self, func: object) -> Ticket:
        scope = scope_of(func)
        admission = await self._store.decide(
            self._name,
            self._rule.admit,
            None,
            facts=lambda: facts_of(scope),
            undo=self._give_back,
        )
        if isinstance(admission, Ticket):
            return admission
        raise HTTPCircuitOpenError(
            f"circuit {self._name} is open" if self._name else "the circuit is open",
            retry_after=admission.retry_after,
            name=self._name,
            **facts_of(scope),
        )

    def _give_back(self, admission: Ticket | Rejection) -> None:
        """Give the slot back of a probe whose call was cancelled before it heard of it."""
        if isinstance(admission, Ticket) and admission.probe:
            report = Report(admission, "inconclusive", 0.0)
            self._store.report_later(self._name, self._rule.record, report)

    def _ordinary(self) -> Ticket | None:
        """The admission to a closed circuit, which changes no state; None for any other."""
        state = self._store.peek(self._name)
        if not isinstance(state, Closed) or self._rule.slow_call is not None:
            return None
        if state.generation != self._ticket.generation:
            self._ticket = Ticket(state.generation, 0, 0.0)
            self._successes, self._step_ends = 0, 0.0
        return self._ticket

    def _counts(self, ticket: Ticket) -> bool:
        """Keep a success that changes nothing but sums for the next report; tell whether it is one.

        So a healthy host costs a step's first call a report, and all others next to nothing.
        """
        state = self._store.peek(self._name)
        if ticket is not self._ticket or not isinstance(state, Closed) or state.in_a_row:
            return False
        if state.generation != ticket.generation or self._rule.failure_ratio is None:
            return True
        if self._clock.monotonic() >= self._step_ends:
            return False
        self._successes += 1
        return True

    async def _conclude(self, ticket: Ticket, error: BaseException) -> None:
        if not isinstance(error, Exception):  # who is cancelled waits for no store
            reports = self._due(ticket, "inconclusive")
            self._store.report_later(self._name, self._rule.record, *reports)
            return
        verdict: Verdict = "inconclusive"  # where a predicate raises, the slot comes back too
        try:
            verdict = self._judge_error(error)
        finally:
            await self._record(ticket, verdict)

    async def _record(self, ticket: Ticket, verdict: Verdict) -> None:
        reports = self._due(ticket, verdict)
        await self._store.report(self._name, self._rule.record, *reports)

    def _due(self, ticket: Ticket, verdict: Verdict) -> tuple[Report, ...]:
        """The report of a call, behind that of the successes which were kept for it."""
        now = self._clock.monotonic()
        successes, self._successes = self._successes, 0
        kept = Report(self._ticket, "success", 0.0, successes, now - self._step_began)
        self._step_ends = bucket_end(now, self._rule.window)
        self._step_began = now
        report = Report(ticket, verdict, self._clock.uniform())
        return (kept, report) if successes else (report,)

    def _judge_result(self, result: object) -> Verdict:
        return self._rule.judge_response(result) if isinstance(result, HttpResponse) else "success"

    def _judge_error(self, error: Exception) -> Verdict:
        return self._rule.judge(error) if isinstance(error, FAILURES) else "failure"
