"""Opens a response whose body is read piece by piece, once or several times."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from railhttp.client.limited_response import LimitedResponse, Limits
from railhttp.client.request_builder import Prepared
from railhttp.client.status_check import checked
from railhttp.model.errors import CallInfo, HTTPInvalidRequestError, HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.timeouts import ClosedError, ExpiredError, Timeouts
from railhttp.policy.backoff import Backoff

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class StreamRequest:
    """A request that is opened once or several times, within one time limit.

    Args:
        prepared: The request and its time limits.
        new_call: Returns a call of a request.
        send: The chain for streams: it returns the head of the response.
        timeouts: The time limits of the client.
        bounded: Whether the timeout bounds everything, bodies and waits included, and not only each
            head.
        idle: Seconds of silence between two chunks that are allowed; None is no limit.
    """

    __slots__ = ("_latest", "_limits", "_new_call", "_prepared", "_send", "_timeouts")

    def __init__(
        self,
        prepared: Prepared,
        new_call: Callable[[Prepared], HTTPCall],
        send: Callable[[HTTPCall], Awaitable[HttpResponse]],
        timeouts: Timeouts,
        *,
        bounded: bool,
        idle: float | None,
    ) -> None:
        self._prepared = prepared
        self._new_call = new_call
        self._send = send
        self._timeouts = timeouts
        options, timeout = prepared.request.options, prepared.timeout
        self._limits = Limits(
            timeouts,
            idle=idle,
            total=timeout if bounded else None,
            whole=timeout,
            max_bytes=options.max_response_bytes,
        )
        self._latest: HTTPCall | None = None

    @property
    def url(self) -> str:
        """The requested URL."""
        return self._prepared.request.url_text

    @property
    def max_response_bytes(self) -> int:
        """The most bytes of a body in memory."""
        return self._prepared.request.options.max_response_bytes

    def call_info(self) -> CallInfo:
        """Return the details that a failure carries; they speak of all openings."""
        if self._latest is not None:
            return self._latest.call_info()
        request = self._prepared.request
        return {"method": request.method, "url": redact_url(self.url), "attempts": 0}

    async def open(self, headers: Mapping[str, str] = _NO_HEADERS) -> LimitedResponse:
        """Send the request and wait for the head of its response.

        Args:
            headers: Fields of this opening; they replace those with the same name.
        """
        call = self._new_call(self._now(headers))
        if self._latest is not None:
            call.continue_from(self._latest)
        self._latest = call
        try:
            head = await self._send(call)
            on_end = None if call.listeners is None else call.body_ended
            return LimitedResponse(call.opened(), head, self._limits, on_end)
        except BaseException:
            call.discard()
            raise

    def _now(self, headers: Mapping[str, str]) -> Prepared:
        """Return the request of the next opening, with the time that is left."""
        prepared = self._prepared
        try:
            left = self._limits.left()
            if headers:
                request = prepared.request.with_headers(require_headers(headers))
                prepared = prepared._replace(request=request)
        except ExpiredError as error:
            raise self._limits.failure(error, self.call_info()) from None
        except HTTPValidationError as error:
            info = self.call_info()
            raise HTTPInvalidRequestError(error.message, field=error.field, **info) from None
        if self._latest is None or left is None:
            return prepared
        return prepared._replace(timeout=left)

    async def check(self, response: LimitedResponse) -> None:
        """Look at the status of a response, if the call has a `raise_for_status`.

        Raises:
            HTTPClientError: The response is refused; always one of `HTTPFailure`.
        """
        status_check = self._prepared.check
        if status_check is not None:
            await checked(response.answer(), status_check)

    async def pause(self, backoff: Backoff, number: int, at_least: float = 0.0) -> None:
        """Wait before the next opening."""
        clock = self._timeouts.clock
        seconds = at_least + backoff.delay(number, clock.uniform())
        with self.bound():
            await clock.sleep(seconds)

    @contextmanager
    def bound(self) -> Generator[None, None, None]:
        """Bound a wait between two openings by the time that is left, and by the client."""
        try:
            with self._limits.bound():
                yield
        except (ExpiredError, ClosedError) as error:
            raise self._limits.failure(error, self.call_info()) from None
