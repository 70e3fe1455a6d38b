"""A transport that plays a script and opens no sockets."""

import re
from collections.abc import Mapping
from typing import ParamSpec, TypeVar, overload

from railhttp.endpoints.endpoint import Endpoint
from railhttp.endpoints.events import EventsEndpoint
from railhttp.endpoints.paged import PagedEndpoint
from railhttp.endpoints.streamed import StreamedEndpoint
from railhttp.endpoints.target import ParameterError
from railhttp.model.clock import Clock
from railhttp.model.redaction import redact_url
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.testing.contract import ContractBroken
from railhttp.testing.scripted.endpoint_stub import (
    EndpointStub,
    EventsStub,
    StreamStub,
    Stub,
    place,
    stub_for,
)
from railhttp.testing.scripted.playback import Playback, ScriptedResponse
from railhttp.testing.scripted.requests import UNSET, BodyPattern, RequestPattern, SentRequest
from railhttp.testing.scripted.route import ScriptedReply, ScriptedRoute

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E")


class UnmatchedRequestError(BaseException):
    """No route takes a request.

    This is not an `Exception`, so that neither a policy nor a `Result` can take it for a failure
    of HTTP: the test fails at the call that made the request.
    """


class ScriptedTransport:
    """Plays responses and failures to requests, in place of the network.

    Everything above the transport is that of a real client: policies, interceptors, redirects, time
    limits and observers. Cookie jars and proxies belong to the real transport and are not played.

    Args:
        clock: The source of time for delays and silence.

    Attributes:
        routes: The routes; the first one that matches takes a request.
        misses: The messages of all `UnmatchedRequestError`s so far.

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
        self.clock = clock
        self.routes: list[ScriptedRoute] = []
        self.misses: list[str] = []
        self._calls: list[SentRequest] = []

    def __repr__(self) -> str:
        routes = len(self.routes)
        return f"<{type(self).__name__} of {routes} {'route' if routes == 1 else 'routes'}>"

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
            url: A path, for any host, or a whole URL. `*` matches anything but a slash, `**`
                anything; a query lists parameters that must be present, among others. A compiled
                pattern must match the whole URL.
            params: More query parameters that must be present.
            body: A condition on the body: bytes, text, a compiled pattern or a predicate.
            json: The JSON document that the body must equal; None is one too.

        Returns:
            The route; add replies to it.

        Raises:
            HTTPValidationError: `url` is neither a path nor a whole URL, or an argument has another
                type.
        """
        route = ScriptedRoute(RequestPattern(method, url, params, body, json))
        self.routes.append(route)
        return route

    @overload
    def serve(self, endpoint: Endpoint[P, T, E], /) -> EndpointStub[P, T, E]: ...
    @overload
    def serve(self, endpoint: PagedEndpoint[P, T, E], /) -> EndpointStub[P, T, E]: ...
    @overload
    def serve(self, endpoint: EventsEndpoint[P, T, E], /) -> EventsStub[P, T, E]: ...
    @overload
    def serve(self, endpoint: StreamedEndpoint[P, E], /) -> StreamStub[P, E]: ...
    def serve(self, endpoint: object, /) -> object:
        """Add a route that serves a declared endpoint, under any base path.

        Args:
            endpoint: The endpoint, as the class of its service has it: `Users.find`.

        Returns:
            The route; add steps to it: `replies`, `refuses`, `does`, `fails`. A request that does
            not fit the endpoint raises `UnmatchedRequestError`, which names the field; a step that
            the endpoint does not declare raises `ContractBroken`.
        """
        stub: Stub[..., object] = stub_for(endpoint)  # type: ignore[call-overload]  # any of the four
        place(stub, self.routes)
        return stub

    @property
    def calls(self) -> tuple[SentRequest, ...]:
        """All requests that a route took, in order; attempts and redirects count one by one."""
        return tuple(self._calls)

    def assert_all_called(self) -> None:
        """Assert that every route was called, and that every request had a route.

        Raises:
            AssertionError: A route was not called, or a request had no route.
        """
        idle = [f"{route} was not called" for route in self.routes if not route.called]
        if problems := [*self.misses, *idle]:
            raise AssertionError("; ".join(problems))

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Play the reply to a request, to the end of its body; see `Exchange.send`.

        Raises:
            HTTPClientError: The failure that the script names.
            UnmatchedRequestError: No route takes the request.
        """
        incoming = await self.open(request, attempt)
        return incoming.answer(await incoming.read())

    async def open(self, request: Request, attempt: AttemptState) -> ScriptedResponse:
        """Play the head of the reply to a request; see `send`, and `Exchange.open`."""
        attempt.stage = Stage.CONNECTING
        playback = Playback(request, attempt, self.clock)
        reply = await self._reply(playback)
        if failure := reply.failure_at("connect"):
            await playback.fail(failure)
        attempt.stage = Stage.SENDING
        if failure := reply.failure_at("head"):
            await playback.fail(failure)
        if reply.delay:
            await playback.delay(reply.delay)
        attempt.stage = Stage.ANSWERED
        return ScriptedResponse(playback, reply)

    async def _reply(self, playback: Playback) -> ScriptedReply:
        """Find the reply to a request, whose body is read unless its connection is to fail."""
        sent = playback.sent(b"")
        for route in self.routes:
            pattern = route.pattern
            if set(pattern.differences(sent)) - {"body"}:
                continue
            if pattern.needs_body or not route.next_reply.failure_at("connect"):
                sent = playback.sent(await playback.body())
            if not pattern.differences(sent):
                # No `await` from here on, or two requests would take the same reply.
                return self._take(route, sent)
        self.misses.append(self._describe_miss(sent))
        raise UnmatchedRequestError(self.misses[-1])

    def _take(self, route: ScriptedRoute, sent: SentRequest) -> ScriptedReply:
        try:
            reply = route.reply_to(sent)
        except ParameterError as error:
            message = f"{sent.method} {redact_url(sent.url)} does not fit {route}: {error}"
            self.misses.append(message)
            raise UnmatchedRequestError(message) from None
        except ContractBroken:
            self._record(route, sent)
            raise
        self._record(route, sent)
        return reply

    def _record(self, route: ScriptedRoute, sent: SentRequest) -> None:
        self._calls.append(sent)
        route.calls.append(sent)

    def _describe_miss(self, sent: SentRequest) -> str:
        start = f"no route for {sent.method} {redact_url(sent.url)}"
        patterns = (route.pattern for route in self.routes)
        nearest = min(patterns, key=lambda pattern: pattern.distance(sent), default=None)
        if nearest is None:
            return f"{start}; there are no routes"
        parts = " and ".join(nearest.differences(sent))
        return f"{start}; the nearest is {nearest}, which differs in its {parts}"
