"""Spans and metrics for operators: redirects, refusals, streams, phases, templates and gauges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue
from tests.integrations.opentelemetry_sdk import sdk
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer

from railhttp import HTTPCircuitOpenError, HTTPClient, HTTPClientConfig, HTTPError
from railhttp.endpoints import Service, get
from railhttp.integrations.opentelemetry import OpenTelemetryInstrument
from railhttp.railway import run
from railhttp.resilience import CircuitBreaker, RetryPolicy
from railhttp.testing import ScriptedTransport


@dataclass
class Telemetry:
    """The real SDK and everything that it has exported."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    instrument: OpenTelemetryInstrument

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def attributes(self) -> list[Mapping[str, AttributeValue]]:
        return [span.attributes or {} for span in self.spans]

    def numbers(self) -> dict[str, list[float]]:
        data = self.reader.get_metrics_data()
        return {
            metric.name: [
                point.value
                for point in metric.data.data_points
                if isinstance(point, NumberDataPoint)
            ]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with sdk() as parts:
        yield Telemetry(parts.spans, parts.reader, parts.instrument)


async def test_each_redirect_is_a_span_whose_context_is_sent_on(
    telemetry: Telemetry, faults: FaultServer
) -> None:
    async with HTTPClient(instruments=[telemetry.instrument]) as client:
        await client.request("GET", faults.url("/redirect-to", url="/ok"))
    first, second = telemetry.attributes()
    assert [one["http.response.status_code"] for one in (first, second)] == [302, 200]
    assert (first.get("http.request.resend_count"), second["http.request.resend_count"]) == (
        None,
        1,
    )
    assert first["railhttp.call_id"] == second["railhttp.call_id"]
    assert str(second["url.full"]).endswith("/ok")
    ids = [span.context.span_id for span in telemetry.spans if span.context]
    sent = [request.header("traceparent").split("-")[2] for request in faults.received]
    assert sent == [f"{span_id:016x}" for span_id in ids]
    assert all(span.parent is None for span in telemetry.spans)
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_retries_and_redirects_are_counted_together(
    telemetry: Telemetry, faults: FaultServer
) -> None:
    policy = RetryPolicy(2, base_delay=0, reraise=True)
    async with HTTPClient(instruments=[telemetry.instrument], retry_policy=policy) as client:
        with pytest.raises(HTTPError):
            await client.request("GET", faults.url("/redirect-to", url="/reset-before-head"))
    counts = [one.get("http.request.resend_count") for one in telemetry.attributes()]
    assert counts == [None, 1, 2, 3]


async def test_a_refused_call_is_a_span(telemetry: Telemetry) -> None:
    breaker = CircuitBreaker(name="stock")
    await breaker.force_open()
    async with HTTPClient(
        instruments=[telemetry.instrument], circuit_breaker=breaker, exchange=ScriptedTransport()
    ) as client:
        with pytest.raises(HTTPCircuitOpenError):
            await client.get("https://api.example:8443/v1")
    [span] = telemetry.spans
    [attributes] = telemetry.attributes()
    assert (span.name, span.kind) == ("GET", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.ERROR
    assert attributes["error.type"] == "HTTPCircuitOpenError"
    assert (attributes["server.address"], attributes["server.port"]) == ("api.example", 8443)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [("/ok", StatusCode.UNSET, None), ("/short-body", StatusCode.ERROR, "HTTPConnectionError.")],
)
async def test_the_span_of_a_stream_ends_with_its_body(
    telemetry: Telemetry, faults: FaultServer, path: str, status: StatusCode, error: str | None
) -> None:
    async with (
        HTTPClient(instruments=[telemetry.instrument]) as client,
        client.stream("GET", faults.url(path)) as stream,
    ):
        assert [span.name for span in telemetry.spans] == []
        assert trace.get_current_span() is trace.INVALID_SPAN
        try:
            async for _ in stream:
                pass
        except HTTPError:
            assert error
    [span] = telemetry.spans
    [attributes] = telemetry.attributes()
    assert span.status.status_code is status
    assert str(attributes.get("error.type", "")).startswith(error or "")
    assert attributes["http.response.status_code"] == 200
    assert "railhttp.timings.body" in attributes


async def test_a_head_that_is_retried_ends_its_span(telemetry: Telemetry, echo: EchoServer) -> None:
    policy = RetryPolicy(2, base_delay=0)
    async with (
        HTTPClient(instruments=[telemetry.instrument], retry_policy=policy) as client,
        client.stream("GET", echo.url("/status/503")) as stream,
    ):
        assert len(telemetry.spans) == 1
        assert stream.status == 503
    assert len(telemetry.spans) == 2


async def test_phases_are_attributes(telemetry: Telemetry, faults: FaultServer) -> None:
    async with HTTPClient(instruments=[telemetry.instrument]) as client:
        response = await client.request("GET", faults.url())
    [attributes] = telemetry.attributes()
    phases = {
        name.removeprefix("railhttp.timings."): value
        for name, value in attributes.items()
        if name.startswith("railhttp.timings.")
    }
    assert phases == response.timings.timed()
    assert {"tcp", "send", "wait"} <= phases.keys()


@dataclass(frozen=True)
class UserId:
    user_id: int


class Users(Service):
    find = get("/users/{user_id}", UserId).gives(dict[str, int])


async def test_the_template_of_an_endpoint_names_its_span(telemetry: Telemetry) -> None:
    transport = ScriptedTransport()
    transport.on("GET", "/users/7").reply(json={"id": 7})
    async with HTTPClient(instruments=[telemetry.instrument], exchange=transport) as client:
        users = Users(client, base_url="https://api.example")
        (await users.find(7)).unwrap()
        await client.get("https://api.example/users/7", url_template="/users/{id}")
    assert [span.name for span in telemetry.spans] == ["GET /users/{user_id}", "GET /users/{id}"]
    assert [one["url.template"] for one in telemetry.attributes()] == [
        *("/users/{user_id}", "/users/{id}")
    ]


async def test_the_template_of_an_endpoint_names_the_spans_of_its_pages(
    telemetry: Telemetry,
) -> None:
    transport = ScriptedTransport()
    transport.on("GET", "/users/*").reply(json={"next": 8}).reply(json={})
    async with HTTPClient(instruments=[telemetry.instrument], exchange=transport) as client:
        paged = Users(client, base_url="https://api.example").find.paged(
            by=lambda page: {"user_id": page["next"]} if page else None
        )
        assert (await run(paged(user_id=7).collect(limit=3))).unwrap() == ({"next": 8}, {})
    assert [span.name for span in telemetry.spans] == ["GET /users/{user_id}"] * 2


async def test_gauges_and_counters_are_exported_while_the_client_is_started(
    telemetry: Telemetry, faults: FaultServer
) -> None:
    config = HTTPClientConfig(total=True)
    breaker = CircuitBreaker(1, name="stock")
    async with HTTPClient(
        config,
        instruments=[telemetry.instrument],
        circuit_breaker=breaker,
        retry_policy=RetryPolicy(1),
    ) as client:
        await client.get(faults.url())
        await client.get(faults.url("/reset-before-head"))
        numbers = telemetry.numbers()
    assert numbers["railhttp.pool.limit"] == [10]
    assert numbers["railhttp.pool.waiting"] == [0]
    assert numbers["railhttp.pool.open"] == numbers["railhttp.pool.idle"]
    assert numbers["railhttp.circuit.state"] == [2]
    assert numbers["railhttp.circuit.changes"] == [1]
    assert "railhttp.pool.open" not in telemetry.numbers()
