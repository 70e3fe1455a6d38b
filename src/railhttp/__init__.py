"""railhttp: an async HTTP client in which every failure is a typed value.

`HTTPClient` has verbs that return a `Result`, and a `request()` that raises; what can go wrong is
a closed union, `HTTPFailure`. The functional faces stand in `railhttp.railway`.
"""

import importlib
import typing

from railhttp.client.http_client import HTTPClient
from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.body import BodyData
from railhttp.model.config import ConnectionPoolConfig, HTTPClientConfig
from railhttp.model.context import RequestContext
from railhttp.model.errors import (
    ConnectionKind,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClientError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HttpStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    TimeoutPhase,
)
from railhttp.model.headers import (
    extract_json_type,
    merge_headers,
    parse_headers,
    validate_headers,
)
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.options import RequestOptions
from railhttp.model.redaction import redact_headers, redact_url
from railhttp.model.response import JSON, Headers, HttpResponse, freeze_headers
from railhttp.model.timeout import format_timeout
from railhttp.model.url import QueryParams, build_url, parse_url_parts
from railhttp.pipeline.interceptors.chain import InterceptorChain
from railhttp.pipeline.observation.mailbox import Observer
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.policy.budget import RetryBudget
from railhttp.policy.retry import RetryEvent
from railhttp.protocols import (
    CircuitBreakerControlProtocol,
    CircuitBreakerProtocol,
    CircuitBreakerRegistryProtocol,
    Clock,
    ContainerRegistrarProtocol,
    ContainerResolverProtocol,
    HTTPClientProtocol,
    InstrumentProtocol,
    InterceptorChainProtocol,
    InterceptorProtocol,
    MetricsRecorderProtocol,
    ObservationProtocol,
    ResiliencePipelineProtocol,
    RetryPolicyProtocol,
    StateStore,
)
from railhttp.transport.pool import ConnectionPool
from railhttp.validation import (
    check_headers,
    check_host,
    check_port,
    check_positive_int,
    check_timeout,
    check_url,
    validate_host,
    validate_port,
    validate_positive_int,
    validate_timeout,
    validate_url,
)
from railhttp.version import __version__

if typing.TYPE_CHECKING:
    from railhttp.client.base_url_client import BaseURLHTTPClient
    from railhttp.client.stream_context import StreamContext
    from railhttp.di.health import HealthCheckResult
    from railhttp.di.http_module import HTTPModule
    from railhttp.di.http_provider import HTTPProvider
    from railhttp.di.modules import DynamicModule, Module, module
    from railhttp.model.download import Download
    from railhttp.model.events import (
        HTTPEvent,
        HTTPRequestSentHook,
        HTTPResponseReceivedHook,
        RequestCompletedEvent,
        RequestRetryExhaustedEvent,
        RequestTimeoutEvent,
    )
    from railhttp.model.response_context import ResponseContext
    from railhttp.pipeline.composition import check_pipeline
    from railhttp.pipeline.interceptors.message_signing import MessageSigning
    from railhttp.pipeline.interceptors.standard import (
        ApiKey,
        BasicAuth,
        BearerAuth,
        CorrelationId,
        RequestInterceptor,
        UserAgent,
    )
    from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
    from railhttp.pipeline.policies.breaker import CircuitBreaker
    from railhttp.pipeline.policies.breaker_registry import CircuitBreakerRegistry
    from railhttp.pipeline.policies.bulkhead import Bulkhead
    from railhttp.pipeline.policies.rate_limit import RateLimiter
    from railhttp.pipeline.resilience import ResiliencePipeline
    from railhttp.policy.breaker import BreakerRule
    from railhttp.wire.multipart import FormFields, FormValue
    from railhttp.wire.sse import ServerSentEvent

