"""The public names for type checkers; `__init__.py` has the same ones."""

from railhttp.client.base_url_client import BaseURLHTTPClient as BaseURLHTTPClient
from railhttp.client.http_client import HTTPClient as HTTPClient
from railhttp.client.protocol import HTTPClientProtocol as HTTPClientProtocol
from railhttp.client.stream_context import StreamContext as StreamContext
from railhttp.di.containers import ContainerRegistrarProtocol as ContainerRegistrarProtocol
from railhttp.di.containers import ContainerResolverProtocol as ContainerResolverProtocol
from railhttp.di.health import HealthCheckResult as HealthCheckResult
from railhttp.di.http_module import HTTPModule as HTTPModule
from railhttp.di.http_provider import HTTPProvider as HTTPProvider
from railhttp.di.modules import DynamicModule as DynamicModule
from railhttp.di.modules import Module as Module
from railhttp.di.modules import module as module
from railhttp.events import HTTPEvent as HTTPEvent
from railhttp.events import HTTPRequestSentHook as HTTPRequestSentHook
from railhttp.events import HTTPResponseReceivedHook as HTTPResponseReceivedHook
from railhttp.events import Observer as Observer
from railhttp.events import RequestCompletedEvent as RequestCompletedEvent
from railhttp.events import RequestFinished, RequestStarted
from railhttp.events import RequestRetryExhaustedEvent as RequestRetryExhaustedEvent
from railhttp.events import RequestTimeoutEvent as RequestTimeoutEvent
from railhttp.headers import Headers as Headers
from railhttp.headers import basic_auth as basic_auth
from railhttp.headers import bearer_auth as bearer_auth
from railhttp.headers import freeze_headers as freeze_headers
from railhttp.headers import redact_headers as redact_headers
from railhttp.headers import validate_headers as validate_headers
from railhttp.interceptors import ApiKey as ApiKey
from railhttp.interceptors import BasicAuth as BasicAuth
from railhttp.interceptors import BearerAuth as BearerAuth
from railhttp.interceptors import CorrelationId as CorrelationId
from railhttp.interceptors import MessageSigning as MessageSigning
from railhttp.interceptors import RequestInterceptor as RequestInterceptor
from railhttp.interceptors import ResponseContext as ResponseContext
from railhttp.interceptors import UserAgent as UserAgent
from railhttp.model.clock import Clock as Clock
from railhttp.model.config import ConnectionPoolConfig as ConnectionPoolConfig
from railhttp.model.config import HTTPClientConfig as HTTPClientConfig
from railhttp.model.context import RequestContext as RequestContext
from railhttp.model.errors import Delivery as Delivery
from railhttp.model.errors import HTTPCircuitOpenError as HTTPCircuitOpenError
from railhttp.model.errors import HTTPClientError as HTTPClientError
from railhttp.model.errors import HTTPConnectionError as HTTPConnectionError
from railhttp.model.errors import HTTPDecodeError as HTTPDecodeError
from railhttp.model.errors import HTTPError as HTTPError
from railhttp.model.errors import HTTPFailure as HTTPFailure
from railhttp.model.errors import HTTPInterceptorError as HTTPInterceptorError
from railhttp.model.errors import HTTPInvalidRequestError as HTTPInvalidRequestError
from railhttp.model.errors import HTTPResponseTooLargeError as HTTPResponseTooLargeError
from railhttp.model.errors import HTTPRetryExhaustedError as HTTPRetryExhaustedError
from railhttp.model.errors import HTTPStatusError as HTTPStatusError
from railhttp.model.errors import HttpStatusError as HttpStatusError
from railhttp.model.errors import HTTPTimeoutError as HTTPTimeoutError
from railhttp.model.errors import HTTPValidationError as HTTPValidationError
from railhttp.model.headers import extract_json_type as extract_json_type
from railhttp.model.headers import merge_headers as merge_headers
from railhttp.model.headers import parse_headers as parse_headers
from railhttp.model.options import RequestOptions as RequestOptions
from railhttp.model.response import HttpResponse as HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol as RetryPolicyProtocol
from railhttp.model.timeout import format_timeout as format_timeout
from railhttp.model.url import build_url as build_url
from railhttp.model.url import parse_url_parts as parse_url_parts
from railhttp.model.validation import validate_host as validate_host
from railhttp.model.validation import validate_port as validate_port
from railhttp.model.validation import validate_positive_int as validate_positive_int
from railhttp.model.validation import validate_timeout as validate_timeout
from railhttp.model.validation import validate_url as validate_url
from railhttp.pipeline.interceptors.chain import InterceptorChain as InterceptorChain
from railhttp.pipeline.interceptors.chain import (
    InterceptorChainProtocol as InterceptorChainProtocol,
)
from railhttp.pipeline.interceptors.chain import InterceptorProtocol as InterceptorProtocol
from railhttp.pipeline.observation.instruments import InstrumentProtocol as InstrumentProtocol
from railhttp.pipeline.observation.instruments import (
    MetricsRecorderProtocol as MetricsRecorderProtocol,
)
from railhttp.pipeline.observation.instruments import ObservationProtocol as ObservationProtocol
from railhttp.pipeline.policies.breaker import (
    CircuitBreakerControlProtocol as CircuitBreakerControlProtocol,
)
from railhttp.pipeline.policies.breaker import (
    CircuitBreakerRegistryProtocol as CircuitBreakerRegistryProtocol,
)
from railhttp.pipeline.policies.retry import RetryPolicy as RetryPolicy
from railhttp.pipeline.policies.store import StateStore as StateStore
from railhttp.pipeline.stack import CircuitBreakerProtocol as CircuitBreakerProtocol
from railhttp.pipeline.stack import ResiliencePipelineProtocol as ResiliencePipelineProtocol
from railhttp.resilience import AttemptTimeout as AttemptTimeout
from railhttp.resilience import BreakerRule as BreakerRule
from railhttp.resilience import Bulkhead as Bulkhead
from railhttp.resilience import CircuitBreaker as CircuitBreaker
from railhttp.resilience import CircuitBreakerRegistry as CircuitBreakerRegistry
from railhttp.resilience import RateLimiter as RateLimiter
from railhttp.resilience import ResiliencePipeline as ResiliencePipeline
from railhttp.resilience import RetryBudget as RetryBudget
from railhttp.resilience import RetryEvent as RetryEvent
from railhttp.transport.pool import ConnectionPool as ConnectionPool
from railhttp.types import JSON as JSON
from railhttp.types import BodyData as BodyData
from railhttp.types import ConnectionKind as ConnectionKind
from railhttp.types import Download as Download
from railhttp.types import FormFields as FormFields
from railhttp.types import FormValue as FormValue
from railhttp.types import TimeoutPhase as TimeoutPhase
from railhttp.urls import QueryParams as QueryParams
from railhttp.urls import redact_url as redact_url
from railhttp.validation import check_headers as check_headers
from railhttp.validation import check_host as check_host
from railhttp.validation import check_pipeline as check_pipeline
from railhttp.validation import check_port as check_port
from railhttp.validation import check_positive_int as check_positive_int
from railhttp.validation import check_timeout as check_timeout
from railhttp.validation import check_url as check_url
from railhttp.version import __version__ as __version__
from railhttp.wire.sse import ServerSentEvent as ServerSentEvent

Dispatch = RequestStarted
Ending = RequestFinished
