"""An endpoint whose response is a stream of server-sent events (WHATWG HTML, 9.2)."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final, Generic, ParamSpec, Self, TypeVar, cast, overload

from returns.result import Failure, Result, Success
from typing_extensions import TypeForm, Unpack

from railhttp.client.http_client import HTTPClient
from railhttp.endpoints.codec import Reader, reader_of
from railhttp.endpoints.declaration import Binding, Declaration, caller, checked_options, merged
from railhttp.endpoints.responses import Answers, Statuses
from railhttp.model.errors import (
    FAILURES,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPStatusError,
)
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.wire.sse import ServerSentEvent

if TYPE_CHECKING:
    from railhttp.client.documents import Events
    from railhttp.endpoints.service import Service

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)
F = TypeVar("F")


class EventFeed(Generic[T_co, E_co]):
    """A stream of results, one for each event; use it in `async with`, and iterate it once.

    An event whose data does not fit is a failure, and the stream goes on. A stream that cannot be
    opened, or breaks off, has that failure as its last result.

    Args:
        connect: Opens the stream; raises one of `HTTPFailure`.
        read: Reads an event of the stream with a URL.
        answers: The declared responses.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager["Events"]],
        read: Callable[[ServerSentEvent, str], Result[object, object]],
        answers: Answers,
    ) -> None:
        self._connect = connect
        self._read = read
        self._answers = answers
        self._results = self._iterate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._results.aclose()

    def __aiter__(self) -> AsyncIterator[Result[T_co, E_co | HTTPFailure]]:
        return self._results

    async def _iterate(self) -> AsyncGenerator[Result[T_co, E_co | HTTPFailure], None]:
        try:
            async with self._connect() as events:
                url = events.url
                async for event in events:
                    # The reader was compiled for T_co.
                    yield cast("Result[T_co, E_co | HTTPFailure]", self._read(event, url))
        except HTTPStatusError as failure:
            # A declared refusal is an E_co, and anything else is the failure itself.
            yield Failure(cast("E_co | HTTPFailure", self._answers.refusal(failure)))
        except FAILURES as failure:
            yield Failure(failure)


@dataclass(frozen=True, slots=True, repr=False)
class EventsEndpoint(Declaration, Generic[P, T_co, E_co]):
    """An endpoint whose response is a stream of server-sent events; `Endpoint.events` makes one."""

    model: object = None
    reconnect: bool = False
    _read: Reader | None = None

    @classmethod
    def of(
        cls, declared: Declaration, model: object, frame: FrameType, *, reconnect: bool
    ) -> "EventsEndpoint[P, T_co, E_co]":
        """Make one of an endpoint.

        Raises:
            TypeError: The type cannot be decoded.
        """
        base = (declared.method, declared.path, declared.make, declared.answers, declared.options)
        events = cls(*base, declared.problem, declared._plan, model, reconnect)
        if model is ServerSentEvent or declared.problem:
            return events
        try:
            return cls(*base, "", declared._plan, model, reconnect, reader_of(model))
        except TypeError as error:
            return events._refused(error, frame)

    @overload
    def fails(self, status: Statuses, model: type[F], /) -> "EventsEndpoint[P, T_co, E_co | F]": ...
    @overload
    def fails(
        self, status: Statuses, model: TypeForm[F], /
    ) -> "EventsEndpoint[P, T_co, E_co | F]": ...
    def fails(self, status: Statuses, model: object, /) -> object:
        """Declare a refusal; see `Endpoint.fails`."""
        return self._answering(lambda one: one.with_refusal(status, model), caller())

    def with_options(self, **options: Unpack[RequestOptions]) -> "EventsEndpoint[P, T_co, E_co]":
        """Set options of this endpoint's calls; see `Endpoint.with_options`."""
        return self._having(options)

    def __call__(
        self, *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[HTTPClient], EventFeed[T_co, E_co]]:
        """Describe a stream, for a client that is given later."""
        return lambda client: self.open(
            Binding(client, "", "", self.options), self.options, *args, **kwargs
        )

    def open(
        self, binding: Binding, options: RequestOptions, *args: P.args, **kwargs: P.kwargs
    ) -> EventFeed[T_co, E_co]:
        """Describe the stream of a client.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        try:
            parameters = self.parameters(*args, **kwargs)
            url, options = self.request(binding, options, parameters)
        except HTTPInvalidRequestError as failure:
            return EventFeed(_raising(failure), self.read_event, self.answers)

        def connect() -> AbstractAsyncContextManager["Events"]:
            named = self.named(options)
            return binding.client.sse(url, method=self.method, reconnect=self.reconnect, **named)

        return EventFeed(connect, self.read_event, self.answers)

    def read_event(self, event: ServerSentEvent, url: str = "") -> Result[object, object]:
        """Read the data of an event; `url` is that of the stream, for the failure."""
        if self._read is None:
            return Success(event)
        response = HttpResponse(200, body=event.data.encode(), url=url, method=self.method)
        return self._read(response)

    @overload
    def __get__(self, instance: None, owner: type[object]) -> "EventsEndpoint[P, T_co, E_co]": ...
    @overload
    def __get__(self, instance: "Service", owner: type[object]) -> "BoundEvents[P, T_co, E_co]": ...
    def __get__(self, instance: "Service | None", owner: type[object]) -> object:
        return self if instance is None else self.bound(instance.binding)

    def bound(self, binding: Binding) -> "BoundEvents[P, T_co, E_co]":
        """Bind the endpoint to a service."""
        return BoundEvents(self, binding, merged(binding.options, self.options))


class _raising(AbstractAsyncContextManager["Events"]):  # noqa: N801  # a function to its caller
    def __init__(self, failure: HTTPFailure) -> None:
        self._failure = failure

    def __call__(self) -> Self:
        return self

    async def __aenter__(self) -> "Events":
        raise self._failure

    async def __aexit__(self, *_: object) -> None:
        return None


class BoundEvents(Generic[P, T_co, E_co]):
    """A stream of events of a service.

    Args:
        endpoint: The endpoint.
        binding: Its service.
        options: All options of a call.
    """

    __slots__ = ("_binding", "_options", "endpoint")

    def __init__(
        self, endpoint: EventsEndpoint[P, T_co, E_co], binding: Binding, options: RequestOptions
    ) -> None:
        self.endpoint: Final = endpoint
        self._binding = binding
        self._options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> EventFeed[T_co, E_co]:
        """Describe the stream; it opens when it is iterated.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        return self.endpoint.open(self._binding, self._options, *args, **kwargs)

    def with_options(self, **options: Unpack[RequestOptions]) -> "BoundEvents[P, T_co, E_co]":
        """Set options of the call; see `BoundEndpoint.with_options`."""
        both = merged(self._options, checked_options(options))
        return BoundEvents(self.endpoint, self._binding, both)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint}>"
