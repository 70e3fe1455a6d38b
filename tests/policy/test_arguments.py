"""The arguments of each rule: the limits on both sides, and the name in the error."""

from collections.abc import Callable
from math import inf, nan
from typing import Final

import pytest

from railhttp import HTTPValidationError
from railhttp.policy.backoff import Backoff
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.budget import RetryBudget
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.egress import Egress
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.retry import RetryRule

Make = Callable[..., object]

RULES: Final[list[tuple[Make, str, tuple[object, ...], tuple[object, ...]]]] = [
    (Backoff, "base", (0, 0.5, 9), (-0.1, inf, nan, True, "1")),
    (Backoff, "maximum", (0, 0.5, 9), (-0.1, inf, nan, True, "1")),
    (Backoff, "jitter", (True, False), (0, 1, None, "yes")),
    (BreakerRule, "failure_threshold", (1, 2), (0, -1, 1.5, True, None)),
    (BreakerRule, "minimum_calls", (1, 2), (0, -1, 1.5, True, None)),
    (BreakerRule, "half_open_max_calls", (1, 2), (0, -1, 1.5, True, None)),
    (BreakerRule, "recovery_timeout", (0.001, 300), (0, -1, inf, None, "1")),
    (BreakerRule, "window", (0.001, 300), (0, -1, inf, None, "1")),
    (BreakerRule, "probe_lease", (0.001, 300), (0, -1, inf, None, "1")),
    (BreakerRule, "slow_call", (None, 0.001, 300), (0, -1, inf, "1")),
    (BreakerRule, "failure_ratio", (None, 0.001, 1), (0, -0.1, 1.001, "1")),
    (BreakerRule, "max_recovery_timeout", (5, 5.1), (4.9, 0, inf, None)),
    (BreakerRule, "failure_if", (None, bool), (1, "f")),
    (BreakerRule, "failure_if_response", (None, bool), (1, "f")),
    (BulkheadRule, "limit", (1, 2), (0, -1, 1.5, None)),
    (BulkheadRule, "max_queue", (0, 1), (-1, inf, None, "1")),
    (BulkheadRule, "max_wait", (None, 0, 0.5), (-0.1, inf, "1")),
    (RateRule, "rate", (0.001, 1000), (0, -1, inf)),
    (RateRule, "burst", (1, 2), (0, -1, 1.5, None)),
    (RateRule, "max_queue", (0, 1), (-1, inf, None, "1")),
    (RateRule, "max_wait", (None, 0, 0.5), (-0.1, inf, "1")),
    (RetryBudget, "capacity", (14, 15), (13, -1, inf, None)),
    (RetryBudget, "transport_cost", (0, 500), (-1, inf, None)),
    (RetryBudget, "throttle_cost", (0, 500), (-1, inf, None)),
    (RetryBudget, "credit", (0, 1), (-1, inf, None)),
    (RetryBudget, "refill", (0, 0.5), (-0.1, inf, None)),
    (RetryRule, "max_attempts", (1, 2), (0, -1, 1.5, None)),
    (RetryRule, "retry_after_cap", (0, 0.5), (-0.1, inf, None)),
    (RetryRule, "retry_if", (None, bool), (1, "f")),
    (RetryRule, "retry_if_response", (None, bool), (1, "f")),
    (
        Egress,
        "allow",
        ([], ["10.0.0.0/8"], ("h.example:1", "h.example:65535"), {"*.a", "[::1]:80"}),
        ("h.example", b"h", None, [1], ["h", 1], [""], ["*."], ["10.0.0.0/33"], ["h:0"],
         ["h:65536"], ["10.1"], ["*.10.1.2.3"], ["[::1"], ["[::1]]"], ["a b"]),
    ),
    (Egress, "deny", ([], ["10.0.0.0/8"]), ("h.example", None, [1], [""], ["h:0"])),
    (
        Egress,
        "ports",
        (None, [], [1, 65535], {80}),
        ([0], [65536], "80", b"80", 80, ["80"], [True]),
    ),
    (
        Egress,
        "schemes",
        (None, [], ["http"], ["HTTPS", "http"]),
        (["ftp"], "http", b"http", 1, [1], ["http", 1]),
    ),
]  # fmt: skip
NEEDED: Final[dict[Make, dict[str, object]]] = {
    BulkheadRule: {"limit": 1},
    RateRule: {"rate": 1.0},
}
NAMES: Final[dict[tuple[Make, str], str]] = {
    (Backoff, "base"): "base_delay",
    (Backoff, "maximum"): "max_delay",
}
"""The names under which a retry policy has them."""


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [(rule, name, value) for rule, name, values, _ in RULES for value in values],
)
def test_an_argument_is_taken_up_to_its_limits(rule: Make, name: str, value: object) -> None:
    assert rule(**{**NEEDED.get(rule, {}), name: value}) is not None


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [(rule, name, value) for rule, name, _, values in RULES for value in values],
)
def test_an_argument_beyond_its_limits_is_named(rule: Make, name: str, value: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        rule(**{**NEEDED.get(rule, {}), name: value})
    expected = NAMES.get((rule, name), name)
    dear = rule is RetryBudget and name.endswith("cost")
    assert caught.value.field == expected or (dear and caught.value.field == "capacity")


@pytest.mark.parametrize("cost", ["transport_cost", "throttle_cost"])
def test_a_retry_that_costs_more_than_the_capacity_is_refused(cost: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        RetryBudget(**{"capacity": 20, cost: 21})
    assert caught.value.field == "capacity"
    assert RetryBudget(**{"capacity": 20, cost: 20}).capacity == 20


@pytest.mark.parametrize("name", ["allow", "deny", "ports", "schemes"])
@pytest.mark.parametrize("value", ["s3cret", b"s3cret", ["s3 cret"]])
def test_no_error_shows_the_refused_text(name: str, value: object) -> None:
    make: Make = Egress
    with pytest.raises(HTTPValidationError) as caught:
        make(**{name: value})
    assert "cret" not in str(caught.value)


def test_a_gate_keeps_what_it_is_given() -> None:
    gate = Egress(allow=["h.example"], deny=["10.0.0.0/8"], ports=[80], schemes=["HTTPS"])
    assert (gate.allow, gate.deny) == (("h.example",), ("10.0.0.0/8",))
    assert (gate.ports, gate.schemes) == (frozenset({80}), frozenset({"https"}))
    assert (Egress().ports, Egress().schemes) == (None, None)
