"""Corners of the breaker's transitions that no call through a `CircuitBreaker` reaches."""

import pytest

from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState, Closed, ForcedOpen, Open, Report, Ticket


@pytest.mark.parametrize("state", [Open(3, 1, 5.0), ForcedOpen(3)])
def test_an_open_circuit_admitted_nobody_and_so_learns_nothing(state: BreakerState) -> None:
    report = Report(Ticket(3, 0, 0.0), "success", 0.5)
    assert BreakerRule().record(state, report, 1.0) == (state, None)


def test_a_report_about_a_forgotten_state_changes_nothing() -> None:
    report = Report(Ticket(0, 0, 0.0), "failure", 0.5)
    assert BreakerRule(failure_threshold=1).record(None, report, 1.0) == (None, None)


def test_a_report_may_stand_for_several_calls_of_some_time_ago() -> None:
    rule = BreakerRule(window=10.0)
    report = Report(Ticket(0, 0, 0.0), "success", 0.5, calls=7, ago=2.0)
    state, _ = rule.record(Closed(), report, 12.5)
    assert isinstance(state, Closed)
    assert state.window.buckets == ((10, 7, 0),)
