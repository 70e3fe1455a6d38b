"""The metrics of a call: two of them, with the same tags."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import HTTPConnectionError
from railhttp.pipeline.observation.metrics import BUCKETS
from railhttp.protocols import MetricsRecorderProtocol
from railhttp.resilience import CircuitBreaker
from railhttp.testing import ManualClock, ScriptedRoute, ScriptedTransport

Tags = Mapping[str, str] | None


@dataclass
class Recorder:
    """Keeps what is recorded."""

    counters: list[tuple[str, float, Tags]] = field(default_factory=list)
    gauges: list[tuple[str, float, Tags]] = field(default_factory=list)
    histograms: list[tuple[str, float, Tags]] = field(default_factory=list)

    def increment(self, name: str, value: float = 1.0, tags: Tags = None) -> None:
        self.counters.append((name, value, tags))

    def gauge(self, name: str, value: float, tags: Tags = None) -> None:
        self.gauges.append((name, value, tags))

    def histogram(self, name: str, value: float, tags: Tags = None) -> None:
        self.histograms.append((name, value, tags))


@pytest.mark.parametrize(
    ("script", "seconds", "status", "error"),
    [
        (lambda route: route.reply(delay=2), 2.0, "200", ""),
        (lambda route: route.reply(404), 0.0, "404", "404"),
        (
            lambda route: route.fail(ConnectionResetError()),
            0.0,
            "",
            "HTTPConnectionError.disconnected",
        ),
        (lambda route: route.hang(), 30.0, "", "HTTPTimeoutError.total"),
    ],
)
async def test_each_call_is_measured_once(
    script: Callable[[ScriptedRoute], object], seconds: float, status: str, error: str
) -> None:
    recorder = Recorder()
    assert isinstance(recorder, MetricsRecorderProtocol)
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    script(transport.on("POST", "/v1"))
    async with HTTPClient(metrics=recorder, exchange=transport, clock=clock) as client:
        await clock.run(client.post("https://api.example/v1"))
    tags = {"method": "POST", "host": "api.example", "status": status, "error": error}
    assert recorder.histograms == [("http.request.duration", seconds, tags)]
    assert recorder.counters == [("http.request.status", 1.0, tags)]
    assert recorder.gauges == []


async def test_gauges_are_set_ten_times_a_second_at_most_and_at_once_after_an_event() -> None:
    """A client may have as many circuits as hosts."""
    recorder = Recorder()
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply(200).reply(200).reply(200).reply(503)
    breaker = CircuitBreaker(name="stock", failure_threshold=1, clock=clock)
    states = []
    async with HTTPClient(
        metrics=recorder, circuit_breaker=breaker, exchange=transport, clock=clock
    ) as client:
        for pause in (0.05, 0.06, 0.0, 0.0):
            await clock.run(client.get("https://api.example/v1", retries=0))
            states.append([value for _, value, _ in recorder.gauges])
            await clock.advance(pause)
    assert states == [[0.0], [0.0], [0.0, 0.0], [0.0, 0.0, 2.0]]


async def test_a_call_with_several_attempts_is_one_measurement() -> None:
    recorder = Recorder()
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply(503).reply(200)
    async with HTTPClient(metrics=recorder, exchange=transport, clock=clock) as client:
        await clock.run(client.get("https://api.example/v1"))
    assert [value for _, value, _ in recorder.histograms] == clock.slept
    assert len(recorder.counters) == 1


class WithoutHistograms(Recorder):
    """A recorder that cannot keep one of the two."""

    @override
    def histogram(self, name: str, value: float, tags: Tags = None) -> None:
        raise RuntimeError("no such instrument")


async def test_a_call_counts_also_where_its_time_cannot_be_recorded() -> None:
    recorder = WithoutHistograms()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    async with HTTPClient(metrics=recorder, exchange=transport) as client:
        (await client.get("https://api.example/v1")).unwrap()
    assert [name for name, _, _ in recorder.counters] == ["http.request.status"]


def test_the_buckets_are_those_of_the_conventions() -> None:
    """OpenTelemetry semantic conventions, metric `http.client.request.duration`."""
    convention = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10"
    assert [*map(float, convention.split())] == [*BUCKETS]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING"])
async def test_a_call_is_measured_whatever_is_logged(
    level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, "railhttp")
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(200)
    async with HTTPClient(metrics=recorder, exchange=transport) as client:
        (await client.get("https://api.example/v1")).unwrap()
    assert [name for name, *_ in recorder.histograms] == ["http.request.duration"]


async def test_a_stream_is_measured_at_its_end_by_the_time_of_its_head() -> None:
    """Its end depends on how fast the caller reads."""
    recorder = Recorder()
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply(200, body=b"ab", delay=2.0)

    async def read() -> None:
        await clock.sleep(7.0)
        async with (
            HTTPClient(metrics=recorder, exchange=transport, clock=clock) as client,
            client.stream("GET", "https://api.example/v1") as chunks,
        ):
            await clock.sleep(3.0)
            assert recorder.histograms == []
            assert [chunk async for chunk in chunks] == [b"ab"]

    await clock.run(read())
    assert [(name, value) for name, value, _ in recorder.histograms] == [
        ("http.request.duration", 2.0)
    ]


@pytest.mark.parametrize(
    ("script", "status", "error"),
    [
        (lambda route: route.reply(body=b"ab"), "200", ""),
        (lambda route: route.reply(404, body=b"ab"), "404", "404"),
        (
            lambda route: route.fail(ConnectionResetError(), at="body"),
            "200",
            "HTTPConnectionError.disconnected",
        ),
    ],
)
async def test_a_stream_is_measured_with_its_status_and_the_failure_of_its_body(
    script: Callable[[ScriptedRoute], object], status: str, error: str
) -> None:
    recorder, transport = Recorder(), ScriptedTransport()
    script(transport.on("GET", "/v1"))
    async with HTTPClient(metrics=recorder, exchange=transport) as client:
        with suppress(HTTPConnectionError):
            async with client.stream("GET", "https://api.example/v1") as chunks:
                async for _ in chunks:
                    pass
    tags = {"method": "GET", "host": "api.example", "status": status, "error": error}
    assert [(name, one) for name, _, one in recorder.histograms] == [
        ("http.request.duration", tags)
    ]
    assert recorder.counters == [("http.request.status", 1.0, tags)]


@pytest.mark.parametrize(("pause", "times"), [(0.0, 1), (0.09, 1), (0.1, 2), (0.2, 2)])
async def test_gauges_are_due_again_after_a_tenth_of_a_second(pause: float, times: int) -> None:
    recorder, clock = Recorder(), ManualClock()
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply(200)
    breaker = CircuitBreaker(name="stock", clock=clock)
    async with HTTPClient(
        metrics=recorder, circuit_breaker=breaker, exchange=transport, clock=clock
    ) as client:
        for _ in range(2):
            (await client.get("https://api.example/v1")).unwrap()
            await clock.advance(pause)
    assert len(recorder.gauges) == times
