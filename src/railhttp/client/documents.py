"""Streams of documents: each event, or each line, is decoded to a `Result`."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Final, Generic, Never, Self, TypeAlias, TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import TypeForm

from railhttp.client.event_stream import EventStream
from railhttp.model.errors import FAILURES, CallInfo, HTTPDecodeError, HTTPFailure
from railhttp.model.response import HttpResponse
from railhttp.wire.sse import ServerSentEvent

T = TypeVar("T")

Read: TypeAlias = Callable[[bytes, str], Result[T, HTTPFailure]]
"""Decodes a document; the second argument names its place in the stream."""


def reader_of(
    model: TypeForm[T], info: Callable[[], CallInfo], head: HttpResponse | None = None
) -> Read[T]:
    """Return the function that decodes the documents of a stream.

    Args:
        model: The type of a document, see `railhttp.railway.decode`.
        info: Returns the details that a failure carries.
        head: The response of the stream, if it has one.

    Raises:
        TypeError: The type cannot be decoded.
    """
    # The decoders are above the clients, and most clients decode no stream.
    from railhttp.railway.decoders import decode  # noqa: PLC0415

    decoder = decode(model)
    content_type = "" if head is None else head.content_type

    def read(document: bytes, place: str) -> Result[T, HTTPFailure]:
        decoded = decoder(HttpResponse(200, body=document))
        if is_successful(decoded):
            return decoded
        failure = decoded.failure()
        shown = HttpResponse(200 if head is None else head.status, body=document)
        return Failure(
            HTTPDecodeError(
                failure.message,
                where=f"{place} {failure.where}".strip(),
                content_type=content_type,
                response=shown,
                **info(),
            )
        )

    return read


class Events:
    """The events of an open stream: an async iterator."""

    __slots__ = ("_events", "_stream")

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._events = stream.events()

    def __aiter__(self) -> AsyncGenerator[ServerSentEvent, None]:
        return self._events  # a coroutine around each event would cost a fifth of the decoding

    async def __anext__(self) -> ServerSentEvent:
        return await anext(self._events)

    @property
    def url(self) -> str:
        """The requested URL, redacted."""
        return self._stream.call_info().get("url", "")

    async def aclose(self) -> None:
        """End the iteration; the block closes the connection."""
        await self._events.aclose()

    def decoded(
        self, model: TypeForm[T], *, done: str | None = None
    ) -> AsyncGenerator[Result[T, HTTPFailure], None]:
        """Yield the data of each event, decoded from JSON.

        A document that does not fit is a failure, whose `response` has it; the stream goes on. A
        failure of the stream itself is the last result.

        Args:
            model: The type of a document, see `railhttp.railway.decode`.
            done: The data of the event that ends the stream, such as `[DONE]`.

        Raises:
            TypeError: The type cannot be decoded; raised at once.
        """
        return _decoded(self, reader_of(model, self._stream.call_info), done)


async def _decoded(
    events: AsyncIterator[ServerSentEvent], read: Read[T], done: str | None
) -> AsyncGenerator[Result[T, HTTPFailure], None]:
    number = 0
    try:
        async for event in events:
            number += 1
            if event.data == done:
                return
            data = event.data.encode("utf-8", "surrogatepass")
            yield read(data, f"event {number}")
    except FAILURES as failure:
        yield Failure(failure)


Connect: TypeAlias = Callable[[], Awaitable[EventStream]]


class EventSource:
    """A stream of server-sent events that opens as a block: `client.sse(...)`.

    Args:
        connect: Opens the stream.
        target: What it is, for people.
    """

    __slots__ = ("_connect", "_stream", "_target")

    def __init__(self, connect: Connect, target: str) -> None:
        self._connect: Final = connect
        self._target: Final = target
        self._stream: EventStream | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._target}>"

    async def __aenter__(self) -> Events:
        self._stream = stream = await self._connect()
        await stream.connect()  # which leaves nothing open if it fails
        return Events(stream)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def decoded(self, model: TypeForm[T], *, done: str | None = None) -> "DecodedEvents[T]":
        """Describe the stream of the events' data, decoded from JSON; see `Events.decoded`.

        Returns:
            An async iterable of results, and a block that yields itself. It never raises a failure:
            one of the opening is its only result.

        Raises:
            TypeError: The type cannot be decoded.
        """
        reader_of(model, CallInfo)
        return DecodedEvents(self, lambda events: events.decoded(model, done=done))


class DecodedEvents(Generic[T]):
    """The results of a stream of documents: a block, or an async iterable by itself."""

    __slots__ = ("_decode", "_results", "_source")

    def __init__(
        self,
        source: EventSource,
        decode: Callable[[Events], AsyncGenerator[Result[T, HTTPFailure], None]],
    ) -> None:
        self._source = source
        self._decode = decode
        self._results: AsyncGenerator[Result[T, HTTPFailure], None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source}>"

    async def __aenter__(self) -> Self:
        try:
            self._results = self._decode(await self._source.__aenter__())
        except FAILURES as failure:
            self._results = _only(failure)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._results is not None:
                await self._results.aclose()
        finally:
            await self._source.__aexit__(exc_type, exc, traceback)

    def __aiter__(self) -> AsyncGenerator[Result[T, HTTPFailure], None]:
        return self._alone() if self._results is None else self._results

    async def _alone(self) -> AsyncGenerator[Result[T, HTTPFailure], None]:
        async with self, aclosing(self.__aiter__()) as results:
            async for result in results:
                yield result


async def _only(failure: HTTPFailure) -> AsyncGenerator[Result[Never, HTTPFailure], None]:
    yield Failure(failure)
