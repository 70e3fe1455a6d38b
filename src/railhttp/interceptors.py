"""Interceptors: the protocol, the chain, and the ready-made ones."""

from railhttp.model.context import RequestContext
from railhttp.model.response_context import ResponseContext
from railhttp.pipeline.interceptors.again import RedirectInterceptorProtocol
from railhttp.pipeline.interceptors.chain import (
    InterceptorChain,
    InterceptorChainProtocol,
    InterceptorProtocol,
)
from railhttp.pipeline.interceptors.message_signing import MessageSigning
from railhttp.pipeline.interceptors.standard import (
    ApiKey,
    BasicAuth,
    BearerAuth,
    CorrelationId,
    RequestInterceptor,
    UserAgent,
)

__all__ = [
    "ApiKey",
    "BasicAuth",
    "BearerAuth",
    "CorrelationId",
    "InterceptorChain",
    "InterceptorChainProtocol",
    "InterceptorProtocol",
    "MessageSigning",
    "RedirectInterceptorProtocol",
    "RequestContext",
    "RequestInterceptor",
    "ResponseContext",
    "UserAgent",
]
