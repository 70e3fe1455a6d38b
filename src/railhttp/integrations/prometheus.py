"""Metrics for Prometheus, with prometheus-client; needs the extra `prometheus`.

    client = HTTPClient(metrics=PrometheusRecorder())

A metric of docs/observability.md such as `http.pool.wait` becomes `railhttp_pool_wait_seconds`. The
gauges of the pool, the circuits and the shared stores are read whenever Prometheus collects them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from railhttp.events import GaugeSource
from railhttp.extra import provided_by
from railhttp.pipeline.observation.metrics import BUCKETS, CIRCUIT_STATE, STORE_UP, readings

with provided_by("railhttp[prometheus]"):
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

M = TypeVar("M", Counter, Gauge, Histogram)

_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_]")
_HELP: Final = {
    "request_duration_seconds": "Duration of calls, with all attempts and delays.",
    "request_status": "Calls by status and error.",
    "circuit_changes": "Changes of the state of circuit breakers.",
    "circuit_state": "State of each circuit: 0 is closed, 1 half-open, 2 open.",
    "retry_budget_exhausted": "How often a retry budget was used up.",
    "store_changes": "Outages of shared stores, and their ends.",
    "store_up": "Whether each shared store can be used: 0 or 1.",
    "pool_open": "Open connections, in use or idle.",
    "pool_idle": "Idle connections.",
    "pool_waiting": "Requests that wait for a connection.",
    "pool_limit": "The largest number of open connections.",
    "pool_wait_seconds": "Waits for a place in the connection pool.",
    "rate_limit_wait_seconds": "Waits for the rate limit.",
    "bulkhead_wait_seconds": "Waits for the bulkhead.",
}


class PrometheusRecorder:
    """A recorder for the `metrics` of clients; several may share a registry.

    Args:
        registry: The registry that the metrics are added to.
        namespace: The first word of each name.
        buckets: The bucket bounds of all histograms, in seconds. Recorders that share a registry
            and a namespace share the buckets of the first one.

    Example:
        >>> from prometheus_client import CollectorRegistry, generate_latest
        >>> from railhttp import HTTPClient
        >>> registry = CollectorRegistry()
        >>> client = HTTPClient(metrics=PrometheusRecorder(registry=registry))
        >>> generate_latest(registry).decode().count("# TYPE railhttp_pool_")
        4
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry = REGISTRY,
        namespace: str = "railhttp",
        buckets: Sequence[float] = BUCKETS,
    ) -> None:
        known = _KNOWN.setdefault(registry, {})
        if namespace not in known:
            known[namespace] = _Metrics(registry, namespace, tuple(buckets))
            registry.register(_Gauges(namespace, known[namespace].sources))
        self._metrics = known[namespace]

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""
        metrics, labels = self._metrics, tags or {}
        metrics.of(Counter, metrics.counters, _short(name), labels).inc(value)

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Set a gauge."""
        metrics, labels = self._metrics, tags or {}
        metrics.of(Gauge, metrics.gauges, _short(name), labels).set(value)

    def histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Add a duration in seconds to a histogram."""
        metrics, labels = self._metrics, tags or {}
        short = f"{_short(name)}_seconds"
        metrics.of(metrics.new_histogram, metrics.histograms, short, labels).observe(value)

    def watch(self, source: GaugeSource) -> None:
        """Collect the gauges of a client, as long as it exists."""
        self._metrics.sources.add(source)


@dataclass(frozen=True, slots=True)
class _Metrics:
    """The metrics of a namespace in a registry, which refuses to have one of them twice."""

    registry: CollectorRegistry
    namespace: str
    buckets: tuple[float, ...]
    sources: WeakSet[GaugeSource] = field(default_factory=WeakSet)
    counters: dict[str, Counter] = field(default_factory=dict)
    gauges: dict[str, Gauge] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)

    def new_histogram(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str],
        *,
        namespace: str,
        registry: CollectorRegistry,
    ) -> Histogram:
        return Histogram(
            name,
            documentation,
            labelnames,
            namespace=namespace,
            registry=registry,
            buckets=self.buckets,
        )

    def of(
        self,
        make: Callable[..., M],
        known: dict[str, M],
        name: str,
        labels: Mapping[str, str],
    ) -> M:
        metric = known.get(name)
        if metric is None:
            description, names = _HELP.get(name, name), tuple(labels)
            metric = known[name] = make(
                name, description, names, namespace=self.namespace, registry=self.registry
            )
        return metric.labels(**labels) if labels else metric


class _Gauges(Collector):
    """Collects the gauges of all clients; those with the same labels are added up.

    Of circuits or stores with the same labels, the worst state counts.
    """

    def __init__(self, namespace: str, sources: WeakSet[GaugeSource]) -> None:
        self._namespace = namespace
        self._sources = sources

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges without values."""
        return self._families().values()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges at this moment."""
        values: dict[tuple[str, tuple[str, ...]], float] = {}
        for source in tuple(self._sources):
            gauges = source()
            for name, value, tags in () if gauges is None else readings(gauges):
                key = _short(name), tuple(tags.values())
                before = values.get(key)
                values[key] = value if before is None else _combined(name, before, value)
        families = self._families()
        for (name, labels), value in values.items():
            families[name].add_metric(labels, value)
        return families.values()

    def _families(self) -> dict[str, GaugeMetricFamily]:
        return {
            name: GaugeMetricFamily(f"{self._namespace}_{name}", _HELP[name], labels=labels)
            for name, labels in _GAUGE_LABELS.items()
        }


_GAUGE_LABELS: Final = {
    "pool_open": ("client",),
    "pool_idle": ("client",),
    "pool_waiting": ("client",),
    "pool_limit": ("client",),
    "circuit_state": ("client", "circuit"),
    "store_up": ("client", "store"),
}
_KNOWN: Final[WeakKeyDictionary[CollectorRegistry, dict[str, _Metrics]]] = WeakKeyDictionary()


def _combined(name: str, one: float, other: float) -> float:
    """Combine the values that two clients have for one gauge."""
    if name == CIRCUIT_STATE:
        return max(one, other)
    return min(one, other) if name == STORE_UP else one + other


def _short(name: str) -> str:
    return _UNFIT.sub("_", name.removeprefix("http."))
