"""Runs interceptors around an attempt: requests in order, responses in reverse."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Protocol, TypeVar, runtime_checkable

from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPInterceptorError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import mismatch, require_methods

T = TypeVar("T", RequestContext, HttpResponse)


@runtime_checkable
class InterceptorProtocol(Protocol):
    """Sees the request and the response of every attempt, and may change both.

    An exception from it becomes an `HTTPInterceptorError` that names it.

    Example:
        >>> class Tagged:
        ...     async def intercept_request(self, context: RequestContext) -> RequestContext:
        ...         context.headers["X-Tag"] = "7"
        ...         return context
        ...     async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        ...         return response
        >>> isinstance(Tagged(), InterceptorProtocol)
        True
    """

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        """See a request before it is sent; it may be changed, or replaced by the returned one."""
        ...

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        """See a response after it was read; it may be replaced by the returned one."""
        ...


@runtime_checkable
class InterceptorChainProtocol(Protocol):
    """Keeps interceptors in order and runs them."""

    def add_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Append an interceptor."""
        ...

    def remove_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Remove an interceptor."""
        ...

    async def process_request(self, context: RequestContext) -> RequestContext:
        """Pass a request through all interceptors, in order."""
        ...

    async def process_response(self, response: HttpResponse) -> HttpResponse:
        """Pass a response through all interceptors, in reverse."""
        ...


class InterceptionError(HTTPInterceptorError):
    """An interceptor failed; the call replaces it by an `HTTPInterceptorError` with its details."""


class InterceptorChain:
    """Interceptors in order.

    Args:
        interceptors: The first one sees a request first and its response last.

    Attributes:
        chained: The interceptors as they are now; an attempt keeps them to its end.

    Raises:
        HTTPValidationError: An object lacks the methods of an interceptor.

    Example:
        >>> from railhttp.interceptors import ApiKey
        >>> chain = InterceptorChain([ApiKey("k3y")])
        >>> asyncio.run(chain.process_request(RequestContext("GET", "http://h/"))).headers
        {'X-Api-Key': 'k3y'}
    """

    def __init__(self, interceptors: Iterable[InterceptorProtocol] = ()) -> None:
        self.chained = Chained(interceptors)

    def __len__(self) -> int:
        return len(self.chained.interceptors)

    def __iter__(self) -> Iterator[InterceptorProtocol]:
        return iter(self.chained.interceptors)

    def __repr__(self) -> str:
        names = ", ".join(type(one).__name__ for one in self)
        return f"<{type(self).__name__}{names and f' of {names}'}>"

    def add_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Append an interceptor: it sees requests last and responses first.

        Raises:
            HTTPValidationError: It lacks the methods of an interceptor.
        """
        self.chained = Chained((*self, interceptor))

    def remove_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Remove the very object that was added; do nothing if it is not in the chain."""
        self.chained = Chained(one for one in self if one is not interceptor)

    async def process_request(self, context: RequestContext) -> RequestContext:
        """Pass a request through all interceptors, in order.

        Raises:
            HTTPInterceptorError: An interceptor raised, or returned something else.
            HTTPValidationError: `context` is not a `RequestContext`.
        """
        if not isinstance(context, RequestContext):
            raise mismatch("a RequestContext", context, "context")
        return await self.chained.process_request(context)

    async def process_response(self, response: HttpResponse) -> HttpResponse:
        """Pass a response through all interceptors, in reverse; see `process_request`."""
        if not isinstance(response, HttpResponse):
            raise mismatch("an HttpResponse", response, "response")
        return await self.chained.process_response(response)


class Chained:
    """Interceptors that stay the same from a request to its response."""

    __slots__ = ("_requests", "_responses", "interceptors")

    def __init__(self, interceptors: Iterable[InterceptorProtocol]) -> None:
        self.interceptors: tuple[InterceptorProtocol, ...] = tuple(interceptors)
        for one in self.interceptors:
            require_methods(one, "intercept_request", "intercept_response", field="interceptors")
        self._requests = tuple((one, one.intercept_request) for one in self.interceptors)
        backwards = reversed(self.interceptors)
        self._responses = tuple((one, one.intercept_response) for one in backwards)

    def process_request(self, context: RequestContext) -> Awaitable[RequestContext]:
        """See `InterceptorChain.process_request`."""
        return _passed(context, self._requests, RequestContext)

    def process_response(self, response: HttpResponse) -> Awaitable[HttpResponse]:
        """See `InterceptorChain.process_response`."""
        return _passed(response, self._responses, HttpResponse)


async def _passed(
    value: T,
    intercepts: Iterable[tuple[InterceptorProtocol, Callable[[T], Awaitable[T]]]],
    kind: type[T],
) -> T:
    for interceptor, intercept in intercepts:
        try:
            result: object = await intercept(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something that it waited for was cancelled, such as a shared task; not this call.
            raise _failed(interceptor, value, "raised CancelledError") from error
        except Exception as error:
            raise _failed(interceptor, value, f"raised {type(error).__name__}") from error
        if not isinstance(result, kind):
            what = f"returned {type(result).__name__}, not {kind.__name__}"
            raise _failed(interceptor, value, what)
        value = result
    return value


def _failed(
    interceptor: InterceptorProtocol, value: RequestContext | HttpResponse, what: str
) -> InterceptionError:
    name = type(interceptor).__name__
    return InterceptionError(f"{name} {what}", interceptor=name, method=value.method, url=value.url)
