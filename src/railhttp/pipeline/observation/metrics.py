"""The documented metrics of a call, for any recorder."""

from typing import Final

from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.protocols import MetricsRecorderProtocol

DURATION: Final = "http.request.duration"
STATUS: Final = "http.request.status"


class CallMetrics:
    """Records each call, with all its attempts, in a histogram and a counter.

    `http.request.duration` is in seconds; `http.request.status` counts calls. Both have the same
    four tags, so that a recorder with fixed labels can take them: `method`, `host`, `status` (the
    empty text where no answer came) and `error` (`RequestFinished.error_type`, the empty text
    where there was none).

    Args:
        recorder: Where they go.

    Example:
        >>> class Printing:
        ...     def increment(self, name, value=1.0, tags=None):
        ...         print(name, value, tags["status"])
        ...     def gauge(self, name, value, tags=None): ...
        ...     def histogram(self, name, value, tags=None):
        ...         print(name, value, tags["status"])
        >>> from railhttp.model.request import Request, SendOptions
        >>> from railhttp.model.response import HttpResponse
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
        >>> observation = CallMetrics(Printing()).call_started(RequestStarted(request))
        >>> observation.ended(RequestFinished(0.25, 1, HttpResponse(200)))
        http.request.duration 0.25 200
        http.request.status 1.0 200
    """

    __slots__ = ("_recorder",)

    def __init__(self, recorder: MetricsRecorderProtocol) -> None:
        self._recorder = recorder

    def call_started(self, call: RequestStarted) -> "CallMeasurement":
        """Remember a call until it ends."""
        return CallMeasurement(self._recorder, call)

    def attempt_started(self, attempt: RequestStarted) -> None:
        """Let an attempt pass: calls are measured."""


class CallMeasurement:
    """Records how a call ended.

    Args:
        recorder: Where it goes.
        call: The call.
    """

    __slots__ = ("_call", "_recorder")

    def __init__(self, recorder: MetricsRecorderProtocol, call: RequestStarted) -> None:
        self._recorder = recorder
        self._call = call

    def ended(self, ending: RequestFinished) -> None:
        """Record it."""
        status = ending.status
        tags = {
            "method": self._call.method,
            "host": self._call.url.host or "",
            "status": "" if status is None else str(status),
            "error": ending.error_type or "",
        }
        try:
            self._recorder.histogram(DURATION, ending.seconds, tags)
        finally:  # a call counts also where its time cannot be recorded
            self._recorder.increment(STATUS, 1.0, tags)
