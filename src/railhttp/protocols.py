"""The protocols: what a client needs of its parts, and what it offers to its users.

Any object with these methods works; no class has to inherit from them. Each protocol is defined
beside its owner and re-exported here.
"""

from railhttp.client.protocol import HTTPClientProtocol
from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.model.clock import Clock, TimerHandle
from railhttp.model.exchange import Exchange, IncomingResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.interceptors.chain import InterceptorChainProtocol, InterceptorProtocol
from railhttp.pipeline.observation.instruments import (
    InstrumentProtocol,
    MetricsRecorderProtocol,
    ObservationProtocol,
)
from railhttp.pipeline.policies.breaker import (
    CircuitBreakerControlProtocol,
    CircuitBreakerRegistryProtocol,
)
from railhttp.pipeline.policies.store import StateStore, StoreServerProtocol
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol

__all__ = [
    "CircuitBreakerControlProtocol",
    "CircuitBreakerProtocol",
    "CircuitBreakerRegistryProtocol",
    "Clock",
    "ContainerRegistrarProtocol",
    "ContainerResolverProtocol",
    "Exchange",
    "HTTPClientProtocol",
    "IncomingResponse",
    "InstrumentProtocol",
    "InterceptorChainProtocol",
    "InterceptorProtocol",
    "MetricsRecorderProtocol",
    "ObservationProtocol",
    "ResiliencePipelineProtocol",
    "RetryPolicyProtocol",
    "StateStore",
    "StoreServerProtocol",
    "TimerHandle",
]
