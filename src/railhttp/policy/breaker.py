"""The circuit breaker: `(state, event, now) → (state, decision)`.

    state      event                                         next state
    ─────────  ────────────────────────────────────────────  ──────────
    closed     too many failures, in a row or in the window   open
    open       a call arrives after its time                  half-open
    half-open  a probe fails                                  open, for longer
    half-open  `half_open_max_calls` probes succeed           closed
    any        `force_open`                                   forced open
    any        `reset`                                        closed

Every transition starts a new generation. A report from an older generation changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
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
from railhttp.policy.backoff import Backoff
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
from railhttp.policy.callbacks import call_predicate
from railhttp.policy.health import Verdict, judge_failure, judge_status
from railhttp.policy.window import Window


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, for how long, and when it closes.

    The defaults lie within the range of Polly and resilience4j.

    Args:
        failure_threshold: Number of consecutive failures that opens the breaker, for a dead host
            with little traffic.
        recovery_timeout: Seconds that the breaker stays open the first time. Each failed recovery
            doubles the bound, and the time is drawn from its upper half, so that the clients of a
            host do not probe it all at once.
        failure_ratio: Share of failures in the window that opens the breaker, more than 0 and at
            most 1, for a host that fails often but not every time. None disables the window.
        minimum_calls: Number of calls that the window must hold before its ratio counts, so that a
            few failures at a quiet time do not open the breaker.
        window: Length of the window, in seconds; it must hold at least two attempt timeouts.
        max_recovery_timeout: Upper bound of the time that the breaker stays open, in seconds.
        half_open_max_calls: Number of probes admitted after that time; the breaker closes when all
            of them succeed, and opens again when one fails.
        probe_lease: Seconds after which a probe without an outcome loses its slot to another, so
            that a hung probe cannot keep the breaker half-open.
        slow_call: Seconds from which a successful call counts as a failure; None means never.
        failure_if: Decides whether a failure counts against the host; it is not called for failures
            that prove nothing about the host.
        failure_if_response: Decides whether a response counts against the host; by default, 429 and
            5xx do.

    Raises:
        HTTPValidationError: A number is out of range, or a predicate is not callable.

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
        """Judge the host by a response."""
        if self.failure_if_response is None:
            return judge_status(response.status)
        failed = call_predicate("failure_if_response", self.failure_if_response, response)
        return "failure" if failed else "success"

    def judge(self, failure: HTTPFailure) -> Verdict:
        """Judge the host by a failed call."""
        if isinstance(failure, HTTPStatusError):
            return self.judge_response(failure.response)
        verdict = judge_failure(failure)
        if self.failure_if is None or verdict == "inconclusive":
            return verdict
        return "failure" if call_predicate("failure_if", self.failure_if, failure) else "success"

    def admit(
        self, state: BreakerState | None, event: None, now: float
    ) -> tuple[BreakerState, Ticket | Rejection]:
        """Admit or reject a new call; None is the state of a new breaker."""
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
        slots = tuple(slot for slot in state.slots if slot.until > now)
        if len(slots) + state.successes >= self.half_open_max_calls:
            return state, Rejection(None)
        probe = state.issued + 1
        slots = (*slots, ProbeSlot(probe, now + self.probe_lease))
        return state._replace(issued=probe, slots=slots), Ticket(state.generation, probe, now)

    def record(
        self, state: BreakerState | None, report: Report, now: float
    ) -> tuple[BreakerState | None, None]:
        """Record the end of an admitted call; the state is None if its store has dropped it."""
        if state is None or report.ticket.generation != state.generation:
            return state, None
        slow = inf if self.slow_call is None else self.slow_call
        took = now - report.ticket.since
        failed = report.verdict == "failure" or (report.verdict == "success" and took >= slow)
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

    def _count(self, state: Closed, report: Report, failed: bool, now: float) -> BreakerState:
        in_a_row = state.in_a_row + 1 if failed else 0
        window = state.window
        if self.failure_ratio is not None:
            ended = now - report.ago
            window = window.record(failed, now=ended, span=self.window, calls=report.calls)
        if failed and (in_a_row >= self.failure_threshold or self._is_ratio_reached(window)):
            return self._open(state, 1, report.chance, now)
        return Closed(state.generation, in_a_row, window)

    def _is_ratio_reached(self, window: Window) -> bool:
        calls, failures = window.sums()
        ratio = self.failure_ratio
        return ratio is not None and calls >= self.minimum_calls and failures >= ratio * calls

    def _conclude(self, state: HalfOpen, report: Report, failed: bool, now: float) -> BreakerState:
        slots = tuple(slot for slot in state.slots if slot.until > now)
        rest = tuple(slot for slot in slots if slot.probe != report.ticket.probe)
        if len(rest) == len(slots):
            return state
        if failed:
            return self._open(state, state.trips + 1, report.chance, now)
        successes = state.successes + (report.verdict == "success")
        if successes >= self.half_open_max_calls:
            return Closed(state.generation + 1)
        return state._replace(slots=rest, successes=successes)

    def _open(self, state: Closed | HalfOpen, trips: int, chance: float, now: float) -> Open:
        return Open(state.generation + 1, trips, now + self.open_time(trips, chance))

    def open_time(self, trips: int, chance: float) -> float:
        """Return how many seconds the breaker stays open the `trips`-th time in a row.

        The time is drawn from the upper half of its bound, but is at least `recovery_timeout`; the
        first time it is exactly that.
        """
        bound = Backoff(self.recovery_timeout, self.max_recovery_timeout).bound(trips)
        return max(self.recovery_timeout, bound * (1 + chance) / 2)
