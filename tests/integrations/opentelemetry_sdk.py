"""The real SDK of OpenTelemetry, which keeps what it exports in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from railhttp.integrations.opentelemetry import OpenTelemetryInstrument


class Sdk(NamedTuple):
    """An instrument with the providers and exporters that it is made for."""

    spans: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracer_provider: TracerProvider
    instrument: OpenTelemetryInstrument


@contextmanager
def sdk() -> Iterator[Sdk]:
    """Run the SDK for the length of a block."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider([reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    instrument = OpenTelemetryInstrument(
        tracer_provider=tracer_provider, meter_provider=meter_provider
    )
    yield Sdk(spans, reader, tracer_provider, instrument)
    tracer_provider.shutdown()
    meter_provider.shutdown()