__all__ = [
    "JSON",
    "ApiKey",
    "AttemptTimeout",
    "BaseURLHTTPClient",
    "BasicAuth",
    "BearerAuth",
    "BodyData",
    "BreakerRule",
    "Bulkhead",
    "CircuitBreaker",
    "CircuitBreakerControlProtocol",
    "CircuitBreakerProtocol",
    "CircuitBreakerRegistry",
    "CircuitBreakerRegistryProtocol",
    "Clock",
    "ConnectionKind",
    "ConnectionPool",
    "ConnectionPoolConfig",
    "ContainerRegistrarProtocol",
    "ContainerResolverProtocol",
    "CorrelationId",
    "Delivery",
    "Download",
    "DynamicModule",
    "FormFields",
    "FormValue",
    "HTTPCircuitOpenError",
    "HTTPClient",
    "HTTPClientConfig",
    "HTTPClientError",
    "HTTPClientProtocol",
    "HTTPConnectionError",
    "HTTPDecodeError",
    "HTTPError",
    "HTTPEvent",
    "HTTPFailure",
    "HTTPInterceptorError",
    "HTTPInvalidRequestError",
    "HTTPModule",
    "HTTPProvider",
    "HTTPRequestSentHook",
    "HTTPResponseReceivedHook",
    "HTTPResponseTooLargeError",
    "HTTPRetryExhaustedError",
    "HTTPStatusError",
    "HTTPTimeoutError",
    "HTTPValidationError",
    "Headers",
    "HealthCheckResult",
    "HttpResponse",
    "HttpStatusError",
    "InstrumentProtocol",
    "InterceptorChain",
    "InterceptorChainProtocol",
    "InterceptorProtocol",
    "MessageSigning",
    "MetricsRecorderProtocol",
    "Module",
    "ObservationProtocol",
    "Observer",
    "QueryParams",
    "RateLimiter",
    "RequestCompletedEvent",
    "RequestContext",
    "RequestFinished",
    "RequestInterceptor",
    "RequestOptions",
    "RequestRetryExhaustedEvent",
    "RequestStarted",
    "RequestTimeoutEvent",
    "ResiliencePipeline",
    "ResiliencePipelineProtocol",
    "ResponseContext",
    "RetryBudget",
    "RetryEvent",
    "RetryPolicy",
    "RetryPolicyProtocol",
    "ServerSentEvent",
    "StateStore",
    "StreamContext",
    "TimeoutPhase",
    "UserAgent",
    "__version__",
    "basic_auth",
    "bearer_auth",
    "build_url",
    "check_headers",
    "check_host",
    "check_pipeline",
    "check_port",
    "check_positive_int",
    "check_timeout",
    "check_url",
    "extract_json_type",
    "format_timeout",
    "freeze_headers",
    "merge_headers",
    "module",
    "parse_headers",
    "parse_url_parts",
    "redact_headers",
    "redact_url",
    "validate_headers",
    "validate_host",
    "validate_port",
    "validate_positive_int",
    "validate_timeout",
    "validate_url",
]

_LATER: typing.Final = {
    "BaseURLHTTPClient": "railhttp.client.base_url_client",
    "StreamContext": "railhttp.client.stream_context",
    "HealthCheckResult": "railhttp.di.health",
    "HTTPModule": "railhttp.di.http_module",
    "HTTPProvider": "railhttp.di.http_provider",
    "DynamicModule": "railhttp.di.modules",
    "Module": "railhttp.di.modules",
    "module": "railhttp.di.modules",
    "Download": "railhttp.model.download",
    "HTTPEvent": "railhttp.model.events",
    "HTTPRequestSentHook": "railhttp.model.events",
    "HTTPResponseReceivedHook": "railhttp.model.events",
    "RequestCompletedEvent": "railhttp.model.events",
    "RequestRetryExhaustedEvent": "railhttp.model.events",
    "RequestTimeoutEvent": "railhttp.model.events",
    "ResponseContext": "railhttp.model.response_context",
    "CircuitBreaker": "railhttp.pipeline.policies.breaker",
    "Bulkhead": "railhttp.pipeline.policies.bulkhead",
    "check_pipeline": "railhttp.pipeline.composition",
    "RateLimiter": "railhttp.pipeline.policies.rate_limit",
    "CircuitBreakerRegistry": "railhttp.pipeline.policies.breaker_registry",
    "ResiliencePipeline": "railhttp.pipeline.resilience",
    "MessageSigning": "railhttp.pipeline.interceptors.message_signing",
    "ApiKey": "railhttp.pipeline.interceptors.standard",
    "BasicAuth": "railhttp.pipeline.interceptors.standard",
    "BearerAuth": "railhttp.pipeline.interceptors.standard",
    "CorrelationId": "railhttp.pipeline.interceptors.standard",
    "RequestInterceptor": "railhttp.pipeline.interceptors.standard",
    "UserAgent": "railhttp.pipeline.interceptors.standard",
    "AttemptTimeout": "railhttp.pipeline.policies.attempt_timeout",
    "BreakerRule": "railhttp.policy.breaker",
    "FormFields": "railhttp.wire.multipart",
    "FormValue": "railhttp.wire.multipart",
    "ServerSentEvent": "railhttp.wire.sse",
}
"""What most programs do without, and where it is: imported when it is first asked for."""

if not typing.TYPE_CHECKING:  # type checkers take these names from the imports above

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
