"""The breaker equals a reference model after every event (invariants 11 to 18).

The model keeps every call that it ever counted and adds them up each time.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from properties.strategies import breaker_rules, chances
from tests.pipeline.scripted import ScriptedCall, answer, lost, outcome_of

from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import (
    BreakerState,
    HalfOpen,
    Rejection,
    Report,
    Ticket,
    force_open,
    reset,
    state_name,
)
from railhttp.policy.health import Verdict
from railhttp.policy.window import BUCKETS, Window
from railhttp.testing import ManualClock

VERDICTS: Final = st.sampled_from(["success", "failure", "failure", "inconclusive"])
LEGAL: Final = {
    ("closed", "open"),
    ("open", "half_open"),
    ("half_open", "open"),
    ("half_open", "closed"),
}


@dataclass
class Model:
    """What a breaker should do, said at length."""

    rule: BreakerRule
    state: str = "closed"
    forced: bool = False
    era: int = 0
    counted: list[tuple[float, bool]] = field(default_factory=list)
    until: float = 0.0
    trips: int = 0
    probes: dict[int, float] = field(default_factory=dict)
    issued: int = 0
    successes: int = 0

    def enter(self, state: str, *, forced: bool = False) -> None:
        self.state, self.forced = state, forced
        self.era += 1
        self.counted, self.probes, self.issued, self.successes = [], {}, 0, 0

    def admits(self, now: float) -> tuple[int, int] | None:
        if self.state == "open" and not self.forced and now >= self.until:
            self.enter("half_open")
        if self.state == "closed":
            return self.era, 0
        if self.state == "open":
            return None
        self.probes = {probe: until for probe, until in self.probes.items() if until > now}
        if len(self.probes) + self.successes >= self.rule.half_open_max_calls:
            return None
        self.issued += 1
        self.probes[self.issued] = now + self.rule.probe_lease
        return self.era, self.issued

    def report(self, era: int, probe: int, failed: bool | None, chance: float, now: float) -> None:
        if era != self.era:
            return
        if self.state == "half_open":
            self.report_probe(probe, failed, chance, now)
        elif failed is not None:
            self.counted.append((now, failed))
            if failed and self.is_too_much(now):
                self.trip(1, chance, now)

    def report_probe(self, probe: int, failed: bool | None, chance: float, now: float) -> None:
        if self.probes.get(probe, now) <= now:
            return
        del self.probes[probe]
        if failed:
            self.trip(self.trips + 1, chance, now)
        elif failed is False:
            self.successes += 1
            if self.successes == self.rule.half_open_max_calls:
                self.enter("closed")

    def is_too_much(self, now: float) -> bool:
        row = 0
        for _, failed in self.counted:
            row = row + 1 if failed else 0
        recent = in_window(self.counted, now, self.rule.window)
        ratio = self.rule.failure_ratio
        return row >= self.rule.failure_threshold or (
            ratio is not None
            and len(recent) >= self.rule.minimum_calls
            and sum(recent) / len(recent) >= ratio
        )

    def trip(self, trips: int, chance: float, now: float) -> None:
        self.enter("open")
        self.trips = trips
        bound = min(self.rule.recovery_timeout * 2 ** (trips - 1), self.rule.max_recovery_timeout)
        self.until = now + max(self.rule.recovery_timeout, bound * (1 + chance) / 2)


def in_window(counted: list[tuple[float, bool]], now: float, span: float) -> list[bool]:
    """Which of the calls lie in the last ten steps of the window, by counting every one."""
    step = int(now * BUCKETS // span)
    return [failed for when, failed in counted if int(when * BUCKETS // span) > step - BUCKETS]


class BreakerMachine(RuleBasedStateMachine):
    """Plays arrivals, reports, time and hands on the switch, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.state: BreakerState | None = None
        self.in_flight: list[Ticket] = []

    @initialize(breaker_rule=breaker_rules)
    def begin(self, breaker_rule: BreakerRule) -> None:
        self.rule = breaker_rule
        self.model = Model(breaker_rule)
        self.before = "closed"

    @rule(seconds=st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(callers=st.integers(1, 6))
    def calls_arrive(self, callers: int) -> None:
        for _ in range(callers):
            expected = self.model.admits(self.now)
            self.state, admission = self.rule.admit(self.state, None, self.now)
            if expected is None:
                assert isinstance(admission, Rejection), "a refused call must not pass"
                self.check_retry_after(admission)
            else:
                assert isinstance(admission, Ticket)
                assert (admission.generation, admission.probe) == expected
                self.in_flight.append(admission)

    def check_retry_after(self, refusal: Rejection) -> None:
        """`retry_after` is exact while the circuit is open, unless it was forced open."""
        if self.model.state == "open" and not self.model.forced:
            assert refusal.retry_after == self.model.until - self.now > 0
        else:
            assert refusal.retry_after is None

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 10**6), verdict=VERDICTS, chance=chances)
    def a_call_ends(self, which: int, verdict: Verdict, chance: float) -> None:
        ticket = self.in_flight.pop(which % len(self.in_flight))
        slow = self.rule.slow_call
        failed = None if verdict == "inconclusive" else verdict == "failure"
        if failed is False and slow is not None and self.now - ticket.since >= slow:
            failed = True
        self.model.report(ticket.generation, ticket.probe, failed, chance, self.now)
        before = self.state
        self.state, _ = self.rule.record(self.state, Report(ticket, verdict, chance), self.now)
        if before is not None and before.generation != ticket.generation:
            assert self.state is before, "a result from another generation changes nothing"
        if verdict == "inconclusive":
            same = state_name(self.state) == state_name(before)
            assert same, "an inconclusive result neither opens nor closes"

    @rule()
    def somebody_forces_it_open(self) -> None:
        self.state, _ = force_open(self.state, None, self.now)
        self.model.enter("open", forced=True)
        self.before = "open"

    @rule()
    def somebody_resets_it(self) -> None:
        self.state, _ = reset(self.state, None, self.now)
        self.model.enter("closed")
        self.before = "closed"

    @invariant()
    def it_equals_the_model(self) -> None:
        state = state_name(self.state)
        assert state == self.model.state
        assert state == self.before or (self.before, state) in LEGAL, "only legal transitions"
        self.before = state

    @invariant()
    def probes_in_flight_are_few(self) -> None:
        if isinstance(self.state, HalfOpen):
            alive = [slot for slot in self.state.slots if slot.until > self.now]
            assert len(alive) + self.state.successes <= self.rule.half_open_max_calls


