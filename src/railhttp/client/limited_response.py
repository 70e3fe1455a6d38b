"""An open response, and the limits that end the reading of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NoReturn

from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.exchange import IncomingResponse
from railhttp.model.response import HttpResponse
from railhttp.model.timeout import format_timeout
from railhttp.model.validation import require_positive_int
from railhttp.pipeline.timeouts import ClosedError, ExpiredError, Timeout, Timeouts
from railhttp.wire.body_buffer import BodyBuffer

MAX_PAGE_BYTES: Final = 1024 * 1024
"""The most bytes of an error page that are kept, instead of the file or the events."""


class Limits:
    """The limits of a stream: silence, time, and the end of its client.

    Args:
        timeouts: The time limits of the client.
        idle: Seconds of silence that are allowed; None is no limit.
        total: Seconds for all of it; None is no limit.
        whole: Seconds for a body that is read as a whole, an error page; None is no limit.
        max_bytes: The most bytes that are kept of such a page.
    """

    __slots__ = ("_deadline", "_idle", "_timeouts", "_total", "_whole", "max_bytes")

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        idle: float | None,
        total: float | None,
        whole: float | None,
        max_bytes: int,
    ) -> None:
        self._timeouts = timeouts
        self._idle = idle
        self._total = total
        self._whole = whole
        self.max_bytes: Final = max_bytes
        self._deadline = None if total is None else timeouts.clock.monotonic() + total

    def left(self) -> float | None:
        """Return the seconds that are left; None for no limit."""
        if self._deadline is None:
            return None
        left = self._deadline - self._timeouts.clock.monotonic()
        if left <= 0:
            raise ExpiredError
        return left

    def bound_chunk(self) -> Timeout:
        """Return a context that bounds the wait for a chunk."""
        if self._deadline is None:  # two calls less for each chunk
            return self._timeouts.limit(self._idle)
        return self.bound(self._idle)

    def bound_body(self) -> Timeout:
        """Return a context that bounds the reading of a whole body."""
        return self.bound(self._whole)

    def bound(self, limit: float | None = None) -> Timeout:
        """Return a context that ends after `limit` seconds, with the time, or with the client."""
        left = self.left()
        if left is not None and (limit is None or left < limit):
            limit = left
        return self._timeouts.limit(limit)

    def failure(self, error: ExpiredError | ClosedError, info: CallInfo) -> HTTPFailure:
        """Build the failure that the end of a context means."""
        if isinstance(error, ClosedError):
            return HTTPConnectionError(str(error), kind="closed", **info)
        if self._deadline is not None and self._timeouts.clock.monotonic() >= self._deadline:
            message = f"not done within {format_timeout(self._total)}"
            return HTTPTimeoutError(message, phase="total", limit=self._total, **info)
        message = "the server took too long to send more"
        return HTTPTimeoutError(message, phase="read", limit=self._idle, **info)


class LimitedResponse:
    """An open response that is read within limits; a failure closes it."""

    __slots__ = ("_closed", "_head", "_incoming", "_limits", "_on_end", "_reading")

    def __init__(
        self,
        incoming: IncomingResponse,
        head: HttpResponse,
        limits: Limits,
        on_end: Callable[[HTTPFailure | None], None] | None = None,
    ) -> None:
        self._incoming = incoming
        self._head = head
        self._limits = limits
        self._on_end = on_end
        self._closed = False
        self._reading = False

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the part of its body that was read."""
        head = self._head
        return replace(head, body=body).with_timings(head.timings) if body else head

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        return self._incoming.call_info()

    async def chunk(self) -> bytes:
        """Read the next piece of the body; empty at its end.

        Raises:
            HTTPClientError: The body broke off or is corrupt, the time is over, or another task
                reads it; always one of `HTTPFailure`.
        """
        if self._closed or self._reading:
            raise self._misuse()
        self._reading = True
        try:
            with self._limits.bound_chunk():
                chunk = await self._incoming.chunk()
        except BaseException as error:  # noqa: BLE001  # raised again, whatever it is
            self._fail(error)
        finally:
            self._reading = False
        if not chunk:
            self._ended(None)
        return chunk

    async def read(self) -> bytes:
        """Read what is left of the body, within its limit.

        Raises:
            HTTPResponseTooLargeError: It is larger than `max_response_bytes`.
            HTTPClientError: See `chunk`.
        """
        body = BodyBuffer(self._head.content_length)
        while chunk := await self.chunk():
            if body.size + len(chunk) > self._limits.max_bytes:
                self.close()
                limit = self._limits.max_bytes
                message = f"the body is larger than {limit} bytes"
                raise HTTPResponseTooLargeError(message, limit=limit, **self.call_info())
            body.add(chunk)
        return body.body()

    async def status_error(self) -> HTTPStatusError:
        """Build an `HTTPStatusError` with as much of the body as can be read; see `page`."""
        return HTTPStatusError(await self.page())

    async def page(self) -> HttpResponse:
        """Return the response with as much of its body as can be read.

        The head matters more than a page that breaks off, is corrupt, too slow or too large. Of a
        large page, the beginning is kept.

        Raises:
            HTTPConnectionError: The client was stopped (kind `closed`).
        """
        page = bytearray()
        most = min(self._limits.max_bytes, MAX_PAGE_BYTES)
        try:
            with self._limits.bound_body():
                while len(page) < most and (chunk := await self.chunk()):
                    page += chunk
        except ClosedError as error:
            self._fail(error)
        except (ExpiredError, *FAILURES) as error:
            if isinstance(error, HTTPConnectionError) and error.kind == "closed":
                raise
        return self.answer(bytes(page[:most]))

    def _misuse(self) -> HTTPFailure:
        if not self._closed:
            message = "is being read by another task"
            return HTTPInvalidRequestError(message, field="stream", **self.call_info())
        return HTTPConnectionError("the stream is closed", kind="closed", **self.call_info())

    def _fail(self, error: BaseException) -> NoReturn:
        if isinstance(error, ExpiredError | ClosedError):
            self._release()
            failure = self._limits.failure(error, self.call_info())
            self._ended(failure)
            raise failure from None
        self._ended(error if isinstance(error, FAILURES) else None)
        self._release()
        raise error

    def _ended(self, failure: HTTPFailure | None) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(failure)

    def _release(self) -> None:
        self._closed = True
        self._incoming.close()

    def close(self) -> None:
        """Release the connection; it is closed unless the body was read to its end."""
        self._release()
        self._ended(None)


def check_limit(limit: object, field: str, call_info: Callable[[], CallInfo]) -> None:
    """Refuse a limit of bytes that is neither a positive integer nor None.

    Raises:
        HTTPInvalidRequestError: It is neither.
    """
    try:
        if limit is not None:
            require_positive_int(limit, field)
    except HTTPValidationError as error:
        raise HTTPInvalidRequestError(error.message, field=field, **call_info()) from None
