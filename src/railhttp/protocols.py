"""The seams: what a client needs of its parts, and what it promises to its users.

Anything that has these methods will do; nothing has to inherit from them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ParamSpec, Protocol, runtime_checkable

from typing_extensions import TypeVar, Unpack

from railhttp.model.context import RequestContext
from railhttp.model.errors import CallInfo
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.options import RequestOptions
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")


class TimerHandle(Protocol):
    """A call that is yet to come; see `Clock.call_later`."""

    def cancel(self) -> None:
        """Make sure that it does not come."""
        ...


class Clock(Protocol):
    """The one door through which time, chance and sleep come in.

    `railhttp.pipeline.clock.SystemClock` is the real one; tests turn a clock by hand.
    """

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC, for dates in header fields."""
        ...

    def uniform(self) -> float:
        """A random number, at least 0 and less than 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a time of zero or less lets other tasks run once.

        Args:
            seconds: How long.
        """
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Have `callback` called after some seconds, on the running loop.

        Args:
            seconds: How many.
            callback: What is called.

        Returns:
            The handle by which the call can be cancelled.
        """
        ...


class StateStore(Protocol[S]):
    """Where policies keep their state, so that several processes may share it.

    `railhttp.pipeline.policies.store.MemoryStore` is the one in this process. States are
    immutable and pickle.
    """

    def peek(self, key: str) -> S | None:
        """The state under `key` as far as it is known without waiting; it may be out of date.

        Args:
            key: Whose state it is.

        Returns:
            The state, None where there is none.
        """
        ...

    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        """Let a policy decide about an event, as one step that no other can come between.

        Args:
            key: Whose state it is.
            decide: Gets the state (None where there is none), the event and the time in seconds
                on the store's own clock, which never goes back; gives the new state (None to
                keep none) and a decision. It is pure: a store may call it again.
            event: What has happened.

        Returns:
            The decision.
        """
        ...


@runtime_checkable
class RetryPolicyProtocol(Protocol):
    """Decides whether a call is made again, and waits in between.

    Example:
        >>> class Once:
        ...     async def execute(self, func, *args, **kwargs):
        ...         return await func(*args, **kwargs)
        >>> isinstance(Once(), RetryPolicyProtocol)
        True
    """

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` until it succeeds or the policy gives up, and hand on its outcome.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPRetryExhaustedError: Every attempt failed. Where a policy raises an exception of
                its own, `tenacity.RetryError` among them, the client finds the last failure in it.
        """
        ...


@runtime_checkable
class CircuitBreakerProtocol(Protocol):
    """Refuses calls for a while after too many of them have failed."""

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func`, or refuse to.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPCircuitOpenError: The circuit is open and `func` was not called.
        """
        ...


@runtime_checkable
class CircuitBreakerControlProtocol(CircuitBreakerProtocol, Protocol):
    """A breaker that can be watched and handled too; a client needs no more than `call`."""

    @property
    def state(self) -> str:
        """The state: `closed`, `open` or `half_open`."""
        ...

    def protect(self) -> AbstractAsyncContextManager[None]:
        """Protect a block instead of a call."""
        ...

    async def reset(self) -> None:
        """Close the circuit and forget all that was counted."""
        ...

    async def force_open(self) -> None:
        """Open the circuit until `reset`."""
        ...


@runtime_checkable
class CircuitBreakerRegistryProtocol(Protocol):
    """Keeps circuit breakers by name."""

    def get(self, name: str) -> CircuitBreakerProtocol | None:
        """The breaker of a name.

        Args:
            name: Its name.

        Returns:
            The breaker, None where there is none.
        """
        ...

    async def get_or_create(self, name: str) -> CircuitBreakerProtocol:
        """The breaker of a name; made where there is none yet.

        Args:
            name: Its name.

        Returns:
            The breaker, the same one for the same name.
        """
        ...

    def list_breakers(self) -> Sequence[str]:
        """The names of all breakers."""
        ...


@runtime_checkable
class ResiliencePipelineProtocol(Protocol):
    """Retry, breaker, bulkhead and timeout as one; it takes their place in a client."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` through every layer.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPClientError: What the layers raise.
        """
        ...


@runtime_checkable
class InterceptorProtocol(Protocol):
    """Looks at every attempt's request and response, and may change both.

    What it raises becomes an `HTTPInterceptorError` that names it.

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
        """See a request before it is sent.

        Args:
            context: The request; it may be written to.

        Returns:
            It, or another one.
        """
        ...

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        """See a response after it was read.

        Args:
            response: The response.

        Returns:
            It, or another one.
        """
        ...


@runtime_checkable
class InterceptorChainProtocol(Protocol):
    """Keeps interceptors in order and runs them."""

    def add_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Put an interceptor behind the others.

        Args:
            interceptor: The interceptor.
        """
        ...

    def remove_interceptor(self, interceptor: InterceptorProtocol) -> None:
        """Take an interceptor out.

        Args:
            interceptor: The interceptor.
        """
        ...

    async def process_request(self, context: RequestContext) -> RequestContext:
        """Hand a request through all interceptors, in their order.

        Args:
            context: The request.

        Returns:
            What the last one returned.
        """
        ...

    async def process_response(self, response: HttpResponse) -> HttpResponse:
        """Hand a response through all interceptors, in reverse.

        Args:
            response: The response.

        Returns:
            What the first one returned.
        """
        ...


@runtime_checkable
class MetricsRecorderProtocol(Protocol):
    """Takes measurements; see `railhttp.pipeline.observation.metrics` for those of a client.

    Tags are names with values, both text.
    """

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter.

        Args:
            name: Its name.
            value: How much.
            tags: What it is about.
        """
        ...

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Set a value that goes up and down.

        Args:
            name: Its name.
            value: The value.
            tags: What it is about.
        """
        ...

    def histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Add a value to a distribution.

        Args:
            name: Its name.
            value: The value.
            tags: What it is about.
        """
        ...


