"""The defaults that the documentation promises of the rules.

The layers have the same: tests/pipeline/test_defaults.py.
"""

from collections.abc import Mapping
from dataclasses import fields

import pytest

from railhttp.policy.backoff import Backoff
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.budget import RetryBudget
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.retry import RetryRule

BREAKER = {
    "failure_threshold": 5,
    "recovery_timeout": 5.0,
    "failure_ratio": 0.5,
    "minimum_calls": 20,
    "window": 30.0,
    "max_recovery_timeout": 300.0,
    "half_open_max_calls": 1,
    "probe_lease": 30.0,
    "slow_call": None,
    "failure_if": None,
    "failure_if_response": None,
}
RETRY = {
    "max_attempts": 3,
    "backoff": Backoff(0.05, 20.0, jitter=True),
    "throttling": Backoff(1.0, 20.0, jitter=True),
    "retry_after_cap": 60.0,
    "statuses": {408, 429, 500, 502, 503, 504},
    "retry_if": None,
    "retry_if_response": None,
}
BACKOFF = {"base": 0.05, "maximum": 20.0, "jitter": True}
BUDGET = {"capacity": 500, "transport_cost": 14, "throttle_cost": 5, "credit": 1, "refill": 1.0}
BULKHEAD = {"limit": 1, "max_queue": 100, "max_wait": None}
RATE = {"rate": 1.0, "burst": 1, "max_queue": 100, "max_wait": None}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BreakerRule(), BREAKER),
        (RetryRule(), RETRY),
        (Backoff(), BACKOFF),
        (RetryBudget(), BUDGET),
        (BulkheadRule(1), BULKHEAD),
        (RateRule(1.0), RATE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_rule_has_the_documented_defaults(
    rule: BreakerRule | RetryRule, expected: Mapping[str, object]
) -> None:
    assert {one.name: getattr(rule, one.name) for one in fields(rule)} == expected
