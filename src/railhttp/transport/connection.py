"""A connection: what the project adds to that of aiohttp."""

import asyncio
import math
from typing import Final, Protocol, runtime_checkable

from aiohttp import ClientConnectionError, ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, HttpResponseParserPy
from typing_extensions import override

_IS_PURE_PYTHON: Final = HttpResponseParser is HttpResponseParserPy
_MOST_AT_ONCE: Final = 512 * 1024
# Large tokens, policies and many cookies are more than the 8190 bytes and 128 fields of aiohttp.
_LARGEST_FIELD: Final = 64 * 1024
_MOST_FIELDS: Final = 256


@runtime_checkable
class _SelectorTransport(Protocol):
    """asyncio's own transport, which receives as many bytes at once as it is told."""

    max_size: int


class StrictResponseHandler(ResponseHandler):
    """A connection that tells the body being read how the connection ended.

    Where only the connection's end delimits a body, aiohttp takes a RST for a good end; and a body
    in which its C parser found a fault is told nothing, so that its reader waits for ever
    (tests/transport/test_exchange.py::test_a_body_that_breaks_is_never_taken_for_whole).
    """

    def expect(self, with_body: bool, read_timeout: float | None) -> None:
        """Be ready for the next answer.

        Args:
            with_body: Whether it may have a body, as it has unless HEAD was asked.
            read_timeout: Seconds of silence until it has come; None is no limit.
        """
        self.set_response_params(
            skip_payload=not with_body,
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=read_timeout,
            timeout_ceil_threshold=math.inf,
            max_field_size=_LARGEST_FIELD,
            max_headers=_MOST_FIELDS,
        )

    def is_unused(self) -> bool:
        """Whether the connection stands, and nothing has come that nobody asked for.

        Bytes behind an answer are an answer that would be taken for that of the next request; of
        one that has only begun, the parser alone knows, and says so at its end
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
        """Watch over silence from now on, unless something has come already.

        aiohttp stops watching with each answer, an interim one too.
        """
        if not self._buffer:
            self.start_timeout()

    def fail(self, error: Exception) -> None:
        """Close the connection, and tell whoever waits for the answer, or reads it, why."""
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
            self.abort()  # it would first be sent: half a request, for which nobody waits any more
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
        # Twice as much as asyncio takes of its own accord: a large body costs less CPU by a fifth
        # (benchmarks: streaming).
        if isinstance(transport, _SelectorTransport):
            transport.max_size = _MOST_AT_ONCE

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        body = self._payload
        if body is not None and not body.is_eof():
            if self._exception is not None:
                body.set_exception(self._exception)
            elif exc is not None:
                body.set_exception(ClientPayloadError(), exc)
        super().connection_lost(exc)

    @override
    async def _drain_helper(self) -> None:
        # aiohttp watches over answers alone, so an upload that nobody takes would wait for ever
        # (tests/transport/test_exchange.py::test_a_read_timeout_holds_before_the_answer_too).
        stalled = self._paused
        if stalled:
            self.start_timeout()
        await super()._drain_helper()
        if stalled:
            self._drop_timeout()

    @override
    def pause_reading(self) -> None:
        # aiohttp stops its parser too, for bodies that it decompresses itself; a parser that was
        # stopped where a segment ended keeps what comes next for itself, and loses it
        # (tests/client/test_streams.py::test_many_chunks_that_gathered_are_followed_by_the_rest).
        self._reading_paused = True
        self._pause_transport_reading()
        self._drop_timeout()

    @override
    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp asks for it with every piece that is read, paused or not, and each time gives its
        # parser nothing to parse (benchmarks: one request).
        if self._reading_paused:
            super().resume_reading(resume_parser=False)