def test_the_breaker_equals_its_model_after_any_trace() -> None:
    run_state_machine_as_test(BreakerMachine)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60),
    st.sampled_from([1.0, 7.0, 30.0]),
)
def test_the_window_counts_the_calls_that_a_full_list_would_count(
    calls: list[tuple[float, bool]], span: float
) -> None:
    window, counted, now = Window(), [], 0.0
    for pause, failed in calls:
        now += pause
        counted.append((now, failed))
        window = window.record(failed, now=now, span=span)
        recent = in_window(counted, now, span)
        assert window.sums() == (len(recent), sum(recent))
        assert len(window.buckets) <= BUCKETS


@given(
    breaker_rules,
    st.lists(st.tuples(st.floats(0, 2), st.sampled_from(["ok", "ok", "fail", "reset"]))),
)
def test_the_breaker_with_its_store_equals_the_model_after_any_calls(
    breaker_rule: BreakerRule, calls: list[tuple[float, str]]
) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        breaker = CircuitBreaker(rule=breaker_rule, clock=clock)
        model = Model(breaker_rule)
        for pause, what in calls:
            await clock.advance(pause)
            if what == "reset":
                await breaker.reset()
                model.enter("closed")
                continue
            admitted = model.admits(clock.monotonic())
            call = ScriptedCall(clock, [answer(200) if what == "ok" else lost()])
            await outcome_of(breaker.call(call))
            assert call.attempts == (admitted is not None)
            if admitted is not None:
                model.report(*admitted, what == "fail", 0.5, clock.monotonic())
            assert breaker.state == model.state

    asyncio.run(scenario())


@given(st.integers(1, 30), st.integers(0, 40))
def test_below_the_minimum_number_of_calls_the_ratio_never_opens_the_circuit(
    minimum: int, calls: int
) -> None:
    breaker = BreakerRule(failure_threshold=1000, minimum_calls=minimum)
    state: BreakerState | None = None
    for _ in range(calls):
        state, ticket = breaker.admit(state, None, 0.0)
        if isinstance(ticket, Ticket):
            state, _ = breaker.record(state, Report(ticket, "failure", 0.5), 0.0)
    assert state_name(state) == ("closed" if calls < minimum else "open")


@given(breaker_rules, st.integers(1, 100_000), chances)
def test_the_open_time_grows_within_its_bounds(
    breaker: BreakerRule, trips: int, chance: float
) -> None:
    seconds = breaker.open_time(trips, chance)
    assert breaker.recovery_timeout <= seconds <= breaker.max_recovery_timeout
    assert breaker.open_time(1, chance) == breaker.recovery_timeout
