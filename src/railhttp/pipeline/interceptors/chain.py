"""Runs interceptors around an attempt: requests in order, responses in reverse."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import (
    Final,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    runtime_checkable,
)

from railhttp.model.context import RequestContext
from railhttp.model.errors import FAILURES, HTTPFailure, HTTPInterceptorError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import mismatch, require_methods
from railhttp.pipeline.interceptors.again import (
    Again,
    ExchangeInterceptorProtocol,
    RedirectInterceptorProtocol,
    ResendingInterceptorProtocol,
)

P = ParamSpec("P")
V = TypeVar("V", RequestContext, HttpResponse)


@runtime_checkable
class InterceptorProtocol(Protocol):
    """Sees the request and the response of every attempt, and may change both.

    An exception from it becomes an `HTTPInterceptorError` that names it; one of `HTTPFailure` keeps
    its class, and speaks of the call. It may have a method that sees a response together with its
    request, see `ExchangeInterceptorProtocol`, and one that sees redirects, see
    `RedirectInterceptorProtocol`.

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


Interceptor: TypeAlias = InterceptorProtocol | ResendingInterceptorProtocol
"""An interceptor; the second kind may ask for one more send."""


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

    def __init__(self, interceptors: Iterable[Interceptor] = ()) -> None:
        self.chained: Chained = Chained(interceptors)

    def __len__(self) -> int:
        return len(self.chained.interceptors)

    def __iter__(self) -> Iterator[Interceptor]:
        return iter(self.chained.interceptors)

    def __repr__(self) -> str:
        names = ", ".join(type(one).__name__ for one in self)
        return f"<{type(self).__name__}{names and f' of {names}'}>"

    def add_interceptor(self, interceptor: Interceptor) -> None:
        """Append an interceptor: it sees requests last and responses first.

        Raises:
            HTTPValidationError: It lacks the methods of an interceptor.
        """
        self.chained = Chained((*self, interceptor))

    def remove_interceptor(self, interceptor: Interceptor) -> None:
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


class NestedFailure(Exception):
    """An interceptor raised one of `HTTPFailure`, which keeps its class.

    Args:
        interceptor: The name of the interceptor.
        failure: The failure; it speaks of another call.
    """

    def __init__(self, interceptor: str, failure: HTTPFailure) -> None:
        super().__init__()
        self.interceptor: Final = interceptor
        self.failure: Final = failure


_Intercept: TypeAlias = Callable[[RequestContext], Awaitable[RequestContext]]
_Redirect: TypeAlias = Callable[[RequestContext, HttpResponse], Awaitable[RequestContext]]
_See: TypeAlias = Callable[[HttpResponse], Awaitable[HttpResponse | Again]]
_SeeExchange: TypeAlias = Callable[[RequestContext, HttpResponse], Awaitable[HttpResponse | Again]]
_Seeing: TypeAlias = tuple[int, Interceptor, _See, _SeeExchange | None]
"""An interceptor with its index, and how it sees responses: alone, or with their request."""


class Chained:
    """Interceptors that stay the same from a request to its response."""

    __slots__ = ("interceptors", "redirects", "requests", "responses")

    def __init__(self, interceptors: Iterable[Interceptor]) -> None:
        self.interceptors: tuple[Interceptor, ...] = tuple(interceptors)
        for one in self.interceptors:
            methods = ("intercept_request", "intercept_response")
            require_methods(one, *methods, field="interceptors")
        self.requests: tuple[tuple[Interceptor, _Intercept], ...] = tuple(
            (one, one.intercept_request) for one in self.interceptors
        )
        seeing = [_seeing(index, one) for index, one in enumerate(self.interceptors)]
        self.responses: tuple[_Seeing, ...] = tuple(reversed(seeing))
        self.redirects: tuple[tuple[Interceptor, _Redirect], ...] = tuple(
            (one, one.intercept_redirect)
            for one in self.interceptors
            if isinstance(one, RedirectInterceptorProtocol)
        )

    async def process_request(self, context: RequestContext) -> RequestContext:
        """See `InterceptorChain.process_request`."""
        for one, intercept in self.requests:
            context = await passed(RequestContext, one, context, intercept, context)
        return context

    async def process_response(self, response: HttpResponse) -> HttpResponse:
        """See `InterceptorChain.process_response`."""
        for one in reversed(self.interceptors):
            see = one.intercept_response
            response = await passed(HttpResponse, one, response, see, response)
        return response


async def passed(
    kind: type[V],
    interceptor: Interceptor,
    value: V,
    method: Callable[P, Awaitable[object]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> V:
    """Pass a context or a response through a method of an interceptor.

    `Passage.once` does the same without a coroutine for each interceptor.

    Raises:
        InterceptionError: The method raised, or returned something else.
        HTTPError: The method raised one of `FAILURES`.
    """
    try:
        given = await method(*args, **kwargs)
    except FAILURES:
        raise
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # translated
        fail(interceptor, value, error)
    if not isinstance(given, kind):
        raise returned_no(kind, given, interceptor, value)
    return given


def _seeing(index: int, one: Interceptor) -> _Seeing:
    exchange = one.intercept_exchange if isinstance(one, ExchangeInterceptorProtocol) else None
    return index, one, one.intercept_response, exchange


def fail(
    interceptor: Interceptor, value: RequestContext | HttpResponse, error: BaseException
) -> NoReturn:
    """Raise what the exception of an interceptor means."""
    if isinstance(error, FAILURES):
        raise NestedFailure(type(interceptor).__name__, error) from error
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise error
        # Something that it waited for was cancelled, such as a shared task; not this call.
    raise _failed(interceptor, value, f"raised {type(error).__name__}") from error


def returned_no(
    kind: type[object],
    given: object,
    interceptor: Interceptor,
    value: RequestContext | HttpResponse,
) -> InterceptionError:
    """Return the error for an interceptor that returned something else than a `kind`."""
    return _failed(interceptor, value, f"returned {type(given).__name__}, not {kind.__name__}")


def _failed(
    interceptor: Interceptor, value: RequestContext | HttpResponse, what: str
) -> InterceptionError:
    name = type(interceptor).__name__
    return InterceptionError(f"{name} {what}", interceptor=name, method=value.method, url=value.url)
