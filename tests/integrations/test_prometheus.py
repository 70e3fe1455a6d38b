"""Metrics as Prometheus scrapes them, made by the real library."""

import asyncio
import gc

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.servers.faults import FaultServer

from railhttp import ConnectionPoolConfig, HTTPClient, HTTPClientConfig
from railhttp.integrations.prometheus import PrometheusRecorder
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
