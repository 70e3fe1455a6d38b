"""One request out, one response in: where everything that aiohttp raises becomes a failure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, NoReturn

from aiohttp import ClientSession, HttpVersion11, hdrs
from yarl import URL

from railhttp.model.errors import (
    CallFacts,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPValidationError,
)
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import Progress, Stage, call_facts
from railhttp.model.url import url_text
from railhttp.protocols import Clock
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.pool import ConnectionPool
from railhttp.transport.reply import Reply
from railhttp.wire.content import ContentError, Decoder, decoder_for

_LONG_BREATH: Final = 1024 * 1024  # decoded bytes between two turns of the event loop
_NO_PIECES: Final[Iterator[bytes]] = iter(())


class AiohttpExchange:
    """Sends one request over a pool's connections and takes in the response.

    Args:
        pool: Where the connections come from.
        clock: What tells the time.
        watch: Gives a context that raises `TimeoutError` after some seconds.
    """

    __slots__ = ("_clock", "_pool", "_watch")

    def __init__(
        self,
        pool: ConnectionPool,
        clock: Clock,
        watch: Callable[[float], AbstractContextManager[object]],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._watch = watch

    async def send(self, request: Request, progress: Progress) -> HttpResponse:
        """Send a request and read its response to the end.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response, or not a whole one; always one of the union.
        """
        progress.stage = Stage.QUEUED
        try:
            incoming = self._incoming(await self._dispatched(request, progress), request, progress)
            body = incoming.gathered()
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self.fail(error, request, progress)
        try:
            return incoming.answer(await incoming.read() if body is None else body)
        finally:
            incoming.close()

    async def open(self, request: Request, progress: Progress) -> "Incoming":
        """Send a request and wait for the head of its response.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.

        Returns:
            The response with its body unread. It holds a connection until it is closed.

        Raises:
            HTTPClientError: There was no response; always one of the union.
        """
        progress.stage = Stage.QUEUED
        try:
            return self._incoming(await self._dispatched(request, progress), request, progress)
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self.fail(error, request, progress)

    def _dispatched(self, request: Request, progress: Progress) -> Awaitable[Reply]:
        return self._pool.dispatcher.dispatch(request, progress, self._proxy(request))

    def _incoming(self, reply: Reply, request: Request, progress: Progress) -> "Incoming":
        progress.stage = Stage.ANSWERED
        return Incoming(reply, self, self._pool.session, request, progress)

    def _proxy(self, request: Request) -> URL | None:
        proxy = request.route.proxy
        if proxy is None:
            return self._pool.proxy_for(request.url)
        return URL(proxy) if proxy else None

    def idle_limit(self, request: Request) -> AbstractContextManager[object] | None:
        """Give the context that ends a wait for more of a body, None where there is no limit."""
        limit = request.route.read_timeout
        return None if limit is None else self._watch(limit)

    def fail(self, error: BaseException, request: Request, progress: Progress) -> NoReturn:
        """Raise the failure that an exception means, or the exception where it must pass."""
        match error:
            case asyncio.CancelledError():
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise error
            case Exception():
                pass
            case _:
                raise error
        call = self.facts(request, progress)
        match error:
            case HTTPValidationError():
                raise HTTPInvalidRequestError(error.message, field=error.field, **call) from None
            case HTTPConnectionError(kind="closed"):
                raise HTTPConnectionError(error.message, kind="closed", **call) from None
            case HTTPClientError():
                raise error
            case _:
                failure = to_failure(error, progress.stage, call)
                try:
                    raise failure from safe_cause(error)
                finally:
                    failure.__context__ = None  # aiohttp's exceptions hold header fields and URLs

    def facts(self, request: Request, progress: Progress) -> CallFacts:
        """Say what a failure of this request has to know."""
        return call_facts(request.method, url_text(request.url), progress, self._clock.monotonic())

    def elapsed(self, progress: Progress) -> float:
        """Give the seconds since a call began."""
        return self._clock.monotonic() - progress.started


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
        exchange: AiohttpExchange,
        session: ClientSession,
        request: Request,
        progress: Progress,
    ) -> None:
        self._reply = reply
        self._session = session
        self._exchange = exchange
        self._request = request
        self._progress = progress
        self._decoder: Decoder | None = None
        self._pieces = _NO_PIECES
        self._unbroken = 0
        if reply.status < 200:
            self.close()
            raise HTTPConnectionError(
                f"an unasked status {reply.status}",
                kind="protocol",
                **exchange.facts(request, progress),
            )
        if hdrs.CONTENT_ENCODING in reply.headers:
            try:
                codings = reply.headers.getall(hdrs.CONTENT_ENCODING)
                self._decoder = decoder_for(", ".join(codings))
            except ContentError:
                self.close()
                raise
        if request.route.read_timeout is not None:
            reply.without_idle_limit()

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        reply = self._reply
        version = reply.version
        return HttpResponse(
            reply.status,
            reply.headers,
            body,
            url_text(self._request.url),
            self._request.method,
            self._exchange.elapsed(self._progress),
            "1.1" if version is HttpVersion11 else f"{version.major}.{version.minor}",
            self._progress.attempts,
        )

    def facts(self) -> CallFacts:
        """Say what a failure of this response has to know."""
        return self._exchange.facts(self._request, self._progress)

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
        limit = self._request.route.max_response_bytes
        if size > limit:
            raise HTTPResponseTooLargeError(
                f"the body is larger than {limit} bytes", limit=limit, **self.facts()
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
                raise HTTPConnectionError("the client was stopped", kind="closed")  # noqa: TRY301
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
        if hdrs.CONTENT_LENGTH not in headers or hdrs.TRANSFER_ENCODING in headers:
            # Not `readchunk`: it may give an empty piece before the end, and tiny ones.
            return await content.readany()
        # `readany` would join what has gathered, a copy of all of it (benchmarks: streaming).
        return (await content.readchunk())[0]

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        self._reply.close()
