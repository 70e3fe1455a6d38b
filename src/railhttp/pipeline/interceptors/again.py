"""What only some interceptors do: send a request once more, or see the redirects of an attempt."""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from railhttp.model.context import RequestContext
from railhttp.model.response import HttpResponse
from railhttp.model.validation import mismatch

MOST_RESENDS: Final = 4
"""The number of further sends that one attempt may have; a digest needs two at most."""


@dataclass(frozen=True, slots=True)
class Again:
    """Returned by `intercept_response` to send the request once more.

    The further send belongs to the same attempt: a retry policy does not count it, and the rate
    limit, the breaker and telemetry see it. If the context is as it was sent, the interceptor's
    `intercept_request` runs on it again, from the state that it had before; a context that
    `intercept_response` changed is sent as it is. Interceptors that come later in the list run
    again in both cases. A body that can be read once is not sent twice: then the response stands.

    Args:
        context: The context that `intercept_request` had.

    Raises:
        HTTPValidationError: It is not a `RequestContext`.

    Example:
        >>> class Login:
        ...     token = "expired"
        ...     async def intercept_request(self, context: RequestContext) -> RequestContext:
        ...         context.headers["Authorization"] = f"Bearer {self.token}"
        ...         return context
        ...     async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        ...         return response
        ...     async def intercept_exchange(
        ...         self, context: RequestContext, response: HttpResponse
        ...     ) -> HttpResponse | Again:
        ...         if response.status != 401 or "new" in self.token:
        ...             return response
        ...         self.token = "new"
        ...         return Again(context)
    """

    context: RequestContext

    def __post_init__(self) -> None:
        given: object = self.context
        if not isinstance(given, RequestContext):
            raise mismatch("a RequestContext", given, "context")


@runtime_checkable
class ResendingInterceptorProtocol(Protocol):
    """An interceptor whose `intercept_response` may return `Again`."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        """See `InterceptorProtocol`."""
        ...

    async def intercept_response(self, response: HttpResponse) -> HttpResponse | Again:
        """See a response; it may be replaced, or the request sent once more."""
        ...


@runtime_checkable
class ExchangeInterceptorProtocol(Protocol):
    """The second, optional way to see a response: together with the request that it answers.

    A client calls `intercept_exchange` instead of `intercept_response` if an interceptor has both.
    """

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse | Again:
        """See a response and the context of its request, as `intercept_request` returned it."""
        ...


@runtime_checkable
class RedirectInterceptorProtocol(Protocol):
    """An interceptor that sees redirects, too; any interceptor may have this method.

    Example:
        >>> class Inside:
        ...     async def intercept_request(self, context: RequestContext) -> RequestContext:
        ...         return context
        ...     async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        ...         return response
        ...     async def intercept_redirect(
        ...         self, context: RequestContext, response: HttpResponse
        ...     ) -> RequestContext:
        ...         if not context.url.startswith("https://api.example/"):
        ...             raise PermissionError("leaves api.example")
        ...         return context
        >>> isinstance(Inside(), RedirectInterceptorProtocol)
        True
    """

    async def intercept_redirect(
        self, context: RequestContext, response: HttpResponse
    ) -> RequestContext:
        """See the next request of a redirect before it is sent.

        What it raises fails the call.

        Args:
            context: The next request, without the fields that stay with their origin; it may be
                changed, or replaced by the returned one. `notes` are those of the attempt.
            response: The response that redirects, without its body.
        """
        ...
