"""The retry budget stays within its bounds and pays for every retry (invariant 7)."""

from hypothesis import given
from hypothesis import strategies as st

from railhttp.model.errors import HTTPConnectionError, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.policy.budget import RetryBudget, Tokens

EVENTS = st.sampled_from(["transport", "throttled", "success", "refund"])


@given(st.lists(EVENTS, max_size=300), st.integers(14, 600))
def test_tokens_stay_between_zero_and_the_capacity_and_pay_for_every_retry(
    events: list[str], capacity: int
) -> None:
    budget = RetryBudget(capacity=capacity)
    costs = {
        "transport": budget.cost(HTTPConnectionError(kind="connect")),
        "throttled": budget.cost(HTTPStatusError(HttpResponse(429))),
    }
    assert costs == {"transport": 14, "throttled": 5}
    tokens: Tokens | None = None
    spent, earned = 0, 0
    for event in events:
        if event in costs:
            tokens, paid = budget.charge(tokens, costs[event], 0.0)
            spent += costs[event] * paid
        else:
            amount = budget.credit if event == "success" else budget.transport_cost
            tokens, _ = budget.repay(tokens, amount, 0.0)
            earned += amount
        assert 0 <= (capacity if tokens is None else tokens.held) <= capacity
        assert spent <= capacity + earned


@given(st.integers(0, 499), st.integers(0, 50))
def test_a_retry_that_the_budget_cannot_pay_takes_no_tokens(held: int, cost: int) -> None:
    left, paid = RetryBudget().charge(Tokens(held, 0.0), cost, 0.0)
    assert (left, paid) == (Tokens(held - cost if cost <= held else held, 0.0), cost <= held)


@given(st.integers(0, 499), st.floats(0, 1e6), st.floats(0, 10))
def test_time_fills_the_bucket_and_never_beyond_its_capacity(
    held: int, passed: float, refill: float
) -> None:
    budget = RetryBudget(refill=refill)
    state, _ = budget.charge(Tokens(held, 1.0), 0, 1.0 + passed)
    expected = held + passed * refill
    if state is None:
        assert expected >= budget.capacity * (1 - 1e-9)
    else:
        assert abs(state.held - expected) <= 1e-6 * (1 + expected)


def test_an_outage_of_yesterday_does_not_forbid_a_retry_today() -> None:
    budget = RetryBudget()
    state, paid = budget.charge(Tokens(0, 0.0), budget.transport_cost, 86_400.0)
    assert paid
    assert state is not None
    assert state.held == budget.capacity - budget.transport_cost
