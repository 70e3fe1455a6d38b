"""Spans and metrics by OpenTelemetry's stable HTTP conventions; needs the extra `opentelemetry`.

    client = HTTPClient(instruments=[OpenTelemetryInstrument()])

Each attempt is a span of kind CLIENT, a child of the caller's span, and one point in the histogram
`http.client.request.duration`. The global propagator puts the context of the span into header
fields (`traceparent` by default).

No span is doubled: `opentelemetry-instrumentation-aiohttp-client` does not see the requests of this
client, and the instrumentation of a library under your own `exchange` is suppressed (from 0.60b0
on). This instrument is suppressed too wherever HTTP instrumentation is, as inside an exporter.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Final

from railhttp.extra import provided_by
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.version import __version__

with provided_by("railhttp[opentelemetry]"):
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

try:
    from opentelemetry.instrumentation.utils import (
        is_http_instrumentation_enabled,
        suppress_http_instrumentation,
    )
except ImportError:  # without that package no other instrumentation exists

    def is_http_instrumentation_enabled() -> bool:
        """Return True, since nothing can suppress this instrument."""
        return True

    @contextmanager
    def suppress_http_instrumentation() -> Generator[None, None, None]:
        """Do nothing, since no other instrumentation exists."""
        yield


BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bucket bounds that the conventions recommend, in seconds."""

_KNOWN_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
# The first version in which these names are stable.
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.23.1"


class OpenTelemetryInstrument:
    """An instrument that makes a span for each attempt, and records its duration.

    Args:
        tracer_provider: Receives the spans; the global one by default.
        meter_provider: Receives the durations; the global one by default.

    Example:
        >>> from railhttp import HTTPClient
        >>> client = HTTPClient(instruments=[OpenTelemetryInstrument()])
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("railhttp", __version__, tracer_provider, _SCHEMA)
        meter = metrics.get_meter("railhttp", __version__, meter_provider, _SCHEMA)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def call_started(self, call: RequestStarted) -> None:
        """Do nothing: the conventions describe attempts, not calls."""

    def attempt_started(self, attempt: RequestStarted) -> "AttemptSpan | None":
        """Start a span and add its context to the header fields."""
        if not is_http_instrumentation_enabled():
            return None
        method = attempt.method if attempt.method in _KNOWN_METHODS else "_OTHER"
        common: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": attempt.url.host or "",
            "server.port": attempt.url.port or 0,
        }
        span = self._tracer.start_span(
            "HTTP" if method == "_OTHER" else method,
            kind=SpanKind.CLIENT,
            attributes={**common, **_of_span_only(attempt, method)},
        )
        common["url.scheme"] = attempt.url.scheme
        try:
            propagate.inject(attempt.added, trace.set_span_in_context(span))
        except BaseException:  # the span is not the current one yet, so `ended` will not end it
            span.end()
            raise
        return AttemptSpan(span, self._duration, common)


class AttemptSpan:
    """The span of one attempt, which is the current span until the attempt ends."""

    __slots__ = ("_attributes", "_current", "_duration", "_span")

    def __init__(self, span: Span, duration: Histogram, attributes: dict[str, str | int]) -> None:
        self._span = span
        self._duration = duration
        self._attributes = attributes
        self._current = ExitStack()
        self._current.callback(span.end)
        self._current.enter_context(trace.use_span(span))
        self._current.enter_context(suppress_http_instrumentation())

    def ended(self, ending: RequestFinished) -> None:
        """End the span and record its duration."""
        result: dict[str, str | int] = {}
        if ending.answer is not None:
            result["http.response.status_code"] = ending.answer.status
            result["network.protocol.version"] = ending.answer.http_version
        if ending.error_type is not None:
            result["error.type"] = ending.error_type
        try:
            self._span.set_attributes(result)
            if ending.error_type is not None:
                self._span.set_status(Status(StatusCode.ERROR))
            # Record while the span is the current one: it becomes the exemplar.
            self._duration.record(ending.seconds, {**self._attributes, **result})
        finally:
            self._current.close()


def _of_span_only(attempt: RequestStarted, method: str) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {"url.full": attempt.shown_url}
    if method != attempt.method:
        attributes["http.request.method_original"] = attempt.method
    if resend_count := attempt.attempt + attempt.resends:
        attributes["http.request.resend_count"] = resend_count
    return attributes
