"""Opens responses whose bodies are read piece by piece, and keeps their time limits."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeVar

from multidict import CIMultiDict

from railhttp.client.request_builder import Prepared
from railhttp.model.errors import (
    CallFacts,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.headers import check_headers
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.timeout import format_timeout
from railhttp.model.validation import or_raise
from railhttp.pipeline.call import Layers
from railhttp.pipeline.opening import Opening
from railhttp.pipeline.watchdog import ClosedError, ExpiredError
from railhttp.policy.backoff import Backoff
from railhttp.protocols import IncomingResponse

T = TypeVar("T")

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Limits:
    """What ends the reading of a stream from outside: its time, and the end of its client.

    Args:
        layers: Where clock and watchdog are.
        total: Seconds for all of it; None is no limit.
    """

    __slots__ = ("_clock", "_deadline", "_total", "_watchdog")

    def __init__(self, layers: Layers, total: float | None) -> None:
        self._clock = layers.clock
        self._watchdog = layers.watchdog
        self._total = total
        self._deadline = None if total is None else layers.clock.monotonic() + total

    def left(self, facts: Callable[[], CallFacts]) -> float | None:
        """Give the seconds that are left, None for no limit.

        Raises:
            HTTPTimeoutError: There are none.
        """
        if self._deadline is None:
            return None
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise self._expired(facts())
        return left

    async def hold(self, act: Callable[[], Awaitable[T]], facts: Callable[[], CallFacts]) -> T:
        """Await something, for no longer than there is time and the client runs.

        Raises:
            HTTPTimeoutError: The time is over (phase `total`).
            HTTPConnectionError: The client was stopped (kind `closed`).
        """
        try:
            with self._watchdog.watch(self.left(facts)):
                return await act()
        except ExpiredError:
            raise self._expired(facts()) from None
        except ClosedError:
            raise HTTPConnectionError("the client was stopped", kind="closed", **facts()) from None

    def _expired(self, call: CallFacts) -> HTTPTimeoutError:
        limit = format_timeout(self._total)
        return HTTPTimeoutError(f"not done within {limit}", phase="total", **call)


class LimitedResponse(IncomingResponse):
    """An open response that is read within limits; a failure closes it.

    Args:
        incoming: The response as the transport gives it.
        head: Its head as the interceptors left it.
        limits: Its limits.
    """

    __slots__ = ("_closed", "_head", "_incoming", "_limits")

    def __init__(self, incoming: IncomingResponse, head: HttpResponse, limits: Limits) -> None:
        self._incoming = incoming
        self._head = head
        self._limits = limits
        self._closed = False

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        return replace(self._head, body=body)

    def facts(self) -> CallFacts:
        """Say what a failure of this response has to know."""
        return self._incoming.facts()

    async def chunk(self) -> bytes:
        """Read the next piece of the body; empty at its end.

        Raises:
            HTTPClientError: The body broke off or is corrupt, or the time is over; always one of
                the union.
        """
        return await self._read(self._incoming.chunk)

    async def read(self) -> bytes:
        """Read the body to its end.

        Raises:
            HTTPClientError: See `chunk`; or it is too large.
        """
        return await self._read(self._incoming.read)

    async def _read(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        if self._closed:
            raise HTTPConnectionError("the stream is closed", kind="closed", **self.facts())
        try:
            return await self._limits.hold(read, self.facts)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        self._closed = True
        self._incoming.close()


class Opener:
    """Opens the response to one request, as often as need be, within one time limit.

    Args:
        prepared: The request and its time.
        layers: What its calls go through.
        perform: Makes a call, with all its attempts.
        bounded: Whether the time is for everything that is opened, bodies and waits included, and
            not for each head alone.
    """

    __slots__ = ("_facts", "_layers", "_limits", "_perform", "_prepared")

    def __init__(
        self,
        prepared: Prepared,
        layers: Layers,
        perform: Callable[[Opening], Awaitable[HttpResponse]],
        *,
        bounded: bool,
    ) -> None:
        self._prepared = prepared
        self._layers = layers
        self._perform = perform
        self._limits = Limits(layers, prepared.timeout if bounded else None)
        self._facts: Callable[[], CallFacts] | None = None

    @property
    def url(self) -> str:
        """The URL that is asked for."""
        return str(self._prepared.request.url)

    def facts(self) -> CallFacts:
        """Say what a failure has to know of the latest call."""
        if self._facts is not None:
            return self._facts()
        return {"method": self._prepared.request.method, "url": self.url, "attempts": 0}

    async def open(self, headers: Mapping[str, str] = _NO_HEADERS) -> IncomingResponse:
        """Send the request and wait for the head of its response.

        Args:
            headers: Fields for this time; they take the place of those of the same name.

        Raises:
            HTTPClientError: There was no response; always one of the union.
        """
        call = self._call(headers)
        self._facts = call.facts
        try:
            head = await self._perform(call)
            return LimitedResponse(call.incoming, head, self._limits)
        except BaseException:
            call.discard()
            raise

    def _call(self, headers: Mapping[str, str]) -> Opening:
        request, host, timeout, attempt_timeout = self._prepared
        left = self._limits.left(self.facts)
        if self._facts is not None and left is not None:
            timeout = left
        try:
            request = _with_headers(request, headers) if headers else request
        except HTTPValidationError as error:
            raise HTTPInvalidRequestError(
                error.message, field=error.field, **self.facts()
            ) from None
        return Opening(request, host, self._layers, timeout, attempt_timeout)

    async def pause(self, backoff: Backoff, number: int, at_least: float = 0.0) -> None:
        """Wait before opening again.

        Args:
            backoff: The waits.
            number: Which of them, counted from 1.
            at_least: Seconds that come on top.

        Raises:
            HTTPTimeoutError: The time is over.
            HTTPConnectionError: The client was stopped (kind `closed`).
        """
        clock = self._layers.clock
        seconds = at_least + backoff.delay(number, clock.uniform())
        await self._limits.hold(lambda: clock.sleep(seconds), self.facts)


def _with_headers(request: Request, headers: Mapping[str, str]) -> Request:
    merged = CIMultiDict(request.headers or {})
    merged.update(or_raise(check_headers(headers)))
    return replace(request, headers=merged)
