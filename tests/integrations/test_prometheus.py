"""Metrics as Prometheus scrapes them, made by the real library."""

import asyncio
import gc
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.servers.faults import FaultServer

from railhttp import ConnectionPoolConfig, HTTPClient, HTTPClientConfig
from railhttp.events import (
    CircuitChangedEvent,
    RetryBudgetExhaustedEvent,
    StoreDownEvent,
    WaitEvent,
)
from railhttp.integrations.prometheus import PrometheusRecorder
from railhttp.model.events import LayerEvent, Queue
from railhttp.model.gauges import ClientGauges, PoolGauges
from railhttp.pipeline.observation.metrics import CallMetrics
from railhttp.protocols import MetricsRecorderProtocol
from railhttp.resilience import CircuitBreaker, RetryPolicy


def scraped(registry: CollectorRegistry) -> dict[str, dict[tuple[str, ...], float]]:
    """Scrape a registry: the samples by name and by the values of their labels."""
    samples: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            samples.setdefault(sample.name, {})[labels] = sample.value
    return samples


async def test_calls_waits_circuits_and_the_pool_are_scraped(faults: FaultServer) -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)
    assert isinstance(recorder, MetricsRecorderProtocol)
    async with HTTPClient(
        HTTPClientConfig(ConnectionPoolConfig(max_connections=1), total=True),
        metrics=recorder,
        circuit_breaker=CircuitBreaker(1, name="stock"),
        retry_policy=RetryPolicy(1),
        service_name="shop",
    ) as client:
        slow = faults.url("/slow-head", seconds=0.02)
        await asyncio.gather(client.get(slow), client.get(slow))
        between = scraped(registry)
        await client.get(faults.url("/reset-before-head"))
        samples = scraped(registry)
    host = faults.url().split("/")[2]
    assert samples["railhttp_request_status_total"] == {
        ("", host, "GET", "200"): 2,
        ("HTTPConnectionError.disconnected", host, "GET", ""): 1,
    }
    assert samples["railhttp_request_duration_seconds_count"]["", host, "GET", "200"] == 2
    assert samples["railhttp_pool_wait_seconds_count"] == {("true",): 1}
    assert samples["railhttp_circuit_changes_total"] == {("open", "closed", "stock"): 1}
    assert samples["railhttp_circuit_state"] == {("stock", "shop"): 2}
    assert between["railhttp_circuit_state"] == {("stock", "shop"): 0}
    pool = {name: between[f"railhttp_pool_{name}"] for name in ("open", "idle", "waiting", "limit")}
    assert pool == {
        "open": {("shop",): 1},
        "idle": {("shop",): 1},
        "waiting": {("shop",): 0},
        "limit": {("shop",): 1},
    }


async def test_clients_share_a_registry_and_their_pools_are_added_up() -> None:
    registry = CollectorRegistry()
    async with (
        HTTPClient(metrics=PrometheusRecorder(registry=registry)),
        HTTPClient(metrics=PrometheusRecorder(registry=registry)),
    ):
        assert scraped(registry)["railhttp_pool_limit"] == {("",): 20}
    assert "railhttp_pool_limit" not in scraped(registry)


async def test_a_client_that_is_gone_is_not_kept() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)
    client = HTTPClient(metrics=recorder)
    assert len(recorder._metrics.sources) == 1
    del client
    gc.collect()
    assert len(recorder._metrics.sources) == 0


def test_any_recorder_metric_has_its_place() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry, namespace="shop", buckets=(1, 2))
    recorder.gauge("my-gauge", 3)
    recorder.increment("http.things", 2, {"kind": "a"})
    recorder.histogram("http.work", 1.5)
    samples = scraped(registry)
    assert samples["shop_my_gauge"] == {(): 3}
    assert samples["shop_things_total"] == {("a",): 2}
    assert samples["shop_work_seconds_bucket"] == {("1.0",): 0, ("2.0",): 1, ("+Inf",): 1}


