"""Spans and metrics by OpenTelemetry's stable HTTP conventions; needs the extra `opentelemetry`.

    client = HTTPClient(instruments=[OpenTelemetryInstrument()])

Each attempt and each redirect that it follows is a span of kind CLIENT, a child of the caller's
span, and one point in the histogram `http.client.request.duration`. The global propagator puts the
context of the span into header fields (`traceparent` by default). A call that was refused before
its first attempt is a span too. The span of a stream ends with its body, and fails if the body
breaks off.

Names that the conventions do not define start with `railhttp.`: the attributes `railhttp.call_id`
and `railhttp.timings.*` (seconds), and the metrics of pool, circuits, budgets and waits.

No span is doubled: `opentelemetry-instrumentation-aiohttp-client` does not see the requests of this
client, and the instrumentation of a library under your own `exchange` is suppressed (from 0.60b0
on). This instrument is suppressed too wherever HTTP instrumentation is, as inside an exporter.
"""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final, TypeAlias, assert_never
from weakref import WeakSet

from railhttp.events import (
    CircuitChangedEvent,
    GaugeSource,
    LayerEvent,
    RedirectEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
)
from railhttp.extra import provided_by
from railhttp.model.events import Queue
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.response import HttpResponse
from railhttp.pipeline.observation.metrics import BUCKETS as DURATION_BUCKETS
from railhttp.pipeline.observation.metrics import readings
from railhttp.version import __version__

with provided_by("railhttp[opentelemetry]"):
    from opentelemetry import context, metrics, propagate, trace
    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
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


BUCKETS: Final = DURATION_BUCKETS
"""The bucket bounds that the conventions recommend, in seconds."""

_KNOWN_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
# The first version in which these names are stable.
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.23.1"


Attributes: TypeAlias = dict[str, str | int | float]


