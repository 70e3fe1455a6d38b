"""The retry budget stays within its bounds and pays for every retry (invariant 7)."""

from hypothesis import given
from hypothesis import strategies as st

from railhttp.model.errors import HTTPConnectionError, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.policy.budget import RetryBudget

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
    tokens, spent, earned = None, 0, 0
    for event in events:
        if event in costs:
            tokens, paid = budget.charge(tokens, costs[event], 0.0)
            spent += costs[event] * paid
        else:
            amount = budget.credit if event == "success" else budget.transport_cost
            tokens, _ = budget.repay(tokens, amount, 0.0)
            earned += amount
        assert 0 <= (capacity if tokens is None else tokens) <= capacity
        assert spent <= capacity + earned


@given(st.integers(0, 500), st.integers(0, 50))
def test_a_retry_that_the_budget_cannot_pay_takes_no_tokens(tokens: int, cost: int) -> None:
    held, paid = RetryBudget().charge(tokens, cost, 0.0)
    assert (held, paid) == ((tokens - cost, True) if cost <= tokens else (tokens, False))
