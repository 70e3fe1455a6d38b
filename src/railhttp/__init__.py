"""railhttp: an async HTTP client in which every failure is a typed value.

`HTTPClient` has verbs that return a `Result`, and a `request()` that raises. `HTTPFailure` is the
closed union of the failures. The functional tools are in `railhttp.railway`; `railhttp.resilience`,
`railhttp.interceptors`, `railhttp.events`, `railhttp.urls`, `railhttp.headers`,
`railhttp.validation`, `railhttp.types` and `railhttp.testing` have the rest.
"""

# The stub beside this file has the same names for type checkers (tests/test_exports.py).

import importlib as _importlib
import logging as _logging
import warnings as _warnings

# Without a handler, Python would print the warnings of a program that configures no logging.
_logging.getLogger(__name__).addHandler(_logging.NullHandler())

_NAMES = {
    "railhttp.client.base_url_client": ("BaseURLHTTPClient",),
    "railhttp.client.http_client": ("HTTPClient",),
    "railhttp.client.protocol": ("HTTPClientProtocol",),
    "railhttp.client.stream_context": ("StreamContext",),
    "railhttp.di.containers": ("ContainerRegistrarProtocol", "ContainerResolverProtocol"),
    "railhttp.di.health": ("HealthCheckResult",),
    "railhttp.di.http_module": ("HTTPModule",),
    "railhttp.di.http_provider": ("HTTPProvider",),
    "railhttp.di.modules": ("DynamicModule", "module", "Module"),
    "railhttp.events": (
        "HTTPRequestSentHook",
        "HTTPResponseReceivedHook",
        "RequestCompletedEvent",
        "RequestRetryExhaustedEvent",
        "RequestTimeoutEvent",
    ),
    "railhttp.interceptors": ("ResponseContext",),
    "railhttp.model.clock": ("Clock",),
    "railhttp.model.config": ("ConnectionPoolConfig", "HTTPClientConfig"),
    "railhttp.model.context": ("RequestContext",),
    "railhttp.model.errors": (
        "Delivery",
        "HTTPCircuitOpenError",
        "HTTPClientError",
        "HTTPConnectionError",
        "HTTPDecodeError",
        "HTTPError",
        "HTTPFailure",
        "HTTPInterceptorError",
        "HTTPInvalidRequestError",
        "HTTPResponseTooLargeError",
        "HTTPRetryExhaustedError",
        "HttpStatusError",
        "HTTPStatusError",
        "HTTPTimeoutError",
        "HTTPValidationError",
    ),
    "railhttp.model.headers": ("extract_json_type", "merge_headers", "parse_headers"),
    "railhttp.model.options": ("RequestOptions",),
    "railhttp.model.response": ("HttpResponse",),
    "railhttp.model.retrying": ("RetryPolicyProtocol",),
    "railhttp.model.timeout": ("format_timeout",),
    "railhttp.model.url": ("build_url", "parse_url_parts"),
    "railhttp.model.validation": (
        "validate_host",
        "validate_port",
        "validate_positive_int",
        "validate_timeout",
        "validate_url",
    ),
    "railhttp.pipeline.interceptors.chain": (
        "InterceptorChain",
        "InterceptorChainProtocol",
        "InterceptorProtocol",
    ),
    "railhttp.pipeline.observation.instruments": (
        "InstrumentProtocol",
        "MetricsRecorderProtocol",
        "ObservationProtocol",
    ),
    "railhttp.pipeline.policies.breaker": (
        "CircuitBreakerControlProtocol",
        "CircuitBreakerRegistryProtocol",
    ),
    "railhttp.pipeline.policies.retry": ("RetryPolicy",),
    "railhttp.pipeline.policies.store": ("StateStore",),
    "railhttp.pipeline.stack": ("CircuitBreakerProtocol", "ResiliencePipelineProtocol"),
    "railhttp.resilience": ("CircuitBreaker", "CircuitBreakerRegistry", "ResiliencePipeline"),
    "railhttp.transport.pool": ("ConnectionPool",),
    "railhttp.version": ("__version__",),
    "railhttp.wire.sse": ("ServerSentEvent",),
}
"""The public names: a module is imported when one of its names is first used.

Python imports this package for each of its modules, and many need neither a client nor aiohttp.
"""

_MOVED = {
    "railhttp.events": ("HTTPEvent", "Observer"),
    "railhttp.headers": (
        "basic_auth",
        "bearer_auth",
        "freeze_headers",
        "Headers",
        "redact_headers",
        "validate_headers",
    ),
    "railhttp.interceptors": (
        "ApiKey",
        "BasicAuth",
        "BearerAuth",
        "CorrelationId",
        "MessageSigning",
        "RequestInterceptor",
        "UserAgent",
    ),
    "railhttp.resilience": (
        "AttemptTimeout",
        "BreakerRule",
        "Bulkhead",
        "RateLimiter",
        "RetryBudget",
        "RetryEvent",
    ),
    "railhttp.types": (
        "BodyData",
        "ConnectionKind",
        "Download",
        "FormFields",
        "FormValue",
        "JSON",
        "TimeoutPhase",
    ),
    "railhttp.urls": ("QueryParams", "redact_url"),
    "railhttp.validation": (
        "check_headers",
        "check_host",
        "check_pipeline",
        "check_port",
        "check_positive_int",
        "check_timeout",
        "check_url",
    ),
}
"""Names that moved away in version 0.2; they work here, with a warning, until 0.3."""

_RENAMED = {"Dispatch": "RequestStarted", "Ending": "RequestFinished"}

__all__ = sorted(name for names in _NAMES.values() for name in names)  # noqa: PLE0605  # pyright: ignore


def __getattr__(name: str) -> object:
    for module, names in _NAMES.items():
        if name in names:
            value = globals()[name] = getattr(_importlib.import_module(module), name)
            return value
    for module, names in (*_MOVED.items(), ("railhttp.events", _RENAMED)):
        if name in names:
            new = _RENAMED.get(name, name)
            message = f"railhttp.{name} is deprecated: import {new} from {module}"
            _warnings.warn(message, DeprecationWarning, stacklevel=2)
            return getattr(_importlib.import_module(module), new)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