class OpenTelemetryInstrument:
    """An instrument that makes spans, and records the metrics of a client.

    Args:
        tracer_provider: Receives the spans; the global one by default.
        meter_provider: Receives the metrics; the global one by default.

    Example:
        >>> from railhttp import HTTPClient
        >>> client = HTTPClient(instruments=[OpenTelemetryInstrument()])
    """

    asks_for_timings: Final = True

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
        self._waits = {
            queue: meter.create_histogram(
                f"railhttp.{queue}.wait",
                unit="s",
                description=description,
                explicit_bucket_boundaries_advisory=BUCKETS,
            )
            for queue, description in _WAITS.items()
        }
        self._circuit_changes = meter.create_counter(
            "railhttp.circuit.changes", description="Changes of the state of circuit breakers."
        )
        self._budgets = meter.create_counter(
            "railhttp.retry_budget.exhausted", description="How often a retry budget was used up."
        )
        self._stores = meter.create_counter(
            "railhttp.store.changes", description="Outages of shared stores, and their ends."
        )
        self._sources = WeakSet[GaugeSource]()
        for name, description in _GAUGES.items():
            observe = self._gauge(f"http.{name}")
            meter.create_observable_gauge(f"railhttp.{name}", [observe], description=description)

    def watch(self, source: GaugeSource) -> None:
        """Collect the gauges of a client."""
        self._sources.add(source)

    def _gauge(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for source in tuple(self._sources):
                gauges = source()
                for found, value, tags in () if gauges is None else readings(gauges):
                    if found == name:
                        attributes = {f"railhttp.{tag}": text for tag, text in tags.items()}
                        yield Observation(value, attributes)

        return observe

    def event_occurred(self, event: LayerEvent) -> None:
        """Record the event of a layer."""
        match event:
            case CircuitChangedEvent(name=name, before=before, after=after):
                attributes = {"railhttp.circuit": name, "before": before, "after": after}
                self._circuit_changes.add(1, attributes)
            case RetryBudgetExhaustedEvent(origin=origin):
                self._budgets.add(1, {"railhttp.origin": origin})
            case WaitEvent(queue=queue, seconds=seconds, admitted=admitted):
                self._waits[queue].record(seconds, {"railhttp.admitted": admitted})
            case RedirectEvent():
                pass  # each has a span
            case StoreDownEvent(store=store):
                self._stores.add(1, {"railhttp.store": store, "after": "down"})
            case StoreBackEvent(store=store):
                self._stores.add(1, {"railhttp.store": store, "after": "up"})
            case _:
                assert_never(event)

    def call_started(self, call: RequestStarted) -> "CallSpan | None":
        """Watch whether the call is refused; its attempts make their own spans."""
        return CallSpan(self, call) if is_http_instrumentation_enabled() else None

    def attempt_started(self, attempt: RequestStarted) -> "AttemptSpan | None":
        """Start a span and add its context to the header fields."""
        return AttemptSpan(self, attempt) if is_http_instrumentation_enabled() else None

    def start(
        self, request: RequestStarted, *, began: int | None = None, parent: Context | None = None
    ) -> Span:
        """Start the span of a request, at the time `began` in nanoseconds."""
        return self._tracer.start_span(
            _name(request),
            kind=SpanKind.CLIENT,
            attributes=_of_request(request) | _of_span_only(request),
            start_time=began,
            context=parent,
        )

    def record(self, span: Span, seconds: float, attributes: Attributes) -> None:
        """Record the duration of a request; its span becomes the exemplar."""
        self._duration.record(seconds, attributes, trace.set_span_in_context(span))


class CallSpan:
    """Makes the span of a call that is refused before its first attempt."""

    __slots__ = ("_began", "_call", "_owner")

    def __init__(self, owner: OpenTelemetryInstrument, call: RequestStarted) -> None:
        self._owner = owner
        self._call = call
        self._began = time.time_ns()

    def ended(self, ending: RequestFinished) -> None:
        """Make the span of a refused call; attempts make their own spans."""
        if ending.attempts or ending.failure is None:
            return
        span = self._owner.start(self._call, began=self._began)
        _conclude(span, ending)
        span.end()


class AttemptSpan:
    """The spans of an attempt: one for each request that it sends.

    A span is the current one until the next redirect, or until the attempt ends. For a stream it
    stays open until the body ends.
    """

    __slots__ = (
        "_attempt",
        "_before",
        "_began",
        "_current",
        "_owner",
        "_parent",
        "_seconds",
        "_span",
    )

    def __init__(self, owner: OpenTelemetryInstrument, attempt: RequestStarted) -> None:
        self._owner = owner
        self._parent = context.get_current()
        self._before = 0.0  # the seconds of the redirects
        self._seconds = 0.0
        self._start(attempt)

    def _start(self, request: RequestStarted) -> None:
        self._attempt = request
        self._began = time.perf_counter()
        self._span = self._owner.start(request, parent=self._parent)
        self._current = ExitStack()
        try:
            propagate.inject(request.added, trace.set_span_in_context(self._span))
        except BaseException:  # nothing else would end the span
            self._span.end()
            raise
        self._current.enter_context(trace.use_span(self._span))
        self._current.enter_context(suppress_http_instrumentation())

    def redirected(self, answer: HttpResponse, hop: RequestStarted) -> None:
        """End the span of the request that was redirected, and start that of the next one."""
        seconds = time.perf_counter() - self._began
        self._before += seconds
        try:
            self._end(RequestFinished(seconds, 1, answer, timings=answer.timings), seconds)
        finally:
            self._current.close()
        self._start(hop)

    def ended(self, ending: RequestFinished) -> None:
        """End the span and record its duration; that of a stream goes on."""
        self._seconds = max(ending.seconds - self._before, 0.0)
        try:
            if not ending.streams:
                self._end(ending, self._seconds)
        finally:
            self._current.close()

    def body_ended(self, ending: RequestFinished) -> None:
        """End the span of a stream; its duration is the time up to the head."""
        self._end(ending, self._seconds)

    def _end(self, ending: RequestFinished, seconds: float) -> None:
        span = self._span
        try:
            result = _conclude(span, ending)
            scheme: Attributes = {"url.scheme": self._attempt.url.scheme}
            self._owner.record(span, seconds, _of_request(self._attempt) | scheme | result)
        finally:
            span.end()


def _name(request: RequestStarted) -> str:
    method = "HTTP" if _method(request) == "_OTHER" else request.method
    return f"{method} {request.url_template}" if request.url_template else method


def _method(request: RequestStarted) -> str:
    return request.method if request.method in _KNOWN_METHODS else "_OTHER"


def _of_request(request: RequestStarted) -> Attributes:
    attributes: Attributes = {
        "http.request.method": _method(request),
        "server.address": request.url.host or "",
        "server.port": request.url.port or 0,
    }
    if request.url_template:
        attributes["url.template"] = request.url_template
    return attributes


def _of_span_only(request: RequestStarted) -> Attributes:
    attributes: Attributes = {
        "url.full": request.shown_url,
        "railhttp.call_id": request.call_id,
    }
    if _method(request) != request.method:
        attributes["http.request.method_original"] = request.method
    if request.resends:
        attributes["http.request.resend_count"] = request.resends
    return attributes


def _conclude(span: Span, ending: RequestFinished) -> Attributes:
    """Set what is known at the end; return the part that belongs to the metrics too."""
    result: Attributes = {}
    if ending.answer is not None:
        result["http.response.status_code"] = ending.answer.status
        result["network.protocol.version"] = ending.answer.http_version
    if ending.error_type is not None:
        result["error.type"] = ending.error_type
        span.set_status(Status(StatusCode.ERROR))
    span.set_attributes(result)
    timed = ending.timings.timed()
    span.set_attributes({f"railhttp.timings.{phase}": value for phase, value in timed.items()})
    return result


_WAITS: Final[Mapping[Queue, str]] = {
    "pool": "Waits for a place in the connection pool.",
    "rate_limit": "Waits for the rate limit.",
    "bulkhead": "Waits for the bulkhead.",
}
_GAUGES: Final = {
    "pool.open": "Open connections, in use or idle.",
    "pool.idle": "Idle connections.",
    "pool.waiting": "Requests that wait for a connection.",
    "pool.limit": "The largest number of open connections.",
    "circuit.state": "0 is closed, 1 half-open, 2 open.",
    "store.up": "Whether each shared store can be used: 0 or 1.",
}
