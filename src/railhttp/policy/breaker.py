"""The circuit breaker: `(state, event, now) → (state, decision)`.

    state      event                                         next state
    ─────────  ────────────────────────────────────────────  ──────────
    closed     too many failures, in a row or in the window   open
    open       a call arrives after its time                  half-open
    half-open  a probe fails                                  open, for longer
    half-open  `half_open_max_calls` probes succeed           closed
    any        `force_open`                                   forced open
    any        `reset`                                        closed

Every arrow begins a new generation. A report from an older one changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ldexp
from typing import assert_never

from railhttp.model.errors import HTTPFailure, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import (
    require,
    require_function,
    require_number,
    require_positive_int,
    require_timeout,
)
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    HalfOpen,
    Open,
    ProbeSlot,
    Rejection,
    Report,
    Ticket,
)
from railhttp.policy.callbacks import asked
from railhttp.policy.health import Verdict, judge_failure, judge_status
from railhttp.policy.window import Window


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, for how long, and what closes it.

    Args:
        failure_threshold: How many failures in a row open it.
        recovery_timeout: How long it stays open at first, in seconds; with each failed recovery
            the bound doubles, and the time is drawn from the upper half below it.
        failure_ratio: Which share of failures in the window opens it, more than 0 and at most 1;
            None switches the window off.
        minimum_calls: How many calls the window must hold before its ratio means anything.
        window: The window's length, in seconds.
        max_recovery_timeout: The longest time that it stays open, in seconds.
        half_open_max_calls: How many probes are let through; when all succeed it closes.
        probe_lease: After how many seconds a probe that has not ended loses its slot.
        slow_call: From how many seconds on a successful call counts as a failure, None for never.
        failure_if: Says which failures count as the host's, in place of `judge_failure`.
        failure_if_response: Says which answers do, in place of status 429 and 500 to 599.

    Raises:
        HTTPValidationError: A number is out of its bounds, or what should be a function is none.

    Example:
        >>> rule = BreakerRule(failure_threshold=1)
        >>> state, ticket = rule.admit(None, None, 0.0)
        >>> state, _ = rule.record(state, Report(ticket, "failure", chance=0.5), 1.0)
        >>> rule.admit(state, None, 2.0)
        (Open(generation=1, trips=1, until=6.0), Rejection(retry_after=4.0))
    """

    failure_threshold: int = 5
    recovery_timeout: float = 5.0
    failure_ratio: float | None = 0.5
    minimum_calls: int = 20
    window: float = 30.0
    max_recovery_timeout: float = 300.0
    half_open_max_calls: int = 1
    probe_lease: float = 30.0
    slow_call: float | None = None
    failure_if: Callable[[HTTPFailure], bool] | None = None
    failure_if_response: Callable[[HttpResponse], bool] | None = None

    def __post_init__(self) -> None:
        for name in ("failure_threshold", "minimum_calls", "half_open_max_calls"):
            require_positive_int(getattr(self, name), name)
        for name in ("recovery_timeout", "failure_ratio", "window", "probe_lease", "slow_call"):
            require_timeout(getattr(self, name), field=name)
        for name in ("recovery_timeout", "window", "probe_lease"):
            require(getattr(self, name) is not None, "must be a positive number of seconds", name)
        require_number(self.failure_ratio or 1.0, "failure_ratio", high=1.0)
        require_number(self.max_recovery_timeout, "max_recovery_timeout", low=self.recovery_timeout)
        require_function(self.failure_if, "failure_if")
        require_function(self.failure_if_response, "failure_if_response")

    def judge_response(self, response: HttpResponse) -> Verdict:
        """Judge the host by an answer.

        Args:
            response: The answer.

        Returns:
            Whether it speaks for the host or against it.

        Raises:
            HTTPInterceptorError: `failure_if_response` raised.
        """
        if self.failure_if_response is None:
            return judge_status(response.status)
        failed = asked("failure_if_response", self.failure_if_response, response)
        return "failure" if failed else "success"

    def judge(self, failure: HTTPFailure) -> Verdict:
        """Judge the host by a failed call.

        Args:
            failure: Why it failed.

        Returns:
            Whether it speaks for the host, against it, or says nothing about it.

        Raises:
            HTTPInterceptorError: `failure_if` or `failure_if_response` raised.
        """
        if isinstance(failure, HTTPStatusError):
            return self.judge_response(failure.response)
        verdict = judge_failure(failure)
        if self.failure_if is None or verdict == "inconclusive":
            return verdict
        return "failure" if asked("failure_if", self.failure_if, failure) else "success"

    def admit(
        self, state: BreakerState | None, event: None, now: float
    ) -> tuple[BreakerState, Ticket | Rejection]:
        """Decide about a call that arrives.

        Args:
            state: The breaker's state, None for a new one.
            event: That a call arrives is all that there is to know.
            now: The time, in seconds on a clock that never goes back.

        Returns:
            The state then, and the admission or refusal.
        """
        match state:
            case None:
                return Closed(), Ticket(0, 0, now)
            case Closed():
                return state, Ticket(state.generation, 0, now)
            case ForcedOpen():
                return state, Rejection(None)
            case Open():
                if now < state.until:
                    return state, Rejection(state.until - now)
                return self._probe(HalfOpen(state.generation + 1, state.trips), now)
            case HalfOpen():
                return self._probe(state, now)
            case _:
                assert_never(state)

    def _probe(self, state: HalfOpen, now: float) -> tuple[BreakerState, Ticket | Rejection]:
        leases = tuple(lease for lease in state.leases if lease.until > now)
        if len(leases) + state.successes >= self.half_open_max_calls:
            return state, Rejection(None)
        probe = state.issued + 1
        leases = (*leases, ProbeSlot(probe, now + self.probe_lease))
        admitted = HalfOpen(state.generation, state.trips, probe, leases, state.successes)
        return admitted, Ticket(state.generation, probe, now)

    def record(
        self, state: BreakerState | None, report: Report, now: float
    ) -> tuple[BreakerState | None, None]:
        """Take note of how an admitted call ended.

        Args:
            state: The breaker's state, None where it has been forgotten.
            report: How the call ended.
            now: The time, on the clock of `admit`.

        Returns:
            The state then, and nothing to tell.
        """
        if state is None or report.ticket.generation != state.generation:
            return state, None
        failed = report.verdict == "failure" or self._is_slow(report, now)
        match state:
            case Closed():
                if report.verdict == "inconclusive":
                    return state, None
                return self._count(state, report, failed, now), None
            case HalfOpen():
                return self._conclude(state, report, failed, now), None
            case Open() | ForcedOpen():
                return state, None
            case _:
                assert_never(state)

    def _is_slow(self, report: Report, now: float) -> bool:
        slow = self.slow_call
        return (
            slow is not None and report.verdict == "success" and now - report.ticket.since >= slow
        )

    def _count(self, state: Closed, report: Report, failed: bool, now: float) -> BreakerState:
        in_a_row = state.in_a_row + 1 if failed else 0
        window = state.window
        if self.failure_ratio is not None:
            ended = now - report.ago
            window = window.record(failed, now=ended, span=self.window, calls=report.calls)
        if failed and (in_a_row >= self.failure_threshold or self._is_ratio_reached(window)):
            return self._open(state.generation + 1, 1, report.chance, now)
        return Closed(state.generation, in_a_row, window)

    def _is_ratio_reached(self, window: Window) -> bool:
        calls, failures = window.sums()
        ratio = self.failure_ratio
        return ratio is not None and calls >= self.minimum_calls and failures >= ratio * calls

    def _conclude(self, state: HalfOpen, report: Report, failed: bool, now: float) -> BreakerState:
        leases = tuple(lease for lease in state.leases if lease.until > now)
        rest = tuple(lease for lease in leases if lease.probe != report.ticket.probe)
        if len(rest) == len(leases):
            return state
        if failed:
            return self._open(state.generation + 1, state.trips + 1, report.chance, now)
        successes = state.successes + (report.verdict == "success")
        if successes >= self.half_open_max_calls:
            return Closed(state.generation + 1)
        return HalfOpen(state.generation, state.trips, state.issued, rest, successes)

    def _open(self, generation: int, trips: int, chance: float, now: float) -> Open:
        return Open(generation, trips, now + self.open_time(trips, chance))

    def open_time(self, trips: int, chance: float) -> float:
        """How long it stays open.

        Args:
            trips: How often it has opened since it was last closed, counted from 1.
            chance: A random number, at least 0 and less than 1.

        Returns:
            Seconds, drawn from the upper half below the bound; never less than
            `recovery_timeout`, so the first time exactly that.
        """
        try:
            bound = min(ldexp(self.recovery_timeout, trips - 1), self.max_recovery_timeout)
        except OverflowError:
            bound = self.max_recovery_timeout
        return max(self.recovery_timeout, bound * (1 + chance) / 2)
