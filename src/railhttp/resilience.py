"""Retries, circuit breakers, bulkheads, rate limits and timeouts, alone or as one pipeline."""

from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import (
    CircuitBreaker,
    CircuitBreakerControlProtocol,
    CircuitBreakerRegistryProtocol,
)
from railhttp.pipeline.policies.breaker_registry import (
    CircuitBreakerRegistry,
    OriginBreakers,
)
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import (
    RetryPolicy,
)
from railhttp.pipeline.policies.store import (
    MemoryStore,
    StateStore,
    StoreRefusal,
)
from railhttp.pipeline.resilience import (
    ResiliencePipeline,
    require_stack,
)
from railhttp.pipeline.stack import (
    CircuitBreakerProtocol,
    Layer,
    ResiliencePipelineProtocol,
    Stack,
)
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.budget import RetryBudget
from railhttp.policy.retry import RetryEvent
from railhttp.validation import check_pipeline

__all__ = [
    "AttemptTimeout",
    "BreakerRule",
    "Bulkhead",
    "CircuitBreaker",
    "CircuitBreakerControlProtocol",
    "CircuitBreakerProtocol",
    "CircuitBreakerRegistry",
    "CircuitBreakerRegistryProtocol",
    "Layer",
    "MemoryStore",
    "OriginBreakers",
    "RateLimiter",
    "ResiliencePipeline",
    "ResiliencePipelineProtocol",
    "RetryBudget",
    "RetryEvent",
    "RetryPolicy",
    "RetryPolicyProtocol",
    "Stack",
    "StateStore",
    "StoreRefusal",
    "check_pipeline",
    "require_stack",
]
