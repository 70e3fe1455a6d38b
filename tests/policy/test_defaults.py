"""The defaults that the documentation promises, of the rules and of the layers that take them."""

from collections.abc import Callable, Mapping
from dataclasses import fields

import pytest

from railhttp import (
    HTTPFailure,
    HTTPInterceptorError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.policy.backoff import Backoff
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.budget import RetryBudget
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.retry import RetryRule
from railhttp.resilience import (
    Bulkhead,
    CircuitBreaker,
    RateLimiter,
    ResiliencePipeline,
    RetryPolicy,
)

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
        (CircuitBreaker().rule, BREAKER),
        (RetryRule(), RETRY),
        (RetryPolicy().rule, RETRY),
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


def test_the_standard_pipeline_has_the_documented_numbers() -> None:
    stack = ResiliencePipeline.standard().stack
    assert isinstance(stack.bulkhead, Bulkhead)
    assert repr(stack.bulkhead) == "<Bulkhead of 1000, 0 running, 0 waiting>"
    assert stack.attempt_timeout is not None
    assert stack.attempt_timeout.seconds == 10.0


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("retry_if", lambda bad, _: RetryRule(retry_if=bad).wants(HTTPTimeoutError(phase="read"))),
        (
            "retry_if_response",
            lambda bad, response: RetryRule(retry_if_response=bad).wants_response(response),
        ),
        (
            "failure_if",
            lambda bad, _: BreakerRule(failure_if=bad).judge(HTTPTimeoutError(phase="read")),
        ),
        (
            "failure_if_response",
            lambda bad, response: BreakerRule(failure_if_response=bad).judge_response(response),
        ),
    ],
)
def test_a_predicate_that_raises_is_blamed_by_its_name(
    name: str, ask: Callable[[Callable[[object], bool], HttpResponse], object]
) -> None:
    def bad(_: object) -> bool:
        raise LookupError

    with pytest.raises(HTTPInterceptorError, match=f"{name} raised LookupError") as caught:
        ask(bad, HttpResponse(500))
    assert caught.value.interceptor == name


@pytest.mark.parametrize(
    "failure", [HTTPTimeoutError(phase="read"), HTTPStatusError(HttpResponse(503))]
)
def test_a_predicate_that_returns_false_makes_a_failure_a_success(failure: HTTPFailure) -> None:
    rule = BreakerRule(failure_if=lambda _: False, failure_if_response=lambda _: False)
    assert rule.judge(failure) == "success"


def test_a_rate_limiter_takes_one_call_at_a_time_by_default() -> None:
    assert repr(RateLimiter(2.0)) == "<RateLimiter of 2 per second, 0 waiting>"
