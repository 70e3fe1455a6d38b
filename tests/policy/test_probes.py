"""The moments at which a circuit breaker changes: exactly at a limit, and just before it."""

from typing import Final

import pytest

from railhttp.policy.breaker import BreakerRule
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
    force_open,
    reset,
    state_name,
)

RULE: Final = BreakerRule(1, recovery_timeout=5.0, probe_lease=30.0, slow_call=2.0)
OPEN: Final = Open(3, 1, 100.0)
PROBING: Final = HalfOpen(4, 1, 1, (ProbeSlot(1, 130.0),))


@pytest.mark.parametrize(
    ("state", "now", "admitted", "after"),
    [
        (OPEN, 99.0, Rejection(1.0), OPEN),
        (OPEN, 100.0, Ticket(4, 1, 100.0), HalfOpen(4, 1, 1, (ProbeSlot(1, 130.0),))),
        (PROBING, 129.9, Rejection(None), PROBING),
        (PROBING, 130.0, Ticket(4, 2, 130.0), HalfOpen(4, 1, 2, (ProbeSlot(2, 160.0),))),
        (HalfOpen(4, 1, 1, (), 1), 100.0, Rejection(None), HalfOpen(4, 1, 1, (), 1)),
        (ForcedOpen(7), 100.0, Rejection(None), ForcedOpen(7)),
        (Closed(2, 3), 100.0, Ticket(2, 0, 100.0), Closed(2, 3)),
        (None, 100.0, Ticket(0, 0, 100.0), Closed()),
    ],
)
def test_a_call_is_admitted_from_the_moment_on_at_which_it_may_be(
    state: BreakerState | None, now: float, admitted: Ticket | Rejection, after: BreakerState
) -> None:
    assert RULE.admit(state, None, now) == (after, admitted)


@pytest.mark.parametrize(
    ("verdict", "now", "after"),
    [
        ("success", 101.0, Closed(5)),
        ("failure", 101.0, Open(5, 2, 101.0 + RULE.open_time(2, 0.5))),
        ("inconclusive", 101.0, HalfOpen(4, 1, 1, ())),
        ("success", 101.9, Closed(5)),
        ("success", 102.0, Open(5, 2, 102.0 + RULE.open_time(2, 0.5))),  # it was slow
        ("failure", 129.9, Open(5, 2, 129.9 + RULE.open_time(2, 0.5))),
        ("failure", 130.0, PROBING),  # its slot has ended
    ],
)
def test_a_probe_decides_as_long_as_it_has_its_slot(
    verdict: str, now: float, after: BreakerState
) -> None:
    report = Report(Ticket(4, 1, 100.0), verdict, 0.5)  # type: ignore[arg-type]  # of its values
    assert RULE.record(PROBING, report, now) == (after, None)


@pytest.mark.parametrize(
    "ticket", [Ticket(4, 2, 100.0), Ticket(4, 0, 100.0), Ticket(3, 1, 100.0), Ticket(5, 1, 100.0)]
)
def test_the_report_of_another_call_decides_nothing(ticket: Ticket) -> None:
    assert RULE.record(PROBING, Report(ticket, "failure", 0.5), 101.0) == (PROBING, None)


def test_several_probes_must_all_succeed() -> None:
    rule = BreakerRule(1, half_open_max_calls=2)
    state, first = rule.admit(Open(1, 1, 0.0), None, 10.0)
    state, second = rule.admit(state, None, 10.0)
    assert rule.admit(state, None, 10.0)[1] == Rejection(None)
    assert isinstance(first, Ticket)
    assert isinstance(second, Ticket)
    after, _ = rule.record(state, Report(first, "success", 0.5), 11.0)
    assert after == HalfOpen(2, 1, 2, (ProbeSlot(2, 40.0),), 1)
    assert rule.admit(after, None, 11.0)[1] == Rejection(None)
    assert rule.record(after, Report(second, "success", 0.5), 12.0)[0] == Closed(3)


@pytest.mark.parametrize(
    ("trips", "chance", "seconds"),
    [(1, 0.0, 5.0), (1, 1.0, 5.0), (2, 0.0, 5.0), (2, 1.0, 10.0), (3, 0.5, 15.0), (9, 1.0, 300.0)],
)
def test_a_breaker_stays_open_longer_with_each_trip(
    trips: int, chance: float, seconds: float
) -> None:
    assert RULE.open_time(trips, chance) == seconds


@pytest.mark.parametrize(
    ("calls", "failures", "opens"),
    [(19, 19, False), (20, 10, True), (20, 9, False), (21, 10, False)],
)
def test_the_ratio_of_failures_counts_once_there_are_enough_calls(
    calls: int, failures: int, opens: bool
) -> None:
    rule = BreakerRule(1000)
    state: BreakerState | None = Closed()
    for number in range(calls):
        verdict = "success" if number < calls - failures else "failure"
        report = Report(Ticket(0, 0, 1.0), verdict, 0.5)  # type: ignore[arg-type]  # of its values
        state, _ = rule.record(state, report, 1.0)
    assert isinstance(state, Open) is opens


def test_by_hand_a_breaker_opens_and_closes_in_a_new_generation() -> None:
    assert force_open(None, None, 0.0) == (ForcedOpen(1), None)
    assert force_open(Closed(4), None, 0.0) == (ForcedOpen(5), None)
    assert reset(None, None, 0.0) == (Closed(1), None)
    assert reset(ForcedOpen(5), None, 0.0) == (Closed(6), None)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (None, "closed"),
        (Closed(), "closed"),
        (OPEN, "open"),
        (ForcedOpen(1), "open"),
        (PROBING, "half_open"),
    ],
)
def test_a_state_has_its_name(state: BreakerState | None, name: str) -> None:
    assert state_name(state) == name
