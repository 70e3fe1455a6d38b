"""A route of a script: the requests that it takes, and the reply to each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from multidict import CIMultiDict

from railhttp.model.body import json_body
from railhttp.model.errors import HTTPFailure, HTTPStatusError, HTTPValidationError
from railhttp.model.response import NO_HEADERS, Headers, HttpResponse, freeze_headers
from railhttp.testing.scripted.requests import UNSET, RequestPattern, SentRequest

FailurePoint: TypeAlias = Literal["connect", "head", "body"]
"""When a failure happens: before the request is sent, before the response, or inside its body."""


@dataclass(frozen=True, slots=True)
class ScriptedFailure:
    """A failure of the network; without an `error` it is silence, until a time limit ends it."""

    at: FailurePoint
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """The reply to one request: a response, a failure, or a response that fails in its body."""

    status: int = 200
    headers: Headers = field(default_factory=lambda: NO_HEADERS)
    chunks: tuple[bytes, ...] = ()
    delay: float = 0.0
    failure: ScriptedFailure | None = None
    handler: Callable[[SentRequest], HttpResponse] | None = None

    def to(self, sent: SentRequest) -> "ScriptedReply":
        """Return the reply to a request, computed if there is a handler."""
        if self.handler is None:
            return self
        response = self.handler(sent)
        chunks = (response.body,) if response.body else ()
        return ScriptedReply(response.status, response.headers, chunks)

    def failure_at(self, point: FailurePoint) -> ScriptedFailure | None:
        """Return the failure if it happens at this point, else None."""
        failure = self.failure
        return failure if failure is not None and failure.at == point else None


class ScriptedRoute:
    """The requests that match a pattern, and the replies to them; the last reply is repeated.

    `ScriptedTransport.on` makes routes. Until a reply is added, the reply is a 200 with an empty
    body. `reply`, `fail` and `hang` return the route itself, so that calls can be chained.

    Attributes:
        pattern: The pattern that requests must match.
        calls: The requests that the route has taken, in order.

    Example:
        >>> route = ScriptedRoute(RequestPattern("GET", "/stock")).reply(503).reply(json=[7])
        >>> print(route, route.called)
        GET /stock 0
    """

    def __init__(self, pattern: RequestPattern) -> None:
        self.pattern = pattern
        self.calls: list[SentRequest] = []
        self._replies: list[ScriptedReply] = []

    def reply(
        self,
        status: int = 200,
        *,
        json: object = UNSET,
        text: str | None = None,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Add a response to the script.

        Args:
            status: The status, from 200 to 599.
            body: The body without content codings; an iterable yields the pieces in which a
                stream receives it.
            headers: The header fields; `json` and `text` add their `Content-Type`.
            delay: Seconds until the head of the response arrives.

        Raises:
            HTTPValidationError: The status is out of range.
        """
        if not 200 <= status <= 599:
            raise HTTPValidationError(f"must be from 200 to 599, got {status}", field="status")
        fields = CIMultiDict(headers or {})
        chunks = (body,) if isinstance(body, bytes) else tuple(body)
        if json is not UNSET:
            chunks = (b"null" if json is None else json_body(json).content,)
            fields.setdefault("Content-Type", "application/json")
        elif text is not None:
            chunks = (text.encode(),)
            fields.setdefault("Content-Type", "text/plain; charset=utf-8")
        return self._add(
            ScriptedReply(status, freeze_headers(fields), tuple(filter(None, chunks)), delay)
        )

    def does(self, handler: Callable[[SentRequest], HttpResponse]) -> Self:
        """Add a response that is computed from the request; the handler may change a state.

        Args:
            handler: Returns the response; its status, header fields and body are used.

        Returns:
            The route itself, so that calls can be chained.

        Example:
            >>> import asyncio
            >>> from railhttp import HTTPClient
            >>> from railhttp.testing import ScriptedTransport
            >>> stock = {"tea": 5}
            >>> def take(sent: SentRequest) -> HttpResponse:
            ...     stock["tea"] -= 1
            ...     return HttpResponse(204)
            >>> script = ScriptedTransport()
            >>> route = script.on("DELETE", "/stock/tea").does(take)
            >>> async def main() -> int:
            ...     async with HTTPClient(exchange=script) as client:
            ...         return (await client.request("DELETE", "http://h/stock/tea")).status
            >>> asyncio.run(main()), stock
            (204, {'tea': 4})
        """
        return self._add(ScriptedReply(handler=handler))

    def fail(
        self,
        error: HTTPFailure | Exception,
        at: FailurePoint = "head",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        after: bytes = b"",
    ) -> Self:
        """Add a failure to the script.

        Args:
            error: A failure, raised with the details of its call; an `HTTPStatusError` is played
                as its response. Or any exception of a socket, such as `ConnectionResetError()`,
                which becomes the failure that it becomes in a real client.
            at: When it happens, which decides the `delivery` of the failure.
            status: The status of a response that fails in its body. A response without a body,
                such as a 204 or the response to a HEAD, does not fail.
            headers: The header fields of such a response.
            after: The part of the body before the failure.
        """
        if isinstance(error, HTTPStatusError):
            response = error.response
            return self._add(ScriptedReply(response.status, response.headers, (response.body,)))
        return self._fail(ScriptedFailure(at, error), status, headers, after)

    def hang(
        self,
        at: FailurePoint = "head",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        after: bytes = b"",
    ) -> Self:
        """Add silence to the script: only a time limit or a cancellation ends it; see `fail`."""
        return self._fail(ScriptedFailure(at), status, headers, after)

    def _fail(
        self,
        failure: ScriptedFailure,
        status: int,
        headers: Mapping[str, str] | None,
        after: bytes,
    ) -> Self:
        chunks = (after,) if after else ()
        fields = freeze_headers(headers or {})
        return self._add(ScriptedReply(status, fields, chunks, failure=failure))

    def _add(self, reply: ScriptedReply) -> Self:
        self._replies.append(reply)
        return self

    @property
    def called(self) -> int:
        """The number of requests that the route has taken."""
        return len(self.calls)

    def assert_called(self, times: int | None = None) -> None:
        """Assert that the route was called: this many times, or at least once.

        Raises:
            AssertionError: The number differs.
        """
        if self.called != times if times is not None else not self.called:
            wanted = "at least 1" if times is None else str(times)
            raise AssertionError(f"calls of {self}: expected {wanted}, got {self.called}")

    @property
    def next_reply(self) -> ScriptedReply:
        """The reply to the next request."""
        if not self._replies:
            return ScriptedReply()
        return self._replies[min(self.called, len(self._replies) - 1)]

    def reply_to(self, sent: SentRequest) -> ScriptedReply:  # stubs need it
        """Return the reply to a request that matches."""
        return self.next_reply.to(sent)

    def __str__(self) -> str:
        return str(self.pattern)
