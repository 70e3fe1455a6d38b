"""The documented metrics of a call, for any recorder."""

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from railhttp.model.observation import RequestFinished, RequestStarted

DURATION: Final = "http.request.duration"
STATUS: Final = "http.request.status"


@runtime_checkable
class MetricsRecorderProtocol(Protocol):
    """Records measurements; `CallMetrics` lists those of a client.

    Tags are names with values, both text.
    """

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Set a value that goes up and down."""
        ...

    def histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Add a value to a distribution."""
        ...


class CallMetrics:
    """Records each call, with all its attempts, in a histogram and a counter.

    `http.request.duration` is in seconds; `http.request.status` counts calls. Both have the same
    four tags, so that a recorder with fixed labels can take them: `method`, `host`, `status` (empty
    without a response) and `error` (`RequestFinished.error_type`, empty if nothing went wrong).

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

    def call_started(self, call: RequestStarted) -> "_CallMeasurement":
        """Observe a call until it ends."""
        return _CallMeasurement(self._recorder, call)

    def attempt_started(self, attempt: RequestStarted) -> None:
        """Ignore attempts: calls are measured."""


class _CallMeasurement:
    """Records the end of a call."""

    __slots__ = ("_call", "_recorder")

    def __init__(self, recorder: MetricsRecorderProtocol, call: RequestStarted) -> None:
        self._recorder = recorder
        self._call = call

    def ended(self, finished: RequestFinished) -> None:
        status = finished.status
        tags = {
            "method": self._call.method,
            "host": self._call.url.host or "",
            "status": "" if status is None else str(status),
            "error": finished.error_type or "",
        }
        try:
            self._recorder.histogram(DURATION, finished.seconds, tags)
        finally:  # a call counts even if its time cannot be recorded
            self._recorder.increment(STATUS, 1.0, tags)
