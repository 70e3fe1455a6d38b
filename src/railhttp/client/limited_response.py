"""An open response, and what ends the reading of it."""

from dataclasses import replace
from typing import Final, NoReturn

from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.response import HttpResponse
from railhttp.model.timeout import format_timeout
from railhttp.model.validation import require_positive_int
from railhttp.pipeline.call import Layers
from railhttp.pipeline.timeouts import ClosedError, ExpiredError, Watch
from railhttp.protocols import IncomingResponse


class Limits:
    """What ends the reading of a stream from outside: silence, its time, the end of its client.

    Args:
        layers: Where clock and watchdog are.
        idle: Seconds of silence that are allowed; None is no limit.
        total: Seconds for all of it; None is no limit.
        whole: Seconds for a body that is read as a whole, an error page; None is no limit.
        max_bytes: The most bytes that are kept of one.
    """

    __slots__ = ("_clock", "_deadline", "_idle", "_total", "_watchdog", "_whole", "max_bytes")

    def __init__(
        self,
        layers: Layers,
        idle: float | None,
        total: float | None,
        whole: float | None,
        max_bytes: int,
    ) -> None:
        self._clock = layers.clock
        self._watchdog = layers.watchdog
        self._idle = idle
        self._total = total
        self._whole = whole
        self.max_bytes: Final = max_bytes
        self._deadline = None if total is None else layers.clock.monotonic() + total

    def left(self) -> float | None:
        """Give the seconds that are left, None for no limit.

        Raises:
            ExpiredError: There are none.
        """
        if self._deadline is None:
            return None
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise ExpiredError
        return left

    def watch_chunk(self) -> Watch:
        """Give a context that ends with the time, with the client, and with silence."""
        return self.watch(self._idle)

    def watch_body(self) -> Watch:
        """Give a context that ends with the time, with the client, and with the body's time."""
        return self.watch(self._whole)

    def watch(self, limit: float | None = None) -> Watch:
        """Give a context that ends with the time, with the client, and after some seconds."""
        left = self.left()
        if left is not None and (limit is None or left < limit):
            limit = left
        return self._watchdog.watch(limit)

    def failure(self, error: ExpiredError | ClosedError, call: CallInfo) -> HTTPFailure:
        """Build the failure that the end of a watch means."""
        if isinstance(error, ClosedError):
            return HTTPConnectionError(str(error), kind="closed", **call)
        if self._deadline is not None and self._clock.monotonic() >= self._deadline:
            message = f"not done within {format_timeout(self._total)}"
            return HTTPTimeoutError(message, phase="total", **call)
        return HTTPTimeoutError("the server took too long to send more", phase="read", **call)


class LimitedResponse:
    """An open response that is read within limits; a failure closes it.

    Args:
        incoming: The response as the transport gives it.
        head: Its head as the interceptors left it.
        limits: Its limits.
    """

    __slots__ = ("_closed", "_head", "_incoming", "_limits", "_reading")

    def __init__(self, incoming: IncomingResponse, head: HttpResponse, limits: Limits) -> None:
        self._incoming = incoming
        self._head = head
        self._limits = limits
        self._closed = False
        self._reading = False

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Give the response as a value, with what was read of its body."""
        return replace(self._head, body=body)

    def call_info(self) -> CallInfo:
        """Say what a failure of this response has to know."""
        return self._incoming.call_info()

    async def chunk(self) -> bytes:
        """Read the next piece of the body; empty at its end.

        Raises:
            HTTPClientError: The body broke off or is corrupt, the time is over, or another task
                reads it; always one of the union.
        """
        if self._closed or self._reading:
            raise self._misuse()
        self._reading = True
        try:
            with self._limits.watch_chunk():
                return await self._incoming.chunk()
        except BaseException as error:  # noqa: BLE001  # raised again, whatever it is
            self._fail(error)
        finally:
            self._reading = False

    async def refusal(self) -> HTTPStatusError:
        """Build the failure that its status means, with its body as far as that comes.

        The status says more than a page that breaks off, is corrupt, too slow or too large.

        Raises:
            HTTPConnectionError: The client was stopped (kind `closed`).
        """
        page = bytearray()
        most = self._limits.max_bytes
        try:
            with self._limits.watch_body():
                while len(page) < most and (chunk := await self.chunk()):
                    page += chunk
        except ClosedError as error:
            self._fail(error)
        except (ExpiredError, *FAILURES) as error:
            if isinstance(error, HTTPConnectionError) and error.kind == "closed":
                raise
        return HTTPStatusError(self.answer(bytes(page[:most])))

    def _misuse(self) -> HTTPFailure:
        if not self._closed:
            message = "is being read by another task"
            return HTTPInvalidRequestError(message, field="stream", **self.call_info())
        return HTTPConnectionError("the stream is closed", kind="closed", **self.call_info())

    def _fail(self, error: BaseException) -> NoReturn:
        self.close()
        if isinstance(error, ExpiredError | ClosedError):
            raise self._limits.failure(error, self.call_info()) from None
        raise error

    def close(self) -> None:
        """Give the connection back; it is closed unless the body was read to its end."""
        self._closed = True
        self._incoming.close()


def check_limit(limit: object, field: str, call: CallInfo) -> None:
    """Refuse a caller's limit of bytes that is neither a positive integer nor None.

    Raises:
        HTTPInvalidRequestError: It is neither.
    """
    try:
        if limit is not None:
            require_positive_int(limit, field)
    except HTTPValidationError as error:
        raise HTTPInvalidRequestError(error.message, field=field, **call) from None
