"""What instruments are told: how a call, or one attempt of it, begins and how it ends."""

from typing import Final, NamedTuple, assert_never

from railhttp.model.errors import HTTPConnectionError, HTTPFailure, HTTPTimeoutError, TimeoutPhase
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse

CANCELLED: Final = "cancelled"


class RequestStarted:
    """A call, or one attempt of it, that begins.

    Args:
        request: What is about to be sent.
        attempt: Which attempt this is, counted from 0; 0 for a call.
        timeout: Seconds for the whole call; None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit.

    Attributes:
        method: The method, upper-case.
        url: Where it goes, with its secrets; `shown_url` is the one to show.
        attempt: Which attempt this is, counted from 0.
        added: Header fields to send too: what an instrument puts in goes out with the attempt.
    """

    __slots__ = ("_attempt_timeout", "_request", "_timeout", "added", "attempt", "method", "url")

    def __init__(
        self,
        request: Request,
        attempt: int = 0,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
    ) -> None:
        self._request = request
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout
        self.method = request.method
        self.url = request.url
        self.attempt = attempt
        self.added: dict[str, str] = {}

    @property
    def shown_url(self) -> str:
        """Where it goes, redacted."""
        return self._request.shown_url

    def limit(self, phase: TimeoutPhase) -> float | None:
        """The time that a phase was given.

        Args:
            phase: The phase, as in `HTTPTimeoutError.phase`.

        Returns:
            Seconds; None where nothing here limits it.
        """
        route = self._request.options
        attempt = self._attempt_timeout
        match phase:
            case "total":
                return self._timeout
            case "pool" | "connect":
                return _least(route.connect_timeout, attempt)
            case "read":
                return _least(route.read_timeout, attempt)
            case _:
                assert_never(phase)


def _least(first: float | None, second: float | None) -> float | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


class RequestFinished(NamedTuple):
    """How a call or an attempt came to its end.

    Attributes:
        seconds: How long it took.
        attempts: How many attempts the call had made by then.
        answer: What came, for a stream without its body; None where nothing did.
        failure: Why nothing came; both are None where it was cancelled.

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
        """The status of the answer; None where there was none."""
        return None if self.answer is None else self.answer.status

    @property
    def error_type(self) -> str | None:
        """What went wrong, as one of few words; None below status 400.

        It is the status of a 4xx or 5xx, the failure's class with its kind or phase, or
        `cancelled`: what the OpenTelemetry conventions call `error.type`.
        """
        if self.answer is not None:
            return str(self.answer.status) if self.answer.status >= 400 else None
        match self.failure:
            case None:
                return CANCELLED
            case HTTPConnectionError() | HTTPTimeoutError():
                return f"{type(self.failure).__name__}.{self.failure.label}"
            case _:
                return type(self.failure).__name__
