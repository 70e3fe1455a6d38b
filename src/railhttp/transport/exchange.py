"""One request out, one response in: where everything that aiohttp raises becomes a failure."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Final, NoReturn

from aiohttp import BytesPayload, ClientResponse, ClientTimeout
from aiohttp.payload import Payload
from yarl import URL

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.errors import (
    CallFacts,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPValidationError,
)
from railhttp.model.request import Request
from railhttp.model.response import Headers, HttpResponse
from railhttp.model.stage import Progress, Stage, call_facts
from railhttp.protocols import Clock
from railhttp.transport.connector import PROGRESS, BrokenExchangeError
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.pool import ConnectionPool
from railhttp.transport.request_body import StreamPayload
from railhttp.wire.content import decoder_for

_LARGE: Final = 1024 * 1024  # above this aiohttp warns of bytes that are sent in one piece
_CONTENT_TYPE: Final = ("Content-Type",)
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


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
        incoming = await self.open(request, progress)
        try:
            body = await incoming.read(request.route.max_response_bytes)
        finally:
            incoming.close()
        return HttpResponse(
            incoming.status,
            incoming.headers,
            body,
            incoming.url,
            request.method,
            self._clock.monotonic() - progress.started,
            incoming.http_version,
            progress.attempts,
        )

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
        token = PROGRESS.set(progress)
        try:
            response = await self._request(request)
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self.fail(error, request, progress)
        finally:
            PROGRESS.reset(token)
        progress.stage = Stage.ANSWERED
        return Incoming(response, self, request, progress)

    async def _request(self, request: Request) -> ClientResponse:
        route = request.route
        body = request.body
        return await self._pool.session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=None if body is None else _payload(body),
            # Without a body aiohttp would still announce one of type application/octet-stream.
            skip_auto_headers=(
                _CONTENT_TYPE if body is None and request.method in _WITH_BODY else None
            ),
            cookies=request.cookies,
            allow_redirects=False,
            proxy=self._proxy(request),
            ssl=True if route.ssl_context is None else route.ssl_context,
            timeout=_timeout(route.connect_timeout, route.read_timeout),
        )

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
            case BrokenExchangeError(__cause__=BaseException() as cause):
                error = cause
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
                raise to_failure(error, progress.stage, call) from safe_cause(error)

    def facts(self, request: Request, progress: Progress) -> CallFacts:
        """Say what a failure of this request has to know."""
        return call_facts(request.method, str(request.url), progress, self._clock.monotonic())


class Incoming:
    """A response whose head has come and whose body is still to be read.

    Attributes:
        status: The status code.
        headers: The header fields.
        url: The URL that answered.
        http_version: Such as `1.1`.
    """

    __slots__ = (
        "_decoder",
        "_exchange",
        "_pieces",
        "_progress",
        "_request",
        "_response",
        "headers",
        "http_version",
        "status",
        "url",
    )

    def __init__(
        self,
        response: ClientResponse,
        exchange: AiohttpExchange,
        request: Request,
        progress: Progress,
    ) -> None:
        self._response = response
        self._exchange = exchange
        self._request = request
        self._progress = progress
        self._decoder = decoder_for(response.headers.get("Content-Encoding", ""))
        self._pieces: Iterator[bytes] = iter(())
        self.status = response.status
        self.headers: Headers = response.headers
        self.url = str(request.url)
        version = response.version
        self.http_version = "1.1" if version is None else f"{version.major}.{version.minor}"
        if self.status < 200:
            self.close()
            raise HTTPConnectionError(
                f"an unasked status {self.status}",
                kind="protocol",
                **exchange.facts(request, progress),
            )

    async def read(self, limit: int) -> bytes:
        """Read the body to its end.

        Args:
            limit: The largest body allowed, in bytes after decompression.

        Raises:
            HTTPResponseTooLargeError: There is more.
            HTTPClientError: The body broke off or is corrupt; always one of the union.
        """
        chunks = []
        size = 0
        while chunk := await self.chunk():
            size += len(chunk)
            if size > limit:
                raise HTTPResponseTooLargeError(
                    f"the body is larger than {limit} bytes",
                    limit=limit,
                    **self._exchange.facts(self._request, self._progress),
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at its end.

        Raises:
            HTTPClientError: The body broke off or is corrupt; always one of the union.
        """
        try:
            if self._decoder is None:
                return await self._receive()
            while not (piece := next(self._pieces, b"")):
                data = await self._receive()
                if not data:
                    self._decoder.finish()
                    return b""
                self._pieces = self._decoder.feed(data)
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self._exchange.fail(error, self._request, self._progress)
        else:
            return piece

    async def _receive(self) -> bytes:
        # `iter_chunks` spins for ever after some answers; `readany` does not.
        content = self._response.content
        idle = self._exchange.idle_limit(self._request)
        if idle is None:
            return await content.readany()
        with idle:
            return await content.readany()

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        if not self._response.closed:
            self._response.close()


def _payload(body: Body) -> Payload:
    match body:
        case BytesBody() if len(body.content) <= _LARGE:
            return BytesPayload(body.content, content_type=body.content_type)
        case BytesBody():
            return StreamPayload(StreamBody((body.content,), body.content_type))
        case StreamBody():
            return StreamPayload(body)


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> ClientTimeout:
    # Without a threshold aiohttp rounds times above 5 s up to a whole second.
    return ClientTimeout(total=None, connect=connect, sock_read=read, ceil_threshold=math.inf)
