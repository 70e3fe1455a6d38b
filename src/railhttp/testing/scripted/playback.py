"""Plays the reply to one request: its delays, its silence, its failures and its body."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from multidict import CIMultiDict

from railhttp.model import errors
from railhttp.model.body import BytesBody
from railhttp.model.clock import Clock
from railhttp.model.errors import FAILURES, CallInfo, TimeoutPhase
from railhttp.model.redaction import redact_url
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.model.stage import AttemptState, Stage, call_info
from railhttp.testing.scripted.requests import SentRequest
from railhttp.testing.scripted.route import ScriptedFailure, ScriptedReply
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.request_body import RequestBodyError, read_stream, report

_BODILESS: Final = frozenset({204, 304})


@dataclass(slots=True, eq=False)
class Playback:
    """One request to which a reply is played."""

    request: Request
    _attempt: AttemptState
    _clock: Clock
    _body: bytes | None = None

    async def body(self) -> bytes:
        """Read the request body; a second call returns the same bytes."""
        if self._body is None:
            try:
                self._body = await _read(self.request)
            except RequestBodyError as error:
                self._attempt.stage = Stage.SENDING
                self._raise(error)
        return self._body

    def sent(self, body: bytes) -> SentRequest:
        """Return the request as a value, with the given body."""
        request = self.request
        headers = CIMultiDict(request.headers or {})
        if request.body is not None and request.body.content_type:
            headers.setdefault("Content-Type", request.body.content_type)
        if request.cookies:
            pairs = (f"{name}={value}" for name, value in request.cookies.items())
            headers.setdefault("Cookie", "; ".join(pairs))
        return SentRequest(request.method, str(request.url), freeze_headers(headers), body)

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this request carries."""
        request, now = self.request, self._clock.monotonic()
        return call_info(request.method, str(request.url), self._attempt, now)

    async def fail(self, failure: ScriptedFailure) -> NoReturn:
        """Raise the failure, or stay silent until a time limit of the request ends that."""
        if failure.error is not None:
            self._raise(failure.error)
        options = self.request.options
        if self._attempt.stage is Stage.CONNECTING:
            await self._be_silent(options.connect_timeout, "connect")
        await self._be_silent(options.read_timeout, "read")

    async def delay(self, seconds: float) -> None:
        """Wait before the head arrives, at most as long as the read timeout of the request."""
        limit = self.request.options.read_timeout
        if limit is not None and seconds > limit:
            await self._be_silent(limit, "read")
        await self._clock.sleep(seconds)

    async def _be_silent(self, limit: float | None, phase: TimeoutPhase) -> NoReturn:
        if limit is None:
            await asyncio.get_running_loop().create_future()  # only cancellation ends it
        else:
            await self._clock.sleep(limit)
        raise errors.HTTPTimeoutError("silent for too long", phase=phase, **self.call_info())

    def _raise(self, error: Exception) -> NoReturn:
        call = self.call_info()
        if isinstance(error, FAILURES):
            failure = copy.copy(error)
            vars(failure).update(call, url=redact_url(call["url"]))
            raise failure
        raise to_failure(error, self._attempt.stage, call) from safe_cause(error)


class ScriptedResponse:
    """A response whose body is still to be played; see `IncomingResponse`."""

    __slots__ = ("_chunks", "_failure", "_playback", "_reply")

    def __init__(self, playback: Playback, reply: ScriptedReply) -> None:
        bodiless = playback.request.method == "HEAD" or reply.status in _BODILESS
        self._playback = playback
        self._reply = reply
        self._chunks: Iterator[bytes] = iter(() if bodiless else reply.chunks)
        self._failure = None if bodiless else reply.failure

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the given body."""
        request, call = self._playback.request, self.call_info()
        return HttpResponse(
            self._reply.status,
            self._reply.headers,
            body,
            call["url"],
            call["method"],
            call["elapsed"],
            attempts=call["attempts"],
            secret_headers=request.options.secret_headers,
        )

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        return self._playback.call_info()

    async def chunk(self) -> bytes:
        """Play the next piece of the body; empty at its end."""
        chunk = next(self._chunks, b"")
        if not chunk and self._failure is not None:
            await self._playback.fail(self._failure)
        await asyncio.sleep(0)  # other tasks run meanwhile, as they do during a read from a socket
        return chunk

    async def read(self) -> bytes:
        """Play the whole body."""
        limit = self._playback.request.options.max_response_bytes
        body = bytearray()
        while chunk := await self.chunk():
            body += chunk
            if len(body) > limit:
                message = f"the body is larger than {limit} bytes"
                raise errors.HTTPResponseTooLargeError(message, limit=limit, **self.call_info())
        return bytes(body)

    def close(self) -> None:
        """Drop the rest of the body."""
        self._chunks = iter(())


async def _read(request: Request) -> bytes:
    if request.body is None:
        return b""
    if isinstance(request.body, BytesBody):
        body = request.body.content
    else:
        body = b"".join([chunk async for chunk in read_stream(request.body)])
    report(request.options.upload_progress, len(body), len(body))
    return body
