"""A response on its connection: the head is read, the body is still to come."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NoReturn

from aiohttp import EMPTY_PAYLOAD, ClientConnectionError, StreamReader, hdrs
from aiohttp.helpers import DEFAULT_CHUNK_SIZE

from railhttp.model.errors import CallInfo, HTTPConnectionError, HTTPResponseTooLargeError
from railhttp.model.request import Request
from railhttp.model.response import Headers, HttpResponse
from railhttp.model.stage import AttemptState
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.dispatch import STOPPED, Dispatcher, Received
from railhttp.wire.body_buffer import BodyBuffer
from railhttp.wire.content import ContentDecoder, ContentError, decoder_for, is_only_chunked

if TYPE_CHECKING:
    from railhttp.transport.exchange import AiohttpExchange

# Decoded bytes after which other tasks get a turn: a little data may expand to a very large body.
_LONG_BREATH: Final = 1024 * 1024
_LEAST: Final = 4096  # a piece of one byte takes time, too
_NO_PIECES: Final[Iterator[bytes]] = iter(())


def _decodes(request: Request) -> bool:
    wire = request.options.wire
    return wire is None or wire.auto_decompress


def too_large(limit: int, call: CallInfo) -> HTTPResponseTooLargeError:
    """Build the failure of a body that is larger than `max_response_bytes`."""
    message = f"the body is larger than {limit} bytes"
    return HTTPResponseTooLargeError(message, limit=limit, **call)


def _stream_of(body: bytes, connection: StrictResponseHandler) -> StreamReader:
    stream = StreamReader(connection, DEFAULT_CHUNK_SIZE, loop=connection._loop)
    stream.feed_data(body)
    stream.feed_eof()
    return stream


class Incoming:
    """A response that holds its connection until the body ends, or until `close`.

    It decodes content codings and limits the size of the body; see `IncomingResponse`.
    """

    __slots__ = (
        "_attempt",
        "_connection",
        "_content",
        "_decoder",
        "_dispatcher",
        "_exchange",
        "_head",
        "_pieces",
        "_request",
        "_unbroken",
        "_upload",
        "headers",
        "status",
    )

    def __init__(
        self,
        received: Received,
        exchange: "AiohttpExchange",
        dispatcher: Dispatcher,
        request: Request,
        attempt: AttemptState,
    ) -> None:
        self._dispatcher = dispatcher
        head, content, connection, self._upload = received
        self.status: int = head.status
        self.headers: Headers = head.headers
        self._head = head
        if isinstance(content, bytes):
            content = _stream_of(content, connection)
        self._content = content
        self._connection: StrictResponseHandler | None = connection
        content.on_eof(self._ended)  # called at once if the body arrived with its head
        self._exchange = exchange
        self._request = request
        self._attempt = attempt
        self._decoder: ContentDecoder | None = None
        self._pieces = _NO_PIECES
        self._unbroken = 0
        if self.status < 200:
            self._refuse(f"unexpected status {self.status}", connection)
        if hdrs.TRANSFER_ENCODING in self.headers and content is not EMPTY_PAYLOAD:
            framing = self.headers.getall(hdrs.TRANSFER_ENCODING)
            if not is_only_chunked(", ".join(framing)):
                self._refuse("unexpected transfer coding", connection)
        if hdrs.CONTENT_ENCODING in self.headers and _decodes(request):
            try:
                codings = self.headers.getall(hdrs.CONTENT_ENCODING)
                self._decoder = decoder_for(", ".join(codings))
            except ContentError:
                self.close()
                raise
        if request.options.read_timeout is not None and self._connection is not None:
            # aiohttp's read timeout counts the consumer's time too, so `_watched` replaces it
            # (tests/client/test_streams.py::test_the_time_that_the_consumer_takes_does_not_count).
            connection.read_timeout = None
            connection.start_timeout()

    def _refuse(self, message: str, connection: StrictResponseHandler) -> NoReturn:
        self.close()
        connection.abort()  # where its next response begins cannot be known
        raise HTTPConnectionError(message, kind="protocol", **self.call_info())

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the given body."""
        return self._exchange.answer(self._head, body, self._request, self._attempt)

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        return self._exchange.call_info(self._request, self._attempt)

    async def read(self) -> bytes:
        """Read the body to its end, at most `max_response_bytes` after decompression."""
        content = self._content
        body = BodyBuffer(self._head.length)
        while chunk := await (self._piece() if content.is_eof() else self._watched()):
            self._check_size(body.size + len(chunk))
            body.add(chunk)
        await self._finish_upload()
        return body.body()

    def _check_size(self, size: int) -> None:
        limit = self._request.options.max_response_bytes
        if size > limit:
            raise too_large(limit, self.call_info())

    async def _watched(self) -> bytes:
        limit = self._request.options.read_timeout
        if limit is None:
            return await self._piece()
        try:
            with self._exchange.watch(limit):
                return await self._piece()
        except TimeoutError as error:
            self._exchange.fail(error, self._request, self._attempt)

    async def chunk(self) -> bytes:
        """Read the next decoded piece, empty at the end; the caller limits the time of the wait."""
        piece = await self._piece()
        if not piece:
            await self._finish_upload()
        return piece

    async def _piece(self) -> bytes:
        try:
            if self._dispatcher.session.closed:
                raise HTTPConnectionError(STOPPED, kind="closed")  # noqa: TRY301
            if self._decoder is None:
                return await self._receive()
            while not (piece := next(self._pieces, None)):
                if piece is not None:
                    await asyncio.sleep(0)
                    continue
                data = await self._receive()
                if not data:
                    self._decoder.finish()
                    return b""
                self._pieces = self._decoder.feed(data)
            self._unbroken += max(len(piece), _LEAST)
            if self._unbroken >= _LONG_BREATH:
                self._unbroken = 0
                await asyncio.sleep(0)
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            if self._dispatcher.session.closed and isinstance(error, Exception):
                error = HTTPConnectionError(STOPPED, kind="closed")
            self._exchange.fail(error, self._request, self._attempt)
        else:
            return piece

    async def _receive(self) -> bytes:
        content = self._content
        try:
            if hdrs.CONTENT_LENGTH not in self.headers:
                # Not `readchunk`: for chunked bodies it may return tiny pieces, and an empty one
                # before the end.
                return await content.readany()
            # `readany` would join all buffered pieces, which copies them (benchmarks: streaming).
            return (await content.readchunk())[0]
        except Exception:
            # aiohttp raises as soon as the body breaks, and skips the bytes it has buffered. A slow
            # reader must receive them as a fast one does. The next call raises the error again
            # (tests/transport/test_gathered_body.py::test_what_had_come_before_a_break_is_read).
            if not content._buffer:
                raise
            return content._read_nowait(-1)

    @property
    def _goes_on_sending(self) -> bool:
        """Whether a success came while the upload is under way (RFC 9110, section 7.5).

        The server wants the rest, unless it closes the connection. A failure or a redirect needs no
        rest, and a body that was held back for a `100 Continue` is not wanted.
        """
        return self._upload is not None and self._upload.is_sending and self.status < 300

    async def _finish_upload(self) -> None:
        if self._upload is None:
            return
        try:
            # A body that failed in the meantime fails the call too, however late it is looked at.
            if self._goes_on_sending or (self._upload.error is not None and self.status < 300):
                await self._upload.finished()
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            self.close()
            self._exchange.fail(error, self._request, self._attempt)
        self.close()  # `_ended` left it open, even if the upload ended in the meantime

    def _ended(self) -> None:
        if not self._goes_on_sending:
            self.close()

    def close(self) -> None:
        """Release the connection; it is closed unless request and response are complete."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not self._content.is_eof():  # else a task that is reading would never wake up
            self._content.set_exception(ClientConnectionError("the response was closed"))
        sent = self._upload is None or self._upload.is_done
        if self._upload is not None and not sent:
            self._upload.cancel()
        self._dispatcher.connector.take_back(connection, reusable=sent)
