"""One connection: aiohttp's protocol class, with its known faults repaired.

For the private names used here see `railhttp.transport.aiohttp_internals`.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias, cast

from aiohttp import EMPTY_PAYLOAD, ClientConnectionError, ClientPayloadError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.helpers import _EXC_SENTINEL as _NO_CAUSE
from aiohttp.helpers import set_exception
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, HttpResponseParserPy
from typing_extensions import override

from railhttp.transport.expected import USUAL, Expected
from railhttp.transport.handshake import HandshakeRefusedError, is_refused_handshake
from railhttp.transport.reusable import ReusableHandler
from railhttp.wire.response_head import ResponseError, ResponseHead
from railhttp.wire.response_reader import End, ResponseReader, whole_response

Content: TypeAlias = bytes | StreamReader
"""A body that came in one piece with its head, or the stream of any other."""
Arrival: TypeAlias = tuple[ResponseHead, Content]
"""A response as far as the task that waits for it is woken with it."""
Awaited: TypeAlias = "asyncio.Future[Arrival] | asyncio.Future[ResponseHandler | Arrival]"
"""The future of a response; that of a caller in the queue of the pool may be a connection."""

_IS_PURE_PYTHON: Final = HttpResponseParser is HttpResponseParserPy
_USUAL_AT_ONCE: Final = 64 * 1024
_MOST_AT_ONCE: Final = 512 * 1024
_MOST_EARLY: Final = 64 * 1024
_MOST_TINY: Final = 32 * 1024


class _SelectorTransport(Protocol):
    max_size: int


class StrictResponseHandler(ReusableHandler):
    """A connection that reads responses by our own rules; see `ResponseReader`.

    aiohttp's two parsers judge some responses differently from each other, by how TCP cut the
    bytes, and by Python's development mode. They are used only if somebody sends a request by
    `ConnectionPool.session`.

    Attributes:
        on_interim: Called with the status of each interim response (1xx).
        key: The destination, as the connector names it.
        has_served: Whether an earlier request has had this connection.
    """

    __slots__ = (
        *("_expected", "_is_fresh", "_reader", "_response"),
        *("has_served", "key", "on_interim"),
    )

    key: ConnectionKey

    def __init__(
        self, loop: asyncio.AbstractEventLoop, keepalive_timeout: float = math.inf
    ) -> None:
        super().__init__(loop, keepalive_timeout)
        self._expected: Expected | None = None  # set until a byte of the response has come
        self._reader: ResponseReader | None = None
        self._response: Awaited | None = None
        self._is_fresh: bool = True
        self.on_interim: Callable[[int], None] | None = None
        self.has_served: bool = False

    def expect(
        self, response: Awaited, expected: Expected, read_timeout: float | None
    ) -> asyncio.Transport:
        """Prepare for the response to the next request.

        Args:
            response: The future whose result it becomes.
            expected: How to read it.
            read_timeout: Seconds of silence allowed; None is no limit.

        Returns:
            What the request is written to.
        """
        transport = self.transport
        if transport is None:
            if isinstance(self._exception, HandshakeRefusedError):
                raise self._exception
            raise ClientConnectionError("the connection is closed")
        self._response = response
        self._expected = expected
        self._read_timeout = read_timeout
        self._parser = self._reader = self._payload = self.on_interim = None
        self._is_fresh = False
        if self._tail:  # the server was faster than the request
            early, self._tail = self._tail, b""
            self.data_received(early)
        return transport

    def is_reusable(self) -> bool:
        """Whether the connection may serve another request after the response that has ended."""
        if self._parser is not None:  # the request was sent by `ConnectionPool.session`
            return not self.should_close
        # A method costs less than a property such as `should_close` (benchmarks/README.md).
        body = self._payload
        ended = body is None or body.is_eof()
        return ended and not (self._should_close or self._exception is not None or self._tail)

    def is_unused(self) -> bool:
        """Whether the connection is open, and no unexpected bytes have arrived on it.

        Such bytes would be taken for the response to the next request
        (tests/transport/test_exchange.py::test_bytes_that_nobody_asked_for_reach_no_other_request).
        """
        # Idle connections were fit for reuse when they came to rest, and what has come since has
        # ended them (`refuses`), so most of what `is_reusable` asks cannot have changed.
        # An exception of the connection has set `_should_close`, too.
        transport = self.transport
        if self._should_close or transport is None or transport.is_closing():
            return False
        parser = self._parser
        if parser is None:
            return True
        # The last request was sent by `ConnectionPool.session`. A whole head would be in `_buffer`;
        # the start of one is known only to the parser: the Python parser shows it in two
        # attributes, the C parser only by what `feed_eof` returns.
        if _IS_PURE_PYTHON:
            return not parser._tail and not parser._lines
        try:
            return parser.feed_eof() is None
        except HttpProcessingError:
            return False

    def expect_more(self) -> None:
        """Restart the read timeout, unless the response has come already."""
        if self._response is not None:
            self.start_timeout()

    @override
    def data_received(self, data: bytes) -> None:
        if self.is_unproven and self.refuses(data):
            return
        if self._parser is not None or self._payload_parser is not None:
            super().data_received(data)
            return
        if (expected := self._expected) is not None:
            self._expected = None
            if expected is USUAL and (whole := whole_response(data)) is not None:
                self._received(whole)
                return
            self._reader = ResponseReader(
                expected.limits,
                with_body=expected.with_body,
                read_until_eof=expected.read_until_eof,
            )
            self._read_bufsize = expected.read_bufsize
        reader = self._reader
        if reader is not None and not reader.is_done:
            self._read(data, reader)
        elif self._is_fresh and len(self._tail) < _MOST_EARLY:
            self._tail += data
        else:
            self._refuse_surplus()

    def _refuse_surplus(self) -> None:
        # Nothing would limit what still comes.
        self._should_close = True
        self._pause_transport_reading()

    def _received(self, response: Arrival) -> None:
        if response[0].closes():
            self._should_close = True
        if self._read_timeout_handle is not None:
            self._drop_timeout()
        waiting, self._response = self._response, None
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    @override
    def set_exception(self, exc: BaseException, exc_cause: BaseException = _NO_CAUSE) -> None:
        super().set_exception(exc, exc_cause)
        waiting, self._response = self._response, None
        if waiting is not None:
            # To the type checkers, a union of futures is no future.
            set_exception(cast("asyncio.Future[Arrival]", waiting), exc, exc_cause)

    def _read(self, data: bytes, reader: ResponseReader) -> None:
        if self._read_timeout is not None:
            self.start_timeout()
        parts = reader.feed(data)
        if reader.has_surplus:
            self._refuse_surplus()
        pieces: list[bytes] = []
        for part in parts:
            match part:
                case bytes():
                    pieces.append(part)
                case ResponseHead():
                    self._begin(part, reader)
                case End():
                    self._end(pieces)
                case ResponseError():
                    self._feed(pieces)
                    self.fail(part)
        if not reader.is_done:
            self._feed(pieces)
            self._adapt(len(data), pieces)

    def _adapt(self, size: int, pieces: list[bytes]) -> None:
        """Adapt how much is read at once to what came with `size` bytes."""
        if size > _MOST_TINY and 2 * sum(map(len, pieces)) < size:
            self._yield_loop()
        elif size == _USUAL_AT_ONCE:
            # A large body costs a fifth less CPU in larger pieces (benchmarks: streaming).
            self._read_at_most(_MOST_AT_ONCE)

    def _read_at_most(self, size: int) -> None:
        if hasattr(self.transport, "max_size"):  # asyncio's own transport
            cast("_SelectorTransport", self.transport).max_size = size  # as was just seen

    def _yield_loop(self) -> None:
        """Let other tasks run before more tiny chunks are read, which take long to parse."""
        self._read_at_most(_MOST_TINY)
        self._pause_transport_reading()  # uvloop would read several times in one turn
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._reading_paused and self._reader is not None and not self._reader.is_done:
            self._resume_transport_reading()

    def _feed(self, pieces: list[bytes]) -> None:
        """Pass on what came as one piece, however small the chunks in it."""
        if pieces and self._payload is not None:
            self._payload.feed_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _end(self, pieces: list[bytes]) -> None:
        self._feed(pieces)
        self._drop_timeout()
        if self._payload is not None:
            self._payload.feed_eof()
        self._read_at_most(_USUAL_AT_ONCE)

    def _begin(self, head: ResponseHead, reader: ResponseReader) -> None:
        if head.is_interim:
            if self.on_interim is not None:
                self._drop_timeout()
                self.on_interim(head.status)
            return
        if head.status == 101 or reader.ends_with_connection:
            self._should_close = True
        body = EMPTY_PAYLOAD
        if reader.has_body:
            body = self._payload = StreamReader(self, self._read_bufsize, loop=self._loop)
        self._received((head, body))

    def fail(self, error: Exception) -> None:
        """Close the connection and raise `error` in the task that waits for or reads a response."""
        self.set_exception(error)
        self._break_off(error)
        if self.transport is not None:
            self.transport.close()

    def _break_off(self, error: Exception) -> None:
        body = self._payload
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(error)

    @override
    def close(self) -> None:
        transport = self.transport
        if transport is not None and transport.get_write_buffer_size():
            self.abort()  # `close` would first send the rest of a request that was given up
            return
        self._break_off(ClientConnectionError("the connection was closed"))
        super().close()

    @override
    def abort(self) -> None:
        self._break_off(ClientConnectionError("the connection was closed"))
        super().abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # glibc maps and unmaps each larger block in a program that never freed one as large: at
        # 512 KiB a call takes 1.4 times the CPU (benchmarks: cold allocator).
        self._read_at_most(_USUAL_AT_ONCE)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        is_silent = self._expected is not None or (self._is_fresh and not self._tail)
        if is_silent and not self.has_served and is_refused_handshake(self.transport, exc):
            self.set_exception(HandshakeRefusedError())
        body, reader = self._payload, self._reader  # the original sets the body to None
        if body is not None and not body.is_eof():
            if self._exception is not None:
                body.set_exception(self._exception)
            elif exc is not None:
                body.set_exception(ClientPayloadError(), exc)
            elif self._parser is None and reader is not None:
                _end_body(body, reader)
        super().connection_lost(exc)

    @override
    async def _drain_helper(self) -> None:
        # aiohttp runs its read timeout only while it reads. Without this, an upload to a server
        # that stopped reading would never end
        # (tests/transport/test_exchange.py::test_a_read_timeout_holds_before_the_answer_too).
        stalled = self._paused
        if stalled:
            self.start_timeout()
        await super()._drain_helper()
        if stalled:
            self._drop_timeout()

    @override
    def pause_reading(self) -> None:
        if self._parser is not None:
            super().pause_reading()
            return
        self._reading_paused = True
        self._pause_transport_reading()
        self._drop_timeout()

    @override
    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp calls this after every piece that is read, even if reading is not paused.
        if self._parser is not None:
            super().resume_reading(resume_parser)
        elif self._reading_paused:
            super().resume_reading(resume_parser=False)


def _end_body(body: StreamReader, reader: ResponseReader) -> None:
    """End a body whose connection was closed without an error."""
    if reader.ends_with_connection:
        body.feed_eof()
    elif body.exception() is None:
        body.set_exception(ClientPayloadError())
