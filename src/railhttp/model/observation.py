"""The start and the end of a call or an attempt, as instruments receive them."""

from typing import NamedTuple, assert_never

from yarl import URL

from railhttp.model.errors import HTTPConnectionError, HTTPFailure, HTTPTimeoutError, TimeoutPhase
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse


class RequestStarted:
    """A call or an attempt that is about to start.

    Attributes:
        method: The method, upper-case.
        url: The URL of the request, with its secrets; show `shown_url` instead.
        attempt: The number of the attempt, counted from 0; 0 for a call.
        resends: How often interceptors asked for one more send so far; these are no attempts.
        added: Header fields that an instrument adds; they are sent with the attempt.
    """

    __slots__ = (
        *("_attempt_timeout", "_request", "_timeout"),
        *("added", "attempt", "method", "resends", "url"),
    )

    def __init__(
        self,
        request: Request,
        attempt: int = 0,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        *,
        resends: int = 0,
    ) -> None:
        self._request = request
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout
        self.method: str = request.method
        self.url: URL = request.url
        self.attempt: int = attempt
        self.resends: int = resends
        self.added: dict[str, str] = {}

    @property
    def shown_url(self) -> str:
        """The URL of the request, redacted."""
        return self._request.shown_url

    def limit(self, phase: TimeoutPhase) -> float | None:
        """Return the limit of a phase in seconds; None if it has no limit."""
        match phase:
            case "total":
                return self._timeout
            case "pool" | "connect":
                own = self._request.options.connect_timeout
            case "read":
                own = self._request.options.read_timeout
            case _:
                assert_never(phase)
        limits = (own, self._attempt_timeout)
        return min((limit for limit in limits if limit is not None), default=None)


class RequestFinished(NamedTuple):
    """A call or an attempt that has ended.

    Attributes:
        seconds: The duration.
        attempts: The number of attempts that the call had made by then.
        answer: The response, without its body for a stream; None if none arrived.
        failure: The reason why no response arrived; if it was cancelled, both are None.

    Example:
        >>> RequestFinished(0.5, 1, failure=HTTPTimeoutError("no answer", phase="read")).error_type
        'HTTPTimeoutError.read'
        >>> RequestFinished(0.5, 1).error_type
        'cancelled'
    """

    seconds: float
    attempts: int
    answer: HttpResponse | None = None
    failure: HTTPFailure | None = None

    @property
    def status(self) -> int | None:
        """The status of the response; None without a response."""
        return None if self.answer is None else self.answer.status

    @property
    def error_type(self) -> str | None:
        """The `error.type` of OpenTelemetry; None for a status below 400.

        It is the status, the class of the failure with its kind or phase, or `cancelled`.
        """
        if self.answer is not None:
            return str(self.answer.status) if self.answer.status >= 400 else None
        match self.failure:
            case None:
                return "cancelled"
            case HTTPConnectionError() | HTTPTimeoutError():
                return f"{type(self.failure).__name__}.{self.failure.label}"
            case _:
                return type(self.failure).__name__
