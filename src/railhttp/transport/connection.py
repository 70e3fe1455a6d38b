"""One connection: aiohttp's protocol class, with its known faults repaired.

For the private names used here see `railhttp.transport.aiohttp_internals`.
"""

import asyncio
import math
from typing import Final, Protocol, runtime_checkable

from aiohttp import ClientConnectionError, ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import DEFAULT_CHUNK_SIZE
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, HttpResponseParserPy
from typing_extensions import override

from railhttp.model.request import WireOptions

_IS_PURE_PYTHON: Final = HttpResponseParser is HttpResponseParserPy
_MOST_AT_ONCE: Final = 512 * 1024
# aiohttp allows 8190 bytes and 128 fields, too little for large tokens, security policies and many
# cookies.
_LARGEST_FIELD: Final = 64 * 1024
_LONGEST_LINE: Final = 8190
_MOST_FIELDS: Final = 256


@runtime_checkable
class _SelectorTransport(Protocol):
    """asyncio's own transport; `max_size` is how many bytes it receives at once."""

    max_size: int


class StrictResponseHandler(ResponseHandler):
    """A connection that reports to the reader of a body how the connection ended.

    aiohttp is too lenient in two cases: if only the end of the connection delimits a body, it
    takes a RST for a clean end; and if its C parser finds a fault inside a body, the reader gets
    no exception and waits without end
    (tests/transport/test_exchange.py::test_a_body_that_breaks_is_never_taken_for_whole).
    """

    decodes = True
    """Whether aiohttp decompresses, which it does for `pool.session`."""

    def expect_by(self, wire: WireOptions, with_body: bool, read_timeout: float | None) -> None:
        """Do the same as `expect` for a call with `WireOptions`."""
        self.decodes = False
        self.set_response_params(
            skip_payload=not with_body,
            read_until_eof=wire.read_until_eof,
            auto_decompress=False,
            read_timeout=read_timeout,
            timeout_ceil_threshold=math.inf,
            read_bufsize=wire.read_bufsize or DEFAULT_CHUNK_SIZE,
            max_line_size=wire.max_line_size or _LONGEST_LINE,
            max_field_size=wire.max_field_size or _LARGEST_FIELD,
            max_headers=wire.max_headers or _MOST_FIELDS,
        )

    def expect(self, with_body: bool, read_timeout: float | None) -> None:
        """Prepare the parser for the next response, which has no body after a HEAD request."""
        self.decodes = False
        self.set_response_params(
            skip_payload=not with_body,
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=read_timeout,
            timeout_ceil_threshold=math.inf,  # else times above 5 s are rounded up
            max_field_size=_LARGEST_FIELD,
            max_headers=_MOST_FIELDS,
        )

    def is_unused(self) -> bool:
        """Whether the connection is open, and no unexpected bytes have arrived on it.

        Such bytes would be taken for the response to the next request. A whole head is in
        `_buffer`. The start of one is known only to the parser: the Python parser shows it in two
        attributes, the C parser only by what `feed_eof` returns
        (tests/transport/test_exchange.py::test_bytes_that_nobody_asked_for_reach_no_other_request).
        """
        parser = self._parser
        if self._buffer or self._exception is not None or parser is None or not self.is_connected():
            return False
        if _IS_PURE_PYTHON:
            return not parser._tail and not parser._lines
        try:
            return parser.feed_eof() is None
        except HttpProcessingError:
            return False

    def expect_more(self) -> None:
        """Restart the read timeout, unless a response is already buffered.

        aiohttp stops it after each response head, even after an interim one (1xx).
        """
        if not self._buffer:
            self.start_timeout()

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
        # Twice asyncio's default: a large body then costs a fifth less CPU (benchmarks: streaming).
        if isinstance(transport, _SelectorTransport):
            transport.max_size = _MOST_AT_ONCE

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        body = self._payload  # the original sets it to None
        if body is not None and not body.is_eof():
            if self._exception is not None:
                body.set_exception(self._exception)
            elif exc is not None:
                body.set_exception(ClientPayloadError(), exc)
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
        if self.decodes:
            super().pause_reading()
            return
        # The original also pauses the parser, which matters only if aiohttp decompresses. A parser
        # that is paused at the end of a TCP segment holds back the next bytes and loses them
        # (tests/client/test_streams.py::test_many_chunks_that_gathered_are_followed_by_the_rest).
        self._reading_paused = True
        self._pause_transport_reading()
        self._drop_timeout()

    @override
    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp calls this after every piece that is read, even if reading is not paused, and
        # then runs its parser on b"" (benchmarks: one request).
        if self.decodes:
            super().resume_reading(resume_parser)
        elif self._reading_paused:
            super().resume_reading(resume_parser=False)
