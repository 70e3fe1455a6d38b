"""A transport that plays a script and opens no socket."""

import re
from collections.abc import Mapping

from railhttp.model.clock import Clock
from railhttp.model.redaction import redact_url
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.testing.scripted.pattern import UNSET, BodyPattern, RequestPattern
from railhttp.testing.scripted.performance import Performance, ScriptedResponse
from railhttp.testing.scripted.route import ScriptedRoute
from railhttp.testing.scripted.steps import ScriptedReply, SentRequest


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
        >>> import asyncio
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

        Raises:
            HTTPValidationError: `url` is neither a path nor a whole URL.
        """
        route = ScriptedRoute(RequestPattern(method.upper(), url, params, body, json))
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

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        """Play the answer to a request, to the end of its body; see `Exchange`.

        Args:
            request: The request.
            progress: Learns how far it came.

        Returns:
            The answer.

        Raises:
            HTTPClientError: What the script says.
            UnmatchedRequestError: No route takes it.
        """
        incoming = await self.open(request, progress)
        return incoming.answer(await incoming.read())

    async def open(self, request: Request, progress: AttemptState) -> ScriptedResponse:
        """Play the head of the answer to a request; see `Exchange`.

        Args:
            request: The request.
            progress: Learns how far it came.

        Returns:
            The answer, its body still to be read.

        Raises:
            HTTPClientError: What the script says.
            UnmatchedRequestError: No route takes it.
        """
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

    async def _step(self, performance: Performance) -> ScriptedReply:
        """Find the route of a request; its body is read unless its connection is to fail."""
        sent = performance.sent(b"")
        for route in self.routes:
            pattern = route.pattern
            if set(pattern.differences(sent)) - {"body"}:
                continue
            if pattern.needs_body or route.next_step.reads_body:
                sent = performance.sent(await performance.body())
            if not pattern.differences(sent):
                # Nothing is awaited from here on, or two requests would take the same step.
                step = route.next_step
                self._calls.append(sent)
                route.calls.append(sent)
                return step
        self.misses.append(self._describe_miss(sent))
        raise UnmatchedRequestError(self.misses[-1])

    def _describe_miss(self, sent: SentRequest) -> str:
        start = f"no route for {sent.method} {redact_url(sent.url)}"
        patterns = (route.pattern for route in self.routes)
        nearest = min(patterns, key=lambda pattern: pattern.distance(sent), default=None)
        if nearest is None:
            return f"{start}; there are no routes"
        parts = " and ".join(nearest.differences(sent))
        return f"{start}; the nearest is {nearest}, which differs in its {parts}"
