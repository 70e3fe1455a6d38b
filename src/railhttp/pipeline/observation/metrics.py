"""The documented metrics of a call, for any recorder."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final, assert_never

from typing_extensions import override

from railhttp.model.events import (
    CircuitChangedEvent,
    LayerEvent,
    Queue,
    RedirectEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
)
from railhttp.model.gauges import CircuitState, ClientGauges, GaugeSource, GaugeWatcherProtocol
from railhttp.model.observation import RequestFinished
from railhttp.model.response import HttpResponse
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.observation.instruments import MetricsRecorderProtocol
from railhttp.pipeline.observation.listeners import CallListener

DURATION: Final = "http.request.duration"
STATUS: Final = "http.request.status"
CIRCUIT_CHANGES: Final = "http.circuit.changes"
CIRCUIT_STATE: Final = "http.circuit.state"
BUDGET_EXHAUSTED: Final = "http.retry_budget.exhausted"
STORE_CHANGES: Final = "http.store.changes"
STORE_UP: Final = "http.store.up"
WAITS: Final[Mapping[Queue, str]] = {
    "pool": "http.pool.wait",
    "rate_limit": "http.rate_limit.wait",
    "bulkhead": "http.bulkhead.wait",
}
_GAUGE_SECONDS: Final = 0.1
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bucket bounds that OpenTelemetry's conventions recommend for durations, in seconds."""
CIRCUIT_STATES: Final[Mapping[CircuitState, int]] = {"closed": 0, "half_open": 1, "open": 2}
"""The value of the gauge for each state of a circuit."""


class CallMetrics(CallListener):
    """Records the calls of a client, the events of its layers and its gauges.

    `http.request.duration` is in seconds, with all attempts; `http.request.status` counts calls.
    Both have the same four tags, so that a recorder with fixed labels can take them: `method`,
    `host` (with its port unless it is the default), `status` (empty without a response) and `error`
    (`RequestFinished.error_type`, empty if nothing went wrong). A stream is recorded at the end of
    its body, with the seconds up to its head. docs/observability.md lists the other metrics.

    Gauges are set at the end of a call, at most ten times a second and after each event of a layer,
    unless the recorder collects them itself (`GaugeWatcherProtocol`).

    Example:
        >>> class Printing:
        ...     def increment(self, name, value=1.0, tags=None):
        ...         print(name, value, tags["status"])
        ...     def gauge(self, name, value, tags=None): ...
        ...     def histogram(self, name, value, tags=None):
        ...         print(name, value, tags["status"])
        >>> from railhttp.model.request import Request, SendOptions
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
        >>> call = HTTPCall(request, "http://h", SYSTEM_CLOCK, None, None)
        >>> CallMetrics(Printing()).call_answered(call, HttpResponse(200), 0.25)
        http.request.duration 0.25 200
        http.request.status 1.0 200
    """

    __slots__ = ("_due", "_now", "_recorder", "_source")

    def __init__(
        self, recorder: MetricsRecorderProtocol, now: Callable[[], float] = SYSTEM_CLOCK.monotonic
    ) -> None:
        self._recorder = recorder
        self._now = now
        self._due = -math.inf
        self._source: GaugeSource | None = None

    def watch(self, source: GaugeSource) -> None:
        """Record the gauges of a client."""
        if isinstance(self._recorder, GaugeWatcherProtocol):
            self._recorder.watch(source)
        else:
            self._source = source

    @override
    def call_answered(self, call: HTTPCall, answer: HttpResponse, seconds: float) -> None:
        """Record a call, unless its body is still to come."""
        if call.incoming is None:
            status = str(answer.status)
            self._record(call, status, status if answer.status >= 400 else "", seconds)

    @override
    def call_failed(self, call: HTTPCall, finished: RequestFinished) -> None:
        """Record a call without a response."""
        self._record(call, "", finished.error_type or "", finished.seconds)

    @override
    def body_ended(self, call: HTTPCall, finished: RequestFinished, until_head: float) -> None:
        """Record a stream."""
        status = "" if finished.status is None else str(finished.status)
        self._record(call, status, finished.error_type or "", until_head)

    @override
    def event_occurred(self, event: LayerEvent) -> None:
        """Record the event of a layer."""
        self._due = -math.inf  # the gauges have changed
        match event:
            case CircuitChangedEvent(name=name, before=before, after=after):
                tags = {"circuit": name, "before": before, "after": after}
                self._recorder.increment(CIRCUIT_CHANGES, 1.0, tags)
            case RetryBudgetExhaustedEvent(origin=origin):
                self._recorder.increment(BUDGET_EXHAUSTED, 1.0, {"origin": origin})
            case WaitEvent(queue=queue, seconds=seconds, admitted=admitted):
                tags = {"admitted": str(admitted).lower()}
                self._recorder.histogram(WAITS[queue], seconds, tags)
            case RedirectEvent():
                pass  # a part of its attempt
            case StoreDownEvent(store=store):
                self._recorder.increment(STORE_CHANGES, 1.0, {"store": store, "after": "down"})
            case StoreBackEvent(store=store):
                self._recorder.increment(STORE_CHANGES, 1.0, {"store": store, "after": "up"})
            case _:
                assert_never(event)

    def _record(self, call: HTTPCall, status: str, error: str, seconds: float) -> None:
        tags = {
            "method": call.method,
            "host": call.original.target.site.host,
            "status": status,
            "error": error,
        }
        try:
            self._recorder.histogram(DURATION, seconds, tags)
        finally:  # a call counts even if its time cannot be recorded
            self._recorder.increment(STATUS, 1.0, tags)
            if self._source is not None and self._now() >= self._due:
                self._set_gauges(self._source())

    def _set_gauges(self, gauges: ClientGauges | None) -> None:
        # Not for each call: a client may have as many circuits as hosts.
        self._due = self._now() + _GAUGE_SECONDS
        for gauge in () if gauges is None else readings(gauges):
            self._recorder.gauge(*gauge)


def readings(gauges: ClientGauges) -> Iterator[tuple[str, float, dict[str, str]]]:
    """Return the name, the value and the tags of each gauge."""
    client = {"client": gauges.client}
    pool = {} if gauges.pool is None else gauges.pool._asdict()
    for name, value in pool.items():
        yield f"http.pool.{name}", value, client
    for circuit, state in gauges.breakers.items():
        yield CIRCUIT_STATE, CIRCUIT_STATES[state], client | {"circuit": circuit}
    for store, is_up in gauges.stores.items():
        yield STORE_UP, float(is_up), client | {"store": store}
