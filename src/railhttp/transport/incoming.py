"""A response whose body is read piece by piece, with its content codings undone."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NoReturn

from aiohttp import EMPTY_PAYLOAD, ClientSession, HttpVersion11, hdrs

from railhttp.model.errors import CallInfo, HTTPConnectionError, HTTPResponseTooLargeError
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState
from railhttp.transport.reply import STOPPED, Reply
from railhttp.wire.content import ContentDecoder, ContentError, decoder_for, is_only_chunked

if TYPE_CHECKING:
    from railhttp.transport.exchange import AiohttpExchange

_LONG_BREATH: Final = 1024 * 1024  # decoded bytes between two turns of the event loop
_NO_PIECES: Final[Iterator[bytes]] = iter(())


class Incoming:
    """A response whose head has come and whose body is still to be read."""

    __slots__ = (
        "_decoder",
        "_exchange",
        "_pieces",
        "_progress",
        "_reply",
        "_request",
        "_session",
        "_unbroken",
    )

    def __init__(
        self,
        reply: Reply,
        exchange: "AiohttpExchange",
        session: ClientSession,
        request: Request,
        progress: AttemptState,
    ) -> None:
        self._reply = reply
        self._session = session
        self._exchange = exchange
        self._request = request
        self._progress = progress
        self._decoder: ContentDecoder | None = None
        self._pieces = _NO_PIECES
        self._unbroken = 0
        if reply.status < 200:
            self._refuse(f"an unasked status {reply.status}")
        if hdrs.TRANSFER_ENCODING in reply.headers and reply.content is not EMPTY_PAYLOAD:
            framing = reply.headers.getall(hdrs.TRANSFER_ENCODING)
            if not is_only_chunked(", ".join(framing)):
                self._refuse("a transfer coding that nobody asked for")
        if hdrs.CONTENT_ENCODING in reply.headers:
            try:
                codings = reply.headers.getall(hdrs.CONTENT_ENCODING)
                self._decoder = decoder_for(", ".join(codings))
            except ContentError:
                self.close()
                raise
        if request.options.read_timeout is not None:
            reply.without_idle_limit()

    def _refuse(self, message: str) -> NoReturn:
        self.close()
        raise HTTPConnectionError(message, kind="protocol", **self.call_info())

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        reply = self._reply
        version = reply.version
        return HttpResponse(
            reply.status,
            reply.headers,
            body,
            self._request.url_text,
            self._request.method,
            self._exchange.elapsed(self._progress),
            "1.1" if version is HttpVersion11 else f"{version.major}.{version.minor}",
            self._progress.attempts,
            secret_headers=self._request.options.secret_headers,
        )

    def call_info(self) -> CallInfo:
        """Say what a failure of this response has to know."""
        return self._exchange.call_info(self._request, self._progress)

    def gathered(self) -> bytes | None:
        """Give a body that came whole with its head, as small ones do; None for any other.

        It needs no wait, and so no watch (benchmarks: one request).

        Raises:
            HTTPResponseTooLargeError: See `read`.
        """
        content = self._reply.content
        if self._decoder is not None or not content.is_eof():
            return None
        body = content.read_nowait()
        self._check_size(len(body))
        return body

    async def read(self) -> bytes:
        """Read the body to its end.

        Raises:
            HTTPResponseTooLargeError: It has more than `max_response_bytes` after decompression.
            HTTPClientError: The body broke off or is corrupt; always one of the union.
        """
        content = self._reply.content
        chunks = []
        size = 0
        while chunk := await (self.chunk() if content.is_eof() else self._watched()):
            size += len(chunk)
            self._check_size(size)
            chunks.append(chunk)
        return b"".join(chunks)

    def _check_size(self, size: int) -> None:
        limit = self._request.options.max_response_bytes
        if size > limit:
            raise HTTPResponseTooLargeError(
                f"the body is larger than {limit} bytes", limit=limit, **self.call_info()
            )

    async def _watched(self) -> bytes:
        idle = self._exchange.idle_limit(self._request)
        if idle is None:
            return await self.chunk()
        try:
            with idle:
                return await self.chunk()
        except TimeoutError as error:
            self._exchange.fail(error, self._request, self._progress)

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at its end.

        Whoever asks for pieces sees to it that the wait for one has an end.

        Raises:
            HTTPClientError: The body broke off or is corrupt; always one of the union.
        """
        try:
            if self._session.closed:
                raise HTTPConnectionError(STOPPED, kind="closed")  # noqa: TRY301
            if self._decoder is None:
                return await self._receive()
            while not (piece := next(self._pieces, b"")):
                data = await self._receive()
                if not data:
                    self._decoder.finish()
                    return b""
                self._pieces = self._decoder.feed(data)
            await self._breathe(len(piece))
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            if self._session.closed and isinstance(error, Exception):
                error = HTTPConnectionError(STOPPED, kind="closed")
            self._exchange.fail(error, self._request, self._progress)
        else:
            return piece

    async def _breathe(self, size: int) -> None:
        """Let other tasks run, and time limits hold, while little data unpacks to very much."""
        self._unbroken += size
        if self._unbroken >= _LONG_BREATH:
            self._unbroken = 0
            await asyncio.sleep(0)

    async def _receive(self) -> bytes:
        content = self._reply.content
        headers = self._reply.headers
        try:
            if hdrs.CONTENT_LENGTH not in headers or hdrs.TRANSFER_ENCODING in headers:
                # Not `readchunk`: it may give an empty piece before the end, and tiny ones.
                return await content.readany()
            # `readany` would join what has gathered, a copy of all of it (benchmarks: streaming).
            return (await content.readchunk())[0]
        except Exception:
            # aiohttp says first that the body broke. What had come before goes to a slow reader as
            # it would to a fast one, and the failure comes with the next call
            # (tests/transport/test_gathered_body.py::test_what_had_come_before_a_break_is_read).
            if not content._buffer:
                raise
            return content._read_nowait(-1)

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        self._reply.close()
