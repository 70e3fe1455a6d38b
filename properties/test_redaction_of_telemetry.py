"""Whatever a request holds and whatever becomes of it: no log, span, metric or event shows it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from properties.strategies import secrets

from railhttp.client.http_client import HTTPClient
from railhttp.integrations.opentelemetry import OpenTelemetryInstrument
from railhttp.model.context import RequestContext
from railhttp.model.events import HTTPEvent
from railhttp.model.observation import RequestStarted
from railhttp.model.response import HttpResponse
from railhttp.pipeline.interceptors.standard import BearerAuth, RequestInterceptor
from railhttp.protocols import InterceptorProtocol
from railhttp.testing import ManualClock, ScriptedRoute, ScriptedTransport

Play: TypeAlias = Callable[[ScriptedRoute, str], object]

plays: st.SearchStrategy[Play] = st.sampled_from(
    [
        lambda route, secret: route.reply(200, text=secret, headers={"Set-Cookie": secret}),
        lambda route, secret: route.reply(302, headers={"Location": f"/v2?next={secret}"}),
        lambda route, secret: route.reply(302, headers={"Location": f"ftp://{secret}@h/"}),
        lambda route, secret: route.reply(404, headers={"WWW-Authenticate": secret}, text=secret),
        lambda route, secret: route.fail(ConnectionResetError(secret)),
        lambda route, secret: route.fail(OSError(5, secret), at="body", after=secret.encode()),
        lambda route, secret: route.hang(),
    ]
)


class Leaky(RequestInterceptor):
    """Raises with all that it knows, in one direction or the other."""

    def __init__(self, on_request: bool) -> None:
        super().__init__()
        self._on_request = on_request

    async def prepare(self, context: RequestContext) -> None:
        if self._on_request:
            raise KeyError(context.url, context.headers)

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        raise KeyError(response.headers, response.text)


class LeakyInstrument:
    """Raises with the URL that it was trusted with."""

    def call_started(self, call: RequestStarted) -> None:
        raise ValueError(str(call.url))

    def attempt_started(self, attempt: RequestStarted) -> None:
        raise ValueError(str(attempt.url))


def leaky_observer(event: HTTPEvent) -> None:
    raise ValueError(event)


interceptors: st.SearchStrategy[list[InterceptorProtocol]] = st.sampled_from(
    [[], [Leaky(True)], [Leaky(False)]]
)


class Keeping(logging.Handler):
    """Keeps every record as text: what it says, and all that it has."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{self.format(record)} {vars(record)}")


@contextmanager
def logs() -> Iterator[list[str]]:
    logger, handler = logging.getLogger("railhttp"), Keeping()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield handler.kept
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


class Metrics:
    """Keeps what is recorded, as text."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def increment(self, name: str, value: float = 1.0, tags: object = None) -> None:
        self.kept.append(f"{name} {value} {tags}")

    def gauge(self, name: str, value: float, tags: object = None) -> None:
        self.kept.append(f"{name} {value} {tags}")

    def histogram(self, name: str, value: float, tags: object = None) -> None:
        self.kept.append(f"{name} {value} {tags}")


async def call(
    secret: str, play: Play, broken: list[InterceptorProtocol], instrument: OpenTelemetryInstrument
) -> list[str]:
    """Make a call that holds a secret wherever it can; gives its events and its metrics."""
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    play(script.on("POST", "/v1"), secret)
    script.on("GET", "/v2").reply()
    events: list[HTTPEvent] = []
    metrics = Metrics()
    async with HTTPClient(
        interceptors=[BearerAuth(secret), *broken],
        metrics=metrics,
        observers=[events.append, leaky_observer],
        instruments=[instrument, LeakyInstrument()],
        exchange=script,
        clock=clock,
    ) as client:
        await clock.run(
            client.post(
                f"https://ann:{secret}@api.example/v1?{secret}&token={secret}#{secret}",
                headers={"X-Api-Key": secret, "X-Other": secret},
                cookies={"session": secret},
                params={"q": secret},
                json={"password": secret},
            )
        )
    return [*map(repr, events), *metrics.kept]


@settings(max_examples=60)
@given(secret=secrets, play=plays, broken=interceptors)
def test_nothing_that_is_told_of_a_call_shows_its_secrets(
    secret: str, play: Play, broken: list[InterceptorProtocol]
) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider([reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    instrument = OpenTelemetryInstrument(
        tracer_provider=tracer_provider, meter_provider=meter_provider
    )
    with logs() as logged:
        told = asyncio.run(call(secret, play, broken, instrument))
    traced = [span.to_json() for span in spans.get_finished_spans()]
    measured = str(reader.get_metrics_data())
    tracer_provider.shutdown()
    meter_provider.shutdown()
    assert len(logged) >= 2
    assert len(told) >= 2
    for line in (*logged, *told, *traced, measured):
        assert secret not in line