def test_other_tags_for_the_same_metric_are_refused() -> None:
    recorder = PrometheusRecorder(registry=CollectorRegistry())
    recorder.increment("things", tags={"kind": "a"})
    with pytest.raises(ValueError, match="label"):
        recorder.increment("things", tags={"other": "a"})


SHOP = ClientGauges(
    "shop",
    PoolGauges(open=3, idle=1, waiting=2, limit=10),
    {"stock": "half_open"},
    {"cache": True, "other": False},
)


def test_every_gauge_is_scraped_with_its_client() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)

    def started() -> ClientGauges:
        return SHOP

    recorder.watch(started)
    assert scraped(registry) == {
        "railhttp_pool_open": {("shop",): 3},
        "railhttp_pool_idle": {("shop",): 1},
        "railhttp_pool_waiting": {("shop",): 2},
        "railhttp_pool_limit": {("shop",): 10},
        "railhttp_circuit_state": {("stock", "shop"): 1},
        "railhttp_store_up": {("shop", "cache"): 1, ("shop", "other"): 0},
    }


def test_the_labels_of_gauges_are_the_client_and_what_it_has() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)

    def started() -> ClientGauges:
        return SHOP

    recorder.watch(started)
    text = generate_latest(registry).decode()
    labels = {
        sample.name.removeprefix("railhttp_"): sample.labels
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    client = {"client": "shop"}
    assert labels == {
        **dict.fromkeys(("pool_open", "pool_idle", "pool_waiting", "pool_limit"), client),
        "circuit_state": client | {"circuit": "stock"},
        "store_up": client | {"store": "other"},
    }


def test_of_circuits_and_stores_with_the_same_labels_the_worst_state_counts() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)

    def started() -> ClientGauges:
        return SHOP

    def worse() -> ClientGauges:
        return SHOP._replace(breakers={"stock": "open"}, stores={"cache": False, "other": True})

    def not_started() -> None:
        return None

    for source in (started, worse, not_started):
        recorder.watch(source)
    samples = scraped(registry)
    assert samples["railhttp_circuit_state"] == {("stock", "shop"): 2}
    assert samples["railhttp_store_up"] == {("shop", "cache"): 0, ("shop", "other"): 0}
    assert samples["railhttp_pool_open"] == {("shop",): 6}


def test_recorders_of_a_namespace_share_metrics_and_others_do_not() -> None:
    registry = CollectorRegistry()
    for namespace, buckets in (("shop", (1,)), ("shop", (2,)), ("bank", (3,))):
        recorder = PrometheusRecorder(registry=registry, namespace=namespace, buckets=buckets)
        recorder.histogram("http.work", 0.5)
        recorder.increment("http.things")
    samples = scraped(registry)
    assert samples["shop_work_seconds_bucket"] == {("1.0",): 2, ("+Inf",): 2}
    assert samples["bank_work_seconds_bucket"] == {("3.0",): 1, ("+Inf",): 1}
    assert (samples["shop_things_total"], samples["bank_things_total"]) == ({(): 2}, {(): 1})


def test_another_metric_of_the_name_of_a_gauge_is_refused_by_the_registry() -> None:
    registry = CollectorRegistry()
    PrometheusRecorder(registry=registry)
    with pytest.raises(ValueError, match="railhttp_pool_open"):
        Gauge("railhttp_pool_open", "Of somebody else.", registry=registry)


def test_each_metric_is_described() -> None:
    registry = CollectorRegistry()
    recorder = PrometheusRecorder(registry=registry)
    metrics = CallMetrics(recorder)
    events: list[LayerEvent] = [
        CircuitChangedEvent(name="stock", before="closed", after="open"),
        RetryBudgetExhaustedEvent(origin="https://api.example"),
        StoreDownEvent(store="shop", problem="TimeoutError", when_down="local"),
        *(
            WaitEvent(queue=queue, seconds=1, admitted=True, method="GET", url="/")
            for queue in get_args(Queue)
        ),
    ]
    for event in events:
        metrics.event_occurred(event)
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        name = family.name.removeprefix("railhttp_")
        assert family.documentation not in {"", name}, name
