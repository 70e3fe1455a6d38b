"""railhttp: an async HTTP client in which every failure is a typed value.

`HTTPClient` has verbs that return a `Result`, and a `request()` that raises; what can go wrong is
a closed union, `HTTPFailure`. The functional faces stand in `railhttp.railway`.
"""

from railhttp.client.http_client import HTTPClient
from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.body import BodyData
from railhttp.model.config import ConnectionPoolConfig, HTTPClientConfig
from railhttp.model.context import RequestContext, ResponseContext
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
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.headers import (
    check_headers,
    extract_json_type,
    merge_headers,
    parse_headers,
    validate_headers,
)
from railhttp.model.options import RequestOptions
from railhttp.model.redaction import redact_headers, redact_url
from railhttp.model.response import JSON, Headers, HttpResponse, freeze_headers
from railhttp.model.timeout import format_timeout
from railhttp.model.url import QueryParams, build_url, parse_url_parts
from railhttp.model.validation import (
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
from railhttp.pipeline.interceptors import InterceptorChain
from railhttp.pipeline.retry import RetryPolicy
from railhttp.protocols import (
    CircuitBreakerProtocol,
    HTTPClientProtocol,
    InterceptorChainProtocol,
    InterceptorProtocol,
    ResiliencePipelineProtocol,
    RetryPolicyProtocol,
)
from railhttp.transport.pool import ConnectionPool
from railhttp.version import __version__

__all__ = [
    "JSON",
    "BodyData",
    "CircuitBreakerProtocol",
    "ConnectionKind",
    "ConnectionPool",
    "ConnectionPoolConfig",
    "Delivery",
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
    "HTTPRequestSentHook",
    "HTTPResponseReceivedHook",
    "HTTPResponseTooLargeError",
    "HTTPRetryExhaustedError",
    "HTTPStatusError",
    "HTTPTimeoutError",
    "HTTPValidationError",
    "Headers",
    "HttpResponse",
    "HttpStatusError",
    "InterceptorChain",
    "InterceptorChainProtocol",
    "InterceptorProtocol",
    "QueryParams",
    "RequestCompletedEvent",
    "RequestContext",
    "RequestOptions",
    "RequestRetryExhaustedEvent",
    "RequestTimeoutEvent",
    "ResiliencePipelineProtocol",
    "ResponseContext",
    "RetryPolicy",
    "RetryPolicyProtocol",
    "TimeoutPhase",
    "__version__",
    "basic_auth",
    "bearer_auth",
    "build_url",
    "check_headers",
    "check_host",
    "check_port",
    "check_positive_int",
    "check_timeout",
    "check_url",
    "extract_json_type",
    "format_timeout",
    "freeze_headers",
    "merge_headers",
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