class ObservationProtocol(Protocol):
    """What an instrument keeps of one call or attempt until its end."""

    def ended(self, ending: RequestFinished) -> None:
        """Hear how it ended; called exactly once, in the task in which it began.

        Args:
            ending: How it ended.
        """
        ...


@runtime_checkable
class InstrumentProtocol(Protocol):
    """Is told of every call and of every attempt in it.

    Its methods are called on the spot, so they must be quick. What they raise is logged and goes
    no further. Events, metrics, the log and OpenTelemetry are instruments.

    Example:
        >>> class Numbered:
        ...     def call_started(self, call: RequestStarted) -> None: ...
        ...     def attempt_started(self, attempt: RequestStarted) -> None:
        ...         attempt.added["X-Attempt"] = str(attempt.attempt)
        >>> isinstance(Numbered(), InstrumentProtocol)
        True
    """

    def call_started(self, call: RequestStarted) -> ObservationProtocol | None:
        """Hear of a call that begins.

        Args:
            call: The call.

        Returns:
            What is told of its end; None where that does not matter.
        """
        ...

    def attempt_started(self, attempt: RequestStarted) -> ObservationProtocol | None:
        """Hear of an attempt, after all interceptors and just before it is sent.

        Args:
            attempt: The attempt; what is put into its `added` goes out as header fields.

        Returns:
            What is told of its end; None where that does not matter.
        """
        ...


class IncomingResponse(Protocol):
    """A response whose head has come and whose body is still to be read.

    It holds a connection until it is closed.
    """

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        ...

    def call_info(self) -> CallInfo:
        """Say what a failure of this response has to know."""
        ...

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at its end.

        Whoever asks for pieces sees to it that the wait for one has an end.

        Raises:
            HTTPClientError: The body broke off or is corrupt; always one of the union.
        """
        ...

    async def read(self) -> bytes:
        """Read the body to its end.

        Raises:
            HTTPClientError: It is too large, broke off or is corrupt; always one of the union.
        """
        ...

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        ...


class Exchange(Protocol):
    """The transport seam: one request out, one response in.

    Retries, redirects, interceptors and time limits of a call are none of its business: they are
    around it. A time limit that is over cancels what waits inside.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> class Teapot:
        ...     async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        ...         return HttpResponse(418, url=request.url_text, method=request.method)
        ...     async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        ...         raise NotImplementedError("a teapot does not stream")
        >>> async def main() -> int:
        ...     async with HTTPClient(exchange=Teapot()) as client:
        ...         return (await client.request("BREW", "http://pot/")).status
        >>> asyncio.run(main())
        418
    """

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        """Send a request and read its response to the end.

        Args:
            request: What to send, checked and complete.
            progress: The call; its stage is to be kept up to date, as it says what a failure
                proves about the delivery.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response, or not a whole one; always one of the union.
        """
        ...

    async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        """Send a request and wait for the head of its response.

        Args:
            request: What to send.
            progress: See `send`.

        Returns:
            The response with its body unread; whoever asked for it closes it.

        Raises:
            HTTPClientError: There was no response; always one of the union.
        """
        ...


R_co = TypeVar("R_co", covariant=True, default=HttpResponse)


@runtime_checkable
class HTTPClientProtocol(Protocol[R_co]):
    """An HTTP client, generic over what its verbs return (PEP 696: `HttpResponse` by default).

    `HTTPClient` is an `HTTPClientProtocol[Result[HttpResponse, HTTPFailure]]`, `BaseURLHTTPClient`
    a plain `HTTPClientProtocol`.
    """

    async def start(self) -> None:
        """Start the client and its connection pool."""
        ...

    async def stop(self) -> None:
        """Stop the client and release all connections."""
        ...

    async def request(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Perform any request.

        Args:
            method: The method, in any case.
            url: The target URL.
            **options: See `RequestOptions`.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was none; always one of `HTTPFailure`.
        """
        ...

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a GET request.

        Args:
            url: The target URL.
            **options: See `RequestOptions`.

        Returns:
            What the client gives of a response: a `Result`, or the `HttpResponse` itself.

        Raises:
            HTTPClientError: What the client does not put into what it returns.
        """
        ...

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a POST request; see `get`."""
        ...

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a PUT request; see `get`."""
        ...

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a DELETE request; see `get`."""
        ...

    async def patch(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a PATCH request; see `get`."""
        ...

    async def head(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a HEAD request; see `get`."""
        ...


@runtime_checkable
class ContainerRegistrarProtocol(Protocol):
    """The side of a dependency-injection container that takes bindings."""

    # Not `type[T]`: mypy lets no protocol in there (type-abstract), and most bindings are of those.
    def singleton(self, interface: type[object], factory: Callable[[], object]) -> None:
        """Bind a type to what `factory` makes; it is called when the type is first asked for.

        Args:
            interface: The type, which may be a protocol.
            factory: Makes the one object of that type.
        """
        ...


@runtime_checkable
class ContainerResolverProtocol(Protocol):
    """The side of a dependency-injection container that hands out what is bound."""

    async def resolve(self, interface: type[T]) -> T | None:
        """Give what a type is bound to.

        Args:
            interface: The type.

        Returns:
            The object; what is not bound is None, or raises.
        """
        ...
