"""Each metric as its reader sees it, and the durations of an attempt with redirects."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AttributeValue
from tests.integrations.opentelemetry_sdk import sdk
from yarl import URL

from railhttp import HTTPCircuitOpenError, HttpResponse
from railhttp.events import (
    CircuitChangedEvent,
    RedirectEvent,
    RequestFinished,
    RequestStarted,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
)
from railhttp.integrations import opentelemetry as integration
from railhttp.integrations.opentelemetry import BUCKETS, OpenTelemetryInstrument
from railhttp.model.gauges import ClientGauges, PoolGauges
from railhttp.model.request import Request, SendOptions
from railhttp.version import __version__

SCHEMA: Final = "https://opentelemetry.io/schemas/1.23.1"


@dataclass(frozen=True)
class Measured:
    """The points of one metric, by their attributes: values, or sums of histograms."""

    unit: str
    description: str
    values: list[tuple[dict[str, AttributeValue], float]]
    bounds: tuple[float, ...]


@dataclass
class Telemetry:
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    instrument: OpenTelemetryInstrument

    def metrics(self) -> Mapping[str, Measured]:
        data = self.reader.get_metrics_data()
        found = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                assert scope.scope.name == "railhttp"
                assert (scope.scope.version, scope.scope.schema_url) == (__version__, SCHEMA)
                for metric in scope.metrics:
                    values, bounds = [], tuple[float, ...]()
                    for point in metric.data.data_points:
                        attributes = dict(point.attributes or {})
                        if isinstance(point, HistogramDataPoint):
                            values.append((attributes, point.sum))
                            bounds = tuple(point.explicit_bounds)
                        elif isinstance(point, NumberDataPoint):
                            values.append((attributes, point.value))
                    found[metric.name] = Measured(
                        metric.unit or "", metric.description or "", values, bounds
                    )
        return found


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with sdk() as parts:
        yield Telemetry(parts.spans, parts.reader, parts.instrument)


def request(url: str = "https://api.example/v1", template: str = "") -> RequestStarted:
    options = SendOptions(url_template=template)
    return RequestStarted(Request("GET", URL(url), None, None, None, options))


EVENTS: Final = (
    CircuitChangedEvent(name="stock", before="closed", after="open"),
    CircuitChangedEvent(name="stock", before="closed", after="open"),
    RetryBudgetExhaustedEvent(origin="https://api.example"),
    WaitEvent(queue="pool", seconds=0.5, admitted=True, method="GET", url="/"),
    WaitEvent(queue="rate_limit", seconds=2, admitted=False, method="GET", url="/"),
    WaitEvent(queue="bulkhead", seconds=3, admitted=True, method="GET", url="/"),
    RedirectEvent(url="/", method="GET", status_code=302, target="/"),
    StoreDownEvent(store="shop", problem="TimeoutError", when_down="local"),
    StoreBackEvent(store="shop", seconds=2),
)


def test_every_event_is_measured(telemetry: Telemetry) -> None:
    for event in EVENTS:
        telemetry.instrument.event_occurred(event)
    metrics = telemetry.metrics()
    assert {name: one.values for name, one in metrics.items()} == {
        "railhttp.circuit.changes": [
            ({"railhttp.circuit": "stock", "before": "closed", "after": "open"}, 2)
        ],
        "railhttp.retry_budget.exhausted": [({"railhttp.origin": "https://api.example"}, 1)],
        "railhttp.pool.wait": [({"railhttp.admitted": True}, 0.5)],
        "railhttp.rate_limit.wait": [({"railhttp.admitted": False}, 2)],
        "railhttp.bulkhead.wait": [({"railhttp.admitted": True}, 3)],
        "railhttp.store.changes": [
            ({"railhttp.store": "shop", "after": "down"}, 1),
            ({"railhttp.store": "shop", "after": "up"}, 1),
        ],
    }
    waits = [one for name, one in metrics.items() if name.endswith(".wait")]
    assert {(one.unit, one.bounds) for one in waits} == {("s", BUCKETS)}
    assert all(one.description for one in metrics.values())


def test_every_gauge_is_observed_with_its_client(telemetry: Telemetry) -> None:
    def started() -> ClientGauges:
        pool = PoolGauges(open=3, idle=1, waiting=2, limit=10)
        return ClientGauges("shop", pool, {"stock": "half_open"}, {"cache": True, "other": False})

    def not_started() -> None:
        return None

    telemetry.instrument.watch(started)
    telemetry.instrument.watch(not_started)
    metrics = telemetry.metrics()
    client = {"railhttp.client": "shop"}
    assert {name: one.values for name, one in metrics.items()} == {
        "railhttp.pool.open": [(client, 3)],
        "railhttp.pool.idle": [(client, 1)],
        "railhttp.pool.waiting": [(client, 2)],
        "railhttp.pool.limit": [(client, 10)],
        "railhttp.circuit.state": [(client | {"railhttp.circuit": "stock"}, 1)],
        "railhttp.store.up": [
            (client | {"railhttp.store": "cache"}, 1),
            (client | {"railhttp.store": "other"}, 0),
        ],
    }
    assert all(one.description for one in metrics.values())


class Seconds:
    """A clock in place of the module `time`."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    seconds = Seconds()
    monkeypatch.setattr(integration, "time", seconds)
    return seconds


