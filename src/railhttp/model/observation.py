"""The start and the end of a call or an attempt, as instruments receive them."""

from collections.abc import Callable
from typing import NamedTuple, assert_never

from yarl import URL

from railhttp.model.errors import HTTPConnectionError, HTTPFailure, HTTPTimeoutError, TimeoutPhase
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.timings import NO_TIMINGS, Timings


class RequestStarted:
    """A call or an attempt that is about to start.

    Attributes:
        method: The method, upper-case.
        attempt: The number of the attempt, counted from 0; 0 for a call.
        resends: How many requests the call sent before this one: earlier attempts, redirects, and
            sends that interceptors asked for once more.
        added: Header fields that an instrument adds; they are sent with the attempt.
    """

    __slots__ = (
        "_attempt_timeout",
        "_call_id",
        "_request",
        "_timeout",
        "added",
        "attempt",
        "method",
        "resends",
    )

    def __init__(
        self,
        request: Request,
        attempt: int = 0,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        *,
        resends: int = 0,
        call_id: Callable[[], str] = str,
    ) -> None:
        self._request = request
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout
        self.method: str = request.method
        self.attempt: int = attempt
        self.resends: int = resends
        self._call_id = call_id
        self.added: dict[str, str] = {}

    @property
    def url(self) -> URL:
        """The URL of the request, with its secrets; show `shown_url` instead."""
        return self._request.url

    @property
    def call_id(self) -> str:
        """The id that the call shares with its attempts, redirects, events and log records."""
        return self._call_id()

    @property
    def shown_url(self) -> str:
        """The URL of the request, redacted."""
        return self._request.shown_url

    @property
    def host(self) -> str:
        """The host, with its port unless that is the default of the scheme."""
        return self._request.target.site.host

    @property
    def url_template(self) -> str:
        """The path as it was declared, such as `/users/{user_id}`; empty if it is unknown."""
        return self._request.options.url_template

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
        failure: The reason why no response arrived, or why the body of a stream broke off. If the
            call was cancelled, `answer` and `failure` are None.
        timings: The phases of the last exchange, if an instrument asks for them.
        streams: Whether the body is still to come; `body_ended` is called at its end.

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
    timings: Timings = NO_TIMINGS
    streams: bool = False

    @property
    def status(self) -> int | None:
        """The status of the response; None without a response."""
        return None if self.answer is None else self.answer.status

    @property
    def error_type(self) -> str | None:
        """The `error.type` of OpenTelemetry; None for a status below 400.

        It is the status, the class of the failure with its kind or phase, or `cancelled`.
        """
        match self.failure:
            case None:
                if self.answer is None:
                    return "cancelled"
                return str(self.answer.status) if self.answer.status >= 400 else None
            case HTTPConnectionError() | HTTPTimeoutError():
                return f"{type(self.failure).__name__}.{self.failure.label}"
            case _:
                return type(self.failure).__name__
