"""A transport that plays a script and opens no socket: for tests, and for `HTTPModule.stub()`."""

import asyncio
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

from multidict import CIMultiDict

from railhttp.client.script import (
    UNSET,
    BodyPattern,
    ScriptedRoute,
    SentRequest,
    Step,
    Trouble,
    describe_miss,
)
from railhttp.model.body import Body, BytesBody
from railhttp.model.errors import (
    FAILURES,
    CallFacts,
    HTTPFailure,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.redaction import redact_url
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.model.stage import Progress, Stage, call_facts
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.protocols import Clock
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.request_body import RequestBodyError, read_stream

_BODILESS: Final = frozenset({204, 304})


class UnmatchedRequestError(BaseException):
    """A request that no route takes.

    It is no `Exception`, so that no policy and no `Result` can take it for a failure of HTTP: the
    test fails where the request is made.
    """


class ScriptedTransport:
    """Plays answers and failures to requests, in place of the network.

    Policies, interceptors, redirects, time limits and observers are those of the real client:
    `HTTPClient(exchange=ScriptedTransport())`. There is no cookie jar, and no proxy.

    Args:
        clock: What tells the time and waits.

    Attributes:
        routes: The first one that fits takes a request.
        misses: What was said of requests that no route took.

    Example:
        >>> from railhttp import HTTPClient
        >>> script = ScriptedTransport()
        >>> users = script.on("GET", "/users/*").fail(ConnectionResetError()).reply(json=[7])
        >>> async def main() -> object:
        ...     async with HTTPClient(exchange=script) as client:
        ...         return (await client.get("https://api.example/users/7")).unwrap().json()
        >>> asyncio.run(main()), users.called
        ([7], 2)
    """

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self.routes: list[ScriptedRoute] = []
        self.misses: list[str] = []
        self._calls: list[SentRequest] = []

    def on(
        self,
        method: str,
        url: str | re.Pattern[str],
        *,
        params: Mapping[str, str] | None = None,
        body: BodyPattern | None = None,
        json: object = UNSET,
    ) -> ScriptedRoute:
        """Add a route.

        Args:
            method: The method, in any case.
            url: A path, for any host, or a whole URL. `*` stands for anything but a slash, `**`
                for anything; a query names parameters that have to be there, among others. A
                compiled pattern has to match the whole URL.
            params: More query parameters that have to be there.
            body: What the body has to be: bytes, text, a pattern, or a function that decides.
            json: The document that the body has to be; None is one too.

        Returns:
            The route, to be given its script.
        """
        route = ScriptedRoute(method.upper(), url, params or {}, body, json)
        self.routes.append(route)
        return route

    @property
    def calls(self) -> tuple[SentRequest, ...]:
        """All requests that a route took, in order; each attempt and each redirect is one."""
        return tuple(self._calls)

    def assert_all_called(self) -> None:
        """Assert that every route was called, and that no request went without one.

        Raises:
            AssertionError: Something was not called, or missed.
        """
        idle = [f"{route} was not called" for route in self.routes if not route.called]
        if problems := [*self.misses, *idle]:
            raise AssertionError("; ".join(problems))

    async def send(self, request: Request, progress: Progress) -> HttpResponse:
        """Play the answer to a request, to the end of its body; see `Exchange`."""
        incoming = await self.open(request, progress)
        return incoming.answer(await incoming.read())

    async def open(self, request: Request, progress: Progress) -> "ScriptedResponse":
        """Play the head of the answer to a request; see `Exchange`."""
        progress.stage = Stage.CONNECTING
        performance = Performance(request, progress, self._clock)
        step = await self._step(performance)
        trouble = step.trouble
        if trouble is not None and trouble.at == "connect":
            await performance.suffer(trouble)
        progress.stage = Stage.SENDING
        if trouble is not None and trouble.at == "head":
            await performance.suffer(trouble)
        if step.delay:
            await performance.wait(step.delay)
        progress.stage = Stage.ANSWERED
        return ScriptedResponse(performance, step)

    async def _step(self, performance: "Performance") -> Step:
        """Find the route of a request; its body is read unless its connection is to fail."""
        sent = performance.sent(b"")
        for route in self.routes:
            step = route.next_step()
            unsent = step.trouble is not None and step.trouble.at == "connect"
            if route.needs_body or not (unsent or route.differences(sent)):
                sent = performance.sent(await performance.body())
            if not route.differences(sent):
                self._calls.append(sent)
                return route.take(sent)
        self.misses.append(describe_miss(sent, self.routes))
        raise UnmatchedRequestError(self.misses[-1])


class Performance:
    """One request on the stage.

    Args:
        request: The request.
        progress: Its call.
        clock: What tells the time and waits.
    """

    __slots__ = ("_body", "_clock", "_progress", "request")

    def __init__(self, request: Request, progress: Progress, clock: Clock) -> None:
        self.request = request
        self._progress = progress
        self._clock = clock
        self._body: bytes | None = None

    async def body(self) -> bytes:
        """Read what the request carries, once."""
        if self._body is None:
            try:
                self._body = await _read(self.request.body)
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

    def facts(self) -> CallFacts:
        """Say what a failure of the request has to know."""
        request, now = self.request, self._clock.monotonic()
        return call_facts(request.method, str(request.url), self._progress, now)

    def answer(self, step: Step, body: bytes) -> HttpResponse:
        """Give the response as a value."""
        return HttpResponse(
            step.status,
            step.headers,
            body,
            str(self.request.url),
            self.request.method,
            self._clock.monotonic() - self._progress.started,
            attempts=self._progress.attempts,
        )

    async def suffer(self, trouble: Trouble) -> NoReturn:
        """Play what goes wrong."""
        if trouble.error is not None:
            self._raise(trouble.error)
        route = self.request.route
        if self._progress.stage is Stage.CONNECTING:
            await self._be_silent(route.connect_timeout, "connect")
        await self._be_silent(route.read_timeout, "read")

    async def wait(self, seconds: float) -> None:
        """Let some time pass before the head comes, as far as the request allows.

        Raises:
            HTTPTimeoutError: It does not.
        """
        limit = self.request.route.read_timeout
        if limit is not None and seconds > limit:
            await self._be_silent(limit, "read")
        await self._clock.sleep(seconds)

    async def _be_silent(self, limit: float | None, phase: TimeoutPhase) -> NoReturn:
        if limit is None:
            await asyncio.get_running_loop().create_future()  # nothing will ever come
        else:
            await self._clock.sleep(limit)
        raise HTTPTimeoutError("silent for too long", phase=phase, **self.facts())

    def _raise(self, error: Exception) -> NoReturn:
        call = self.facts()
        if isinstance(error, FAILURES):
            raise _retold(error, call)
        raise to_failure(error, self._progress.stage, call) from safe_cause(error)


class ScriptedResponse:
    """A response whose body is still to be played; see `IncomingResponse`.

    Args:
        performance: The request that it answers.
        step: What it is.
    """

    __slots__ = ("_chunks", "_performance", "_step")

    def __init__(self, performance: Performance, step: Step) -> None:
        bodiless = performance.request.method == "HEAD" or step.status in _BODILESS
        self._performance = performance
        self._step = step
        self._chunks: Iterator[bytes] = iter(() if bodiless else step.chunks)

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        return self._performance.answer(self._step, body)

    def facts(self) -> CallFacts:
        """Say what a failure of this response has to know."""
        return self._performance.facts()

    async def chunk(self) -> bytes:
        """Play the next piece of the body; empty at its end."""
        chunk = next(self._chunks, b"")
        if not chunk and self._step.trouble is not None:
            await self._performance.suffer(self._step.trouble)
        await asyncio.sleep(0)  # as from a socket, other tasks run meanwhile
        return chunk

    async def read(self) -> bytes:
        """Play the body to its end."""
        limit = self._performance.request.route.max_response_bytes
        body = bytearray()
        while chunk := await self.chunk():
            body += chunk
            if len(body) > limit:
                message = f"the body is larger than {limit} bytes"
                raise HTTPResponseTooLargeError(message, limit=limit, **self.facts())
        return bytes(body)

    def close(self) -> None:
        """End it; nothing is held."""
        self._chunks = iter(())


async def _read(body: Body | None) -> bytes:
    if body is None:
        return b""
    if isinstance(body, BytesBody):
        return body.content
    return b"".join([chunk async for chunk in read_stream(body)])


def _retold(failure: HTTPFailure, call: CallFacts) -> HTTPFailure:
    """The same failure with the facts of another call."""
    told = copy.copy(failure)
    vars(told).update(call, url=redact_url(call["url"]))
    return told
