"""Sends requests to an ASGI application in this process: no socket, no server.

The application sees what a server would pass to it (ASGI 3.0); the client sees a response like any
other, or one of its failures.
"""

import asyncio
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import Final, NoReturn, Self

from multidict import CIMultiDict

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
)
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState, Stage, call_info
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.testing.asgi_app import AppRun, ASGIApp, Head, http_scope
from railhttp.testing.asgi_lifespan import Lifespan
from railhttp.transport.exception_map import to_failure
from railhttp.transport.request_body import RequestBodyError
from railhttp.wire.content import ContentDecoder, ContentError, decoder_for

_BODILESS: Final = frozenset({204, 304})


class ASGITransport:
    """Sends requests to an ASGI application: `HTTPClient(exchange=ASGITransport(app))`.

    Policies, interceptors, redirects, time limits and observers are those of the real client.
    Cookies are not kept, and proxies not used. A client that goes away early is `http.disconnect`
    to the application, which is cancelled if it still runs 0.1 s later.

    As an async context manager it runs the application's lifespan; otherwise that does not run.

    Args:
        app: The application: of FastAPI, Starlette, Litestar, or a plain function.
        root_path: The path at which the application is mounted.
        client: The address and port that it sees.
        raise_app_exceptions: Whether an exception of the application fails the call, as an
            `HTTPInterceptorError` with the exception as its cause. If False the client sees what a
            server would send: a 500, or a body that ends too early.
        clock: Tells the time and waits.

    Example:
        >>> from railhttp import HTTPClient
        >>> async def app(scope, receive, send):
        ...     await send({"type": "http.response.start", "status": 200, "headers": []})
        ...     await send({"type": "http.response.body", "body": scope["path"].encode()})
        >>> async def main() -> str:
        ...     async with HTTPClient(exchange=ASGITransport(app)) as client:
        ...         return (await client.get("http://app/users/7")).unwrap().text
        >>> asyncio.run(main())
        '/users/7'
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 50000),
        raise_app_exceptions: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._app: Final = app
        self._root_path: Final = root_path
        self._client: Final = client
        self._raises: Final = raise_app_exceptions
        self._clock: Final = clock
        self._lifespan: Final = Lifespan(app)

    async def __aenter__(self) -> Self:
        """Start the application.

        Raises:
            RuntimeError: The application reports that its start failed.
        """
        await self._lifespan.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._lifespan.stop()

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Send a request and read its response to the end; see `Exchange`.

        It also waits for the application to return, and so for its background tasks.
        """
        response = await self.open(request, attempt)
        try:
            return response.answer(await response.read())
        finally:
            response.close()

    async def open(self, request: Request, attempt: AttemptState) -> "ASGIResponse":
        """Send a request and wait for the head of its response; see `Exchange`."""
        attempt.stage = Stage.CONNECTING
        scope = http_scope(request, self._root_path, self._client, self._lifespan.state)
        attempt.stage = Stage.SENDING
        run = AppRun(self._app, scope, request, answers_500=not self._raises)
        response = ASGIResponse(run, request, attempt, self._clock, raises=self._raises)
        try:
            await response.begin()
        except BaseException:
            response.close()
            raise
        return response


def _cancel(waiting: "asyncio.Future[Head | bytes | None]") -> None:
    waiting.cancel()


class ASGIResponse:
    """A response of an application whose body is still to be read; see `IncomingResponse`."""

    def __init__(
        self, run: AppRun, request: Request, attempt: AttemptState, clock: Clock, *, raises: bool
    ) -> None:
        self._run = run
        self._request = request
        self._attempt = attempt
        self._clock = clock
        self._raises = raises
        self._head = Head(0, CIMultiDict())
        self._decoder: ContentDecoder | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._bodiless = False
        self._ended = False

    async def begin(self) -> None:
        """Wait for the head."""
        head = await self._next()
        if not isinstance(head, Head):
            raise HTTPConnectionError(
                "the app sent no response", kind="disconnected", **self.call_info()
            )
        self._attempt.stage = Stage.ANSWERED
        self._head = head
        self._bodiless = self._request.method == "HEAD" or head.status in _BODILESS
        codings = ", ".join(head.headers.getall("Content-Encoding", ()))
        try:
            self._decoder = decoder_for(codings)
        except ContentError as error:
            self._fail(error)

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the part of its body that was read."""
        return HttpResponse(
            self._head.status,
            self._head.headers,
            body,
            self._request.url_text,
            self._request.method,
            self._clock.monotonic() - self._attempt.started,
            attempts=self._attempt.attempts,
            secret_headers=self._request.options.secret_headers,
        )

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        now = self._clock.monotonic()
        return call_info(self._request.method, self._request.url_text, self._attempt, now)

    async def read(self) -> bytes:
        """Read the body to its end."""
        limit = self._request.options.max_response_bytes
        body = bytearray()
        while chunk := await self.chunk():
            body += chunk
            if len(body) > limit:
                message = f"the body is larger than {limit} bytes"
                raise HTTPResponseTooLargeError(message, limit=limit, **self.call_info())
        return bytes(body)

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at its end."""
        try:
            while not (piece := next(self._pieces, None)):
                if piece is not None:
                    await asyncio.sleep(0)
                    continue
                data = await self._receive()
                if self._decoder is None or self._bodiless:
                    return data
                if not data:
                    self._decoder.finish()
                    return b""
                self._pieces = self._decoder.feed(data)
        except ContentError as error:
            self._fail(error)
        return piece

    async def _receive(self) -> bytes:
        while not self._ended:
            data = await self._next()
            if data is None:
                self._ended = True
                await self._finish()
            elif isinstance(data, bytes) and data and not self._bodiless:
                return data
        return b""

    async def _finish(self) -> None:
        """Wait for the application to return; its background tasks may still run."""
        await self._run.ended()
        self._check_app()
        if not self._run.complete:
            message = "the app did not finish its response"
            raise HTTPConnectionError(message, kind="truncated", **self.call_info())

    async def _next(self) -> Head | bytes | None:
        """Take what the application sent next, within the time that silence may last."""
        limit = self._request.options.read_timeout
        waiting = asyncio.ensure_future(self._run.next())
        timer = None if limit is None else self._clock.call_later(limit, partial(_cancel, waiting))
        try:
            sent = await waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            message = f"the app was silent for {limit:g} s"
            raise HTTPTimeoutError(message, phase="read", limit=limit, **self.call_info()) from None
        finally:
            if timer is not None:
                timer.cancel()
        if self._run.body_error is not None:
            self._fail(self._run.body_error)
        if sent is None and not self._run.started:
            self._check_app()
        return sent

    def _check_app(self) -> None:
        error = self._run.error
        if error is not None and self._raises:
            raise HTTPInterceptorError(
                f"the app raised {type(error).__name__}", interceptor="app", **self.call_info()
            ) from error

    def _fail(self, error: RequestBodyError | ContentError) -> NoReturn:
        cause = error.__cause__ if isinstance(error, RequestBodyError) else None
        raise to_failure(error, self._attempt.stage, self.call_info()) from cause

    def close(self) -> None:
        """Tell the application that the client is gone."""
        self._ended = True
        self._run.disconnect()
