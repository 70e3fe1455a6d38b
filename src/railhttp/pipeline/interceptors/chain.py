"""Runs interceptors around an attempt: requests in order, responses in reverse."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPInterceptorError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import require_methods
from railhttp.protocols import InterceptorProtocol

T = TypeVar("T", RequestContext, HttpResponse)


class InterceptionError(HTTPInterceptorError):
    """An interceptor failed; a call turns it into an `HTTPInterceptorError` with its facts."""


class InterceptorChain:
    """Interceptors in their order.

    Args:
        interceptors: The first one sees a request first and its response last.

    Raises:
        HTTPValidationError: One of them is no interceptor.

    Example:
        >>> import asyncio
        >>> class Greeting:
        ...     async def intercept_request(self, context: RequestContext) -> RequestContext:
        ...         context.headers["X-Greeting"] = "hello"
        ...         return context
        ...     async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        ...         return response
        >>> chain = InterceptorChain([Greeting()])
        >>> asyncio.run(chain.process_request(RequestContext("GET", "http://h/"))).headers
        {'X-Greeting': 'hello'}
    """

    def __init__(self, interceptors: Iterable[InterceptorProtocol] = ()) -> None:
        self._steps = Steps(interceptors)

    @property
    def steps(self) -> "Steps":
        """The interceptors as they are now."""
        return self._steps

    def __len__(self) -> int:
        return len(self._steps.interceptors)

    def __iter__(self) -> Iterator[InterceptorProtocol]:
        return iter(self._steps.interceptors)

    def __repr__(self) -> str:
        names = ", ".join(type(one).__name__ for one in self)
        return f"<{type(self).__name__}{names and f' of {names}'}>"

    def add_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Put an interceptor behind the others.

        Args:
            interceptor: It sees requests last and responses first.

        Raises:
            HTTPValidationError: It is no interceptor.
        """
        self._steps = Steps((*self, interceptor))

    def remove_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Take an interceptor out; does nothing where it is not in.

        Args:
            interceptor: The very object that was added.
        """
        self._steps = Steps(one for one in self if one is not interceptor)

    async def process_request(self, context: RequestContext) -> RequestContext:
        """Hand a request through all interceptors, in their order.

        Args:
            context: The request.

        Returns:
            What the last one returned.

        Raises:
            HTTPInterceptorError: One of them raised, or did not return a request.
        """
        return await self._steps.process_request(context)

    async def process_response(self, response: HttpResponse) -> HttpResponse:
        """Hand a response through all interceptors, in reverse.

        Args:
            response: The response.

        Returns:
            What the first one returned.

        Raises:
            HTTPInterceptorError: One of them raised, or did not return a response.
        """
        return await self._steps.process_response(response)


class Steps:
    """Interceptors that stay the same from a request to its response.

    Args:
        interceptors: See `InterceptorChain`.

    Attributes:
        interceptors: In their order.
    """

    __slots__ = ("_requests", "_responses", "interceptors")

    def __init__(self, interceptors: Iterable[InterceptorProtocol]) -> None:
        self.interceptors = tuple(interceptors)
        for one in self.interceptors:
            methods = ("intercept_request", "intercept_response")
            require_methods(one, *methods, field="interceptors")
        self._requests = tuple((one, one.intercept_request) for one in self.interceptors)
        backwards = reversed(self.interceptors)
        self._responses = tuple((one, one.intercept_response) for one in backwards)

    def process_request(self, context: RequestContext) -> Awaitable[RequestContext]:
        """See `InterceptorChain`."""
        return _handed_through(context, self._requests, RequestContext)

    def process_response(self, response: HttpResponse) -> Awaitable[HttpResponse]:
        """See `InterceptorChain`."""
        return _handed_through(response, self._responses, HttpResponse)


async def _handed_through(
    value: T,
    steps: Iterable[tuple[InterceptorProtocol, Callable[[T], Awaitable[T]]]],
    kind: type[T],
) -> T:
    for interceptor, intercept in steps:
        try:
            result: object = await intercept(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something it waited for was cancelled, a shared task for instance; not this call.
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
