"""Spans and metrics, made by the real SDK and exported into memory."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import Histogram
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from tests.integrations.opentelemetry_sdk import sdk
from tests.servers.echo import EchoServer

from railhttp.client.http_client import HTTPClient
from railhttp.integrations import opentelemetry as integration
from railhttp.integrations.opentelemetry import BUCKETS, OpenTelemetryInstrument
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState
from railhttp.protocols import IncomingResponse
from railhttp.testing import ManualClock, ScriptedRoute, ScriptedTransport

URL = "https://api.example/v1?token=s3cret"


@dataclass
class Telemetry:
    """The real SDK and everything that it has exported."""

    spans: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracer_provider: TracerProvider
    instrument: OpenTelemetryInstrument

    def finished(self) -> Sequence[ReadableSpan]:
        return self.spans.get_finished_spans()

    def points(self) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        [metric] = data.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        points = list(metric.data.data_points)
        assert all(isinstance(point, HistogramDataPoint) for point in points)
        return [point for point in points if isinstance(point, HistogramDataPoint)]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with sdk() as parts:
        yield Telemetry(*parts)


async def call(
    telemetry: Telemetry,
    script: Callable[[ScriptedRoute], object],
    method: str = "GET",
    url: str = URL,
) -> list[Mapping[str, str]]:
    """Make a call on a clock that moves as needed; return the requests that were sent."""
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    route = transport.on(method, "/v1")
    script(route)
    async with HTTPClient(
        instruments=[telemetry.instrument], exchange=transport, clock=clock
    ) as client:
        request = clock.run(client.request(method, url))
        await asyncio.gather(request, return_exceptions=True)
    return [sent.headers for sent in route.calls]


async def test_an_attempt_is_a_span_by_the_conventions(telemetry: Telemetry) -> None:
    await call(telemetry, lambda route: route.reply())
    [span] = telemetry.finished()
    assert (span.name, span.kind, span.status.status_code) == (
        *("GET", SpanKind.CLIENT),
        StatusCode.UNSET,
    )
    attributes = dict(span.attributes or {})
    assert len(str(attributes.pop("railhttp.call_id"))) == 32
    assert attributes == {
        "http.request.method": "GET",
        "server.address": "api.example",
        "server.port": 443,
        "url.full": "https://api.example/v1?token=***",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }


@pytest.mark.parametrize(
    ("script", "error_type"),
    [
        (lambda route: route.reply(404), "404"),
        (lambda route: route.reply(500), "500"),
        (
            lambda route: route.fail(ConnectionRefusedError(), at="connect"),
            "HTTPConnectionError.connect",
        ),
        (lambda route: route.hang(), "HTTPTimeoutError.total"),
    ],
)
async def test_what_goes_wrong_has_an_error_type(
    telemetry: Telemetry, script: Callable[[ScriptedRoute], object], error_type: str
) -> None:
    await call(telemetry, script, "POST")
    span = telemetry.finished()[-1]
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == error_type
    [*_, point] = telemetry.points()
    assert (point.attributes or {})["error.type"] == error_type


async def test_each_attempt_is_a_span_with_its_number_in_the_callers_trace(
    telemetry: Telemetry,
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("job") as job:
        await call(telemetry, lambda route: route.fail(ConnectionResetError()).reply())
        assert trace.get_current_span() is job
    first, second, _ = telemetry.finished()
    counts = [(span.attributes or {}).get("http.request.resend_count") for span in (first, second)]
    assert counts == [None, 1]
    assert {span.parent and span.parent.span_id for span in (first, second)} == {
        job.get_span_context().span_id
    }


async def test_the_context_of_each_attempt_is_sent_along(telemetry: Telemetry) -> None:
    headers = await call(telemetry, lambda route: route.reply(503).reply())
    spans = [span.context for span in telemetry.finished() if span.context is not None]
    assert [sent["traceparent"] for sent in headers] == [
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        for context in spans
    ]


async def test_each_attempt_is_a_point_of_the_histogram(telemetry: Telemetry) -> None:
    await call(telemetry, lambda route: route.reply(503).reply(delay=3))
    failed, succeeded = telemetry.points()
    assert dict(failed.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "api.example",
        "server.port": 443,
        "url.scheme": "https",
        "http.response.status_code": 503,
        "network.protocol.version": "1.1",
        "error.type": "503",
    }
    assert (succeeded.sum, succeeded.count) == (3, 1)
    assert tuple(succeeded.explicit_bounds) == BUCKETS


async def test_a_method_of_ones_own_does_not_blow_up_the_metrics(telemetry: Telemetry) -> None:
    await call(telemetry, lambda route: route.reply(), "BREW")
    [span] = telemetry.finished()
    assert span.name == "HTTP"
    assert (span.attributes or {})["http.request.method"] == "_OTHER"
    assert (span.attributes or {})["http.request.method_original"] == "BREW"
    [point] = telemetry.points()
    assert "BREW" not in str(point.attributes)


async def test_a_cancelled_attempt_ends_its_span(telemetry: Telemetry) -> None:
    transport = ScriptedTransport()
    transport.on("GET", "/v1").hang()
    async with HTTPClient(instruments=[telemetry.instrument], exchange=transport) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(URL), 0.01)
    [span] = telemetry.finished()
    assert (span.attributes or {})["error.type"] == "cancelled"


def fails(*_: object, **__: object) -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ((TraceContextTextMapPropagator, "inject"), "OpenTelemetryInstrument raised RuntimeError"),
        ((Histogram, "record"), "AttemptSpan raised RuntimeError"),
    ],
    ids=["the propagator", "the histogram"],
)
async def test_a_span_ends_and_is_current_no_more_whatever_of_the_sdk_fails(
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: tuple[type, str],
    complaint: str,
) -> None:
    monkeypatch.setattr(*broken, fails)
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    async with HTTPClient(instruments=[telemetry.instrument], exchange=transport) as client:
        (await client.get(URL)).unwrap()
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert len(telemetry.finished()) == 1
    assert caplog.messages == [complaint]


async def test_where_instrumentation_is_suppressed_there_is_no_span(telemetry: Telemetry) -> None:
    with suppress_instrumentation():
        [headers] = await call(telemetry, lambda route: route.reply())
    assert telemetry.finished() == ()
    assert "traceparent" not in headers


@pytest.fixture
def aiohttp_instrumented(telemetry: Telemetry) -> Iterator[None]:
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    yield
    instrumentor.uninstrument()


@pytest.mark.usefixtures("aiohttp_instrumented")
async def test_there_are_no_double_spans_where_aiohttp_is_instrumented_too(
    telemetry: Telemetry, echo: EchoServer
) -> None:
    async with ClientSession() as session, session.get(echo.url()):
        assert len(telemetry.finished()) == 1  # proves that the other instrumentation is active
    async with HTTPClient() as client:
        (await client.get(echo.url())).unwrap()
    assert len(telemetry.finished()) == 1  # it sees only requests made by `ClientSession`
    async with HTTPClient(instruments=[telemetry.instrument]) as client:
        (await client.get(echo.url())).unwrap()
    [_, ours] = telemetry.finished()
    assert ours.instrumentation_scope is not None
    assert ours.instrumentation_scope.name == "railhttp"


class OverAiohttp:
    """A custom exchange that uses an instrumented library."""

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        async with ClientSession() as session, session.get(request.url) as answer:
            return HttpResponse(answer.status)

    async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        raise NotImplementedError


@pytest.mark.usefixtures("aiohttp_instrumented")
async def test_what_is_instrumented_below_an_attempt_is_silent(
    telemetry: Telemetry, echo: EchoServer
) -> None:
    async with HTTPClient(exchange=OverAiohttp(), instruments=[telemetry.instrument]) as client:
        (await client.get(echo.url())).unwrap()
    [span] = telemetry.finished()
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "railhttp"


async def test_parallel_calls_keep_their_spans_apart(telemetry: Telemetry) -> None:
    transport = ScriptedTransport()
    route = transport.on("GET", "/*").reply(delay=0.001)
    async with HTTPClient(instruments=[telemetry.instrument], exchange=transport) as client:
        urls = [f"https://api.example/{number}" for number in range(20)]
        await asyncio.gather(*map(client.get, urls))
    spans = telemetry.finished()
    ids = {span.context.span_id: span.attributes for span in spans if span.context}
    assert len(ids) == 20
    assert all(span.parent is None for span in spans)
    for sent in route.calls:
        span_id = int(sent.headers["traceparent"].split("-")[2], 16)
        assert (ids[span_id] or {})["url.full"] == sent.url


async def test_it_works_without_the_package_that_silences_others(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.utils", None)
    try:
        alone = importlib.reload(integration).OpenTelemetryInstrument(
            tracer_provider=telemetry.tracer_provider
        )
        transport = ScriptedTransport()
        transport.on("GET", "/v1").reply()
        async with HTTPClient(instruments=[alone], exchange=transport) as client:
            (await client.get(URL)).unwrap()
        assert len(telemetry.finished()) == 1
    finally:
        monkeypatch.undo()
        importlib.reload(integration)