def test_the_duration_of_an_attempt_is_divided_among_its_redirects(
    telemetry: Telemetry, clock: Seconds
) -> None:
    span = telemetry.instrument.attempt_started(request("https://a.example/", "/{x}"))
    assert span is not None
    for seconds, status in ((1, 301), (2, 302)):
        clock.now += seconds
        span.redirected(HttpResponse(status), request("http://b.example:8080/"))
    span.ended(RequestFinished(7, 1, HttpResponse(200)))
    duration = telemetry.metrics()["http.client.request.duration"]
    assert (duration.unit, duration.bounds, bool(duration.description)) == ("s", BUCKETS, True)
    ends = [
        (one["url.scheme"], one["server.port"], one.get("url.template"), value)
        for one, value in duration.values
    ]
    assert ends == [("https", 443, "/{x}", 1), ("http", 8080, None, 2), ("http", 8080, None, 4)]


def test_a_duration_is_never_negative(telemetry: Telemetry, clock: Seconds) -> None:
    span = telemetry.instrument.attempt_started(request())
    assert span is not None
    clock.now += 5
    span.redirected(HttpResponse(302), request())
    span.ended(RequestFinished(4, 1, HttpResponse(200)))  # measured by another clock
    values = telemetry.metrics()["http.client.request.duration"].values
    assert [value for _, value in values] == [5, 0]


def test_the_duration_of_a_stream_is_that_of_its_head(telemetry: Telemetry) -> None:
    span = telemetry.instrument.attempt_started(request())
    assert span is not None
    span.ended(RequestFinished(2, 1, HttpResponse(200), streams=True))
    assert telemetry.exporter.get_finished_spans() == ()
    span.body_ended(RequestFinished(60, 1, HttpResponse(200)))
    [(_, seconds)] = telemetry.metrics()["http.client.request.duration"].values
    assert seconds == 2
    assert len(telemetry.exporter.get_finished_spans()) == 1


def test_the_span_of_a_refused_call_is_as_long_as_the_call(
    telemetry: Telemetry, clock: Seconds
) -> None:
    refused = telemetry.instrument.call_started(request())
    assert refused is not None
    failure = HTTPCircuitOpenError(name="stock", method="GET", url="/")
    refused.ended(RequestFinished(0.1, 0, failure=failure))
    [span] = telemetry.exporter.get_finished_spans()
    assert span.start_time == clock.time_ns()
    assert (span.end_time or 0) > time.time_ns() - 10**11


@pytest.mark.parametrize(
    "ending",
    [
        RequestFinished(1, 1, failure=HTTPCircuitOpenError(name="a", method="GET", url="/")),
        RequestFinished(1, 0),
        RequestFinished(1, 0, HttpResponse(200)),
    ],
    ids=["it had an attempt", "it was cancelled", "a cache responded"],
)
def test_other_calls_have_no_span_of_their_own(
    telemetry: Telemetry, ending: RequestFinished
) -> None:
    call = telemetry.instrument.call_started(request())
    assert call is not None
    call.ended(ending)
    assert telemetry.exporter.get_finished_spans() == ()


def test_a_span_has_the_scope_and_the_schema_of_the_package(telemetry: Telemetry) -> None:
    attempt = telemetry.instrument.attempt_started(request())
    assert attempt is not None
    attempt.ended(RequestFinished(1, 1, HttpResponse(200)))
    [span] = telemetry.exporter.get_finished_spans()
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version, scope.schema_url) == ("railhttp", __version__, SCHEMA)


@pytest.mark.parametrize(
    "method",
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"],
)
def test_methods_of_the_conventions_keep_their_names(telemetry: Telemetry, method: str) -> None:
    started = RequestStarted(Request(method, URL("http://h/"), None, None, None, SendOptions()))
    attempt = telemetry.instrument.attempt_started(started)
    assert attempt is not None
    attempt.ended(RequestFinished(1, 1, HttpResponse(200)))
    [span] = telemetry.exporter.get_finished_spans()
    attributes = span.attributes or {}
    assert (span.name, attributes["http.request.method"]) == (method, method)
    assert "http.request.method_original" not in attributes


def test_the_span_of_an_attempt_is_the_exemplar_of_its_duration(telemetry: Telemetry) -> None:
    attempt = telemetry.instrument.attempt_started(request())
    assert attempt is not None
    attempt.ended(RequestFinished(1, 1, HttpResponse(200)))
    [span] = telemetry.exporter.get_finished_spans()
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    [point] = metric.data.data_points
    [exemplar] = point.exemplars
    assert span.context is not None
    assert exemplar.span_id == span.context.span_id
    assert exemplar.trace_id == span.context.trace_id


def test_a_refused_call_has_the_attributes_of_an_attempt(telemetry: Telemetry) -> None:
    call = telemetry.instrument.call_started(request(template="/{x}"))
    assert call is not None
    failure = HTTPCircuitOpenError(name="stock", method="GET", url="/")
    call.ended(RequestFinished(0.1, 0, failure=failure))
    [span] = telemetry.exporter.get_finished_spans()
    attributes = dict(span.attributes or {})
    assert (span.name, attributes) == (
        "GET /{x}",
        {
            "http.request.method": "GET",
            "server.address": "api.example",
            "server.port": 443,
            "url.template": "/{x}",
            "url.full": "https://api.example/v1",
            "railhttp.call_id": "",
            "error.type": "HTTPCircuitOpenError",
        },
    )


def test_each_span_of_an_attempt_has_the_parent_of_the_first(telemetry: Telemetry) -> None:
    attempt = telemetry.instrument.attempt_started(request())
    assert attempt is not None
    attempt.redirected(HttpResponse(302), request())
    attempt.ended(RequestFinished(1, 1, HttpResponse(200)))
    spans = telemetry.exporter.get_finished_spans()
    assert [span.parent for span in spans] == [None, None]
    assert all((span.end_time or 0) >= (span.start_time or 0) > 0 for span in spans)
