"""The documented defaults of policies and interceptors, and the names of measurements."""

import inspect
from collections.abc import Callable

import pytest

from railhttp.auth import ApiKey, BasicAuth, BearerAuth, DigestAuth, NetrcAuth, SigV4, TokenAuth
from railhttp.interceptors import CorrelationId, MessageSigning, RequestInterceptor, UserAgent
from railhttp.pipeline.interceptors.oauth2 import EARLY
from railhttp.pipeline.interceptors.token_auth import TokenInterceptor
from railhttp.pipeline.interceptors.token_flight import TokenFlight
from railhttp.pipeline.observation import metrics
from railhttp.pipeline.policies.store import MemoryStore
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.budget import RetryBudget
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.retry import RetryRule
from railhttp.resilience import (
    Bulkhead,
    CircuitBreaker,
    OriginBreakers,
    RateLimiter,
    ResiliencePipeline,
    RetryPolicy,
)

DEFAULTS: list[tuple[Callable[..., object], dict[str, object]]] = [
    (CircuitBreaker, {"name": ""}),
    (OriginBreakers, {"max_origins": 1024}),
    (RateLimiter, {"name": ""}),
    (RetryPolicy, {"reraise": False, "budget": RetryBudget(), "on_retry": None}),
    (ResiliencePipeline.standard, {"limit": 1000, "attempt_timeout": 10.0, "total": 30.0}),
    (MemoryStore, {"max_keys": 1024}),
    (TokenFlight, {"early": 0.0, "timeout": None}),
    (TokenInterceptor, {"early": 0.0, "timeout": None, "origin": None}),
    (MessageSigning, {"label": "railhttp", "origin": None}),
    (ApiKey, {"header": "X-Api-Key"}),
    (CorrelationId, {"header": "X-Correlation-ID"}),
    (TokenAuth, {"timeout": 30.0, "origin": None}),
]


@pytest.mark.parametrize(
    ("make", "name", "default"),
    [(make, name, default) for make, names in DEFAULTS for name, default in names.items()],
)
def test_a_default_is_the_documented_one(
    make: Callable[..., object], name: str, default: object
) -> None:
    found = inspect.signature(make).parameters[name].default
    assert (found, type(found)) == (default, type(default))


@pytest.mark.parametrize(
    ("layer", "rule"),
    [(CircuitBreaker().rule, BreakerRule()), (RetryPolicy().rule, RetryRule())],
)
def test_a_layer_has_the_defaults_of_its_rule(
    layer: BreakerRule | RetryRule, rule: BreakerRule | RetryRule
) -> None:
    """tests/policy/test_defaults.py has the numbers."""
    assert layer == rule


@pytest.mark.parametrize(
    ("layer", "rule", "names"),
    [
        (Bulkhead, BulkheadRule(1), {"max_queue", "max_wait"}),
        (RateLimiter, RateRule(1.0), {"burst", "max_queue", "max_wait"}),
    ],
)
def test_a_queue_has_the_defaults_of_its_rule(
    layer: Callable[..., object], rule: BulkheadRule | RateRule, names: set[str]
) -> None:
    parameters = inspect.signature(layer).parameters
    assert {name: parameters[name].default for name in names} == {
        name: getattr(rule, name) for name in names
    }


def test_the_standard_pipeline_has_a_layer_for_each_of_its_numbers() -> None:
    stack = ResiliencePipeline.standard().stack
    assert repr(stack.bulkhead) == "<Bulkhead of 1000, 0 running, 0 waiting>"
    assert stack.attempt_timeout is not None
    assert stack.attempt_timeout.seconds == 10.0


@pytest.mark.parametrize(
    "kind",
    [ApiKey, BasicAuth, BearerAuth, DigestAuth, MessageSigning, NetrcAuth, SigV4, TokenAuth],
)
def test_credentials_are_for_one_origin(kind: type[RequestInterceptor]) -> None:
    assert kind.is_credential
    assert not any(one.is_credential for one in (RequestInterceptor, CorrelationId, UserAgent))


def test_a_token_is_replaced_a_minute_before_it_expires() -> None:
    assert EARLY == 60.0


@pytest.mark.parametrize(
    ("name", "measurement"),
    [
        (metrics.DURATION, "http.request.duration"),
        (metrics.STATUS, "http.request.status"),
        (metrics.CIRCUIT_CHANGES, "http.circuit.changes"),
        (metrics.CIRCUIT_STATE, "http.circuit.state"),
        (metrics.BUDGET_EXHAUSTED, "http.retry_budget.exhausted"),
        (metrics.STORE_CHANGES, "http.store.changes"),
        (metrics.STORE_UP, "http.store.up"),
    ],
)
def test_a_measurement_has_the_name_of_the_manual(name: str, measurement: str) -> None:
    """Dashboards and alerts are written with it."""
    assert name == measurement


def test_waits_and_circuits_are_measured_by_their_kind() -> None:
    assert metrics.WAITS == {
        "pool": "http.pool.wait",
        "rate_limit": "http.rate_limit.wait",
        "bulkhead": "http.bulkhead.wait",
    }
    assert metrics.CIRCUIT_STATES == {"closed": 0, "half_open": 1, "open": 2}


def test_the_buckets_are_those_of_opentelemetry() -> None:
    """OpenTelemetry, semantic conventions for HTTP metrics, `http.client.request.duration`."""
    seconds = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert seconds == metrics.BUCKETS
