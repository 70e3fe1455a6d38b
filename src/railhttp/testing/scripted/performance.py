"""Plays one step of a script to one request."""

import asyncio
import copy
from collections.abc import Iterator
from typing import Final, NoReturn, assert_never

from multidict import CIMultiDict

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.clock import Clock
from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    HTTPFailure,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.redaction import redact_url
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.model.stage import AttemptState, Stage, call_info
from railhttp.testing.scripted.steps import ScriptedReply, SentRequest, Trouble
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.request_body import RequestBodyError, read_stream

_BODILESS: Final = frozenset({204, 304})


class Performance:
    """One request on the stage.

    Args:
        request: The request.
        progress: Its call.
        clock: What tells the time and waits.
    """

    __slots__ = ("_body", "_clock", "_progress", "request")

    def __init__(self, request: Request, progress: AttemptState, clock: Clock) -> None:
        self.request = request
        self._progress = progress
        self._clock = clock
        self._body: bytes | None = None

    async def body(self) -> bytes:
        """Read what the request carries, once."""
        if self._body is None:
            try:
                self._body = await _read(self.request)
            except RequestBodyError as error:
                self._progress.stage = Stage.SENDING
                self._raise(error)
        return self._body

    def sent(self, body: bytes) -> SentRequest:
        """Give the request as a value."""
        request = self.request
        headers = CIMultiDict(request.headers or {})
        if request.body is not None:
            headers.setdefault("Content-Type", request.body.content_type)
        if request.cookies:
            pairs = (f"{name}={value}" for name, value in request.cookies.items())
            headers.setdefault("Cookie", "; ".join(pairs))
        return SentRequest(request.method, str(request.url), freeze_headers(headers), body)

    def call_info(self) -> CallInfo:
        """Say what a failure of the request has to know."""
        request, now = self.request, self._clock.monotonic()
        return call_info(request.method, str(request.url), self._progress, now)

    def answer(self, step: ScriptedReply, body: bytes) -> HttpResponse:
        """Give the response as a value."""
        return HttpResponse(
            step.status,
            step.headers,
            body,
            str(self.request.url),
            self.request.method,
            self._clock.monotonic() - self._progress.started,
            attempts=self._progress.attempts,
            secret_headers=self.request.options.secret_headers,
        )

    async def suffer(self, trouble: Trouble) -> NoReturn:
        """Play what goes wrong."""
        if trouble.error is not None:
            self._raise(trouble.error)
        route = self.request.options
        if self._progress.stage is Stage.CONNECTING:
            await self._be_silent(route.connect_timeout, "connect")
        await self._be_silent(route.read_timeout, "read")

    async def wait(self, seconds: float) -> None:
        """Let some time pass before the head comes, as far as the request allows.

        Raises:
            HTTPTimeoutError: It does not.
        """
        limit = self.request.options.read_timeout
        if limit is not None and seconds > limit:
            await self._be_silent(limit, "read")
        await self._clock.sleep(seconds)

    async def _be_silent(self, limit: float | None, phase: TimeoutPhase) -> NoReturn:
        if limit is None:
            await asyncio.get_running_loop().create_future()  # nothing will ever come
        else:
            await self._clock.sleep(limit)
        raise HTTPTimeoutError("silent for too long", phase=phase, **self.call_info())

    def _raise(self, error: Exception) -> NoReturn:
        call = self.call_info()
        if isinstance(error, FAILURES):
            raise _retold(error, call)
        raise to_failure(error, self._progress.stage, call) from safe_cause(error)


class ScriptedResponse:
    """A response whose body is still to be played; see `IncomingResponse`.

    Args:
        performance: The request that it answers.
        step: What it is.
    """

    __slots__ = ("_chunks", "_performance", "_step", "_trouble")

    def __init__(self, performance: Performance, step: ScriptedReply) -> None:
        bodiless = performance.request.method == "HEAD" or step.status in _BODILESS
        self._performance = performance
        self._step = step
        self._chunks: Iterator[bytes] = iter(() if bodiless else step.chunks)
        self._trouble = None if bodiless else step.trouble

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        return self._performance.answer(self._step, body)

    def call_info(self) -> CallInfo:
        """Say what a failure of this response has to know."""
        return self._performance.call_info()

    async def chunk(self) -> bytes:
        """Play the next piece of the body; empty at its end."""
        chunk = next(self._chunks, b"")
        if not chunk and self._trouble is not None:
            await self._performance.suffer(self._trouble)
        await asyncio.sleep(0)  # as from a socket, other tasks run meanwhile
        return chunk

    async def read(self) -> bytes:
        """Play the body to its end."""
        limit = self._performance.request.options.max_response_bytes
        body = bytearray()
        while chunk := await self.chunk():
            body += chunk
            if len(body) > limit:
                message = f"the body is larger than {limit} bytes"
                raise HTTPResponseTooLargeError(message, limit=limit, **self.call_info())
        return bytes(body)

    def close(self) -> None:
        """End it; nothing is held."""
        self._chunks = iter(())


async def _read(request: Request) -> bytes:
    match request.body:
        case None:
            return b""
        case BytesBody(content):
            body = content
        case StreamBody() as stream:
            body = b"".join([chunk async for chunk in read_stream(stream)])
        case _:
            assert_never(request.body)
    if request.options.upload_progress is not None:
        try:
            request.options.upload_progress(len(body), len(body))
        except Exception as error:
            raise RequestBodyError from error
    return body


def _retold(failure: HTTPFailure, call: CallInfo) -> HTTPFailure:
    """The same failure with the facts of another call."""
    told = copy.copy(failure)
    vars(told).update(call, url=redact_url(call["url"]))
    return told
