"""A server that is slow, gone, full, empty or another one: no call waits long, and none fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, Literal

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from prometheus_client import CollectorRegistry
from tests.integrations.redis.turns import link_of
from tests.patience import until
from tests.servers.redis import RedisProxy, RedisServer

from railhttp import CircuitBreaker, HTTPCircuitOpenError, HTTPClient, HTTPInterceptorError
from railhttp.events import HTTPEvent, StoreBackEvent, StoreDownEvent
from railhttp.integrations.opentelemetry import OpenTelemetryInstrument
from railhttp.integrations.prometheus import PrometheusRecorder
from railhttp.integrations.redis import RedisStore, StoreDown
from railhttp.model.errors import HTTPConnectionError, HTTPRetryExhaustedError
from railhttp.policy.breaker_states import force_open
from railhttp.resilience import (
    OriginBreakers,
    RateLimiter,
    ResiliencePipeline,
    RetryBudget,
    RetryPolicy,
)
from railhttp.testing import ScriptedTransport

PATIENCE: Final = 60.0
"""The timeout of a store whose server is not meant to be slow, in seconds."""

TIMEOUT: Final = 0.2
FEW: Final = 5 * TIMEOUT
"""Far more than one timeout, and far less than one for each decision that a test makes."""


def now() -> float:
    """Return the time of the loop, which the tests run on one that counts idle seconds only."""
    return asyncio.get_running_loop().time()


async def is_healthy(fleet: RedisStore) -> bool:
    return (await fleet.health()).is_healthy


async def until_health(fleet: RedisStore, healthy: bool) -> None:
    async with asyncio.timeout(60):
        while await is_healthy(fleet) is not healthy:  # noqa: ASYNC110  # a store tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(
    url: str,
    when_down: Literal["local", "refuse", "raise"] = "local",
    timeout: float = PATIENCE,
) -> AsyncIterator[RedisStore]:
    async with RedisStore.connect(
        url, prefix="test", timeout=timeout, when_down=when_down
    ) as fleet:
        yield fleet


def expect_no_reply(fleet: RedisStore, timeout: float = TIMEOUT) -> None:
    """Shorten the timeout, once the server is no longer meant to reply."""
    vars(link_of(fleet))["timeout"] = timeout


async def succeed() -> str:
    return "fine"


async def lose() -> str:
    raise HTTPConnectionError("lost", kind="disconnected")


def callers(fleet: RedisStore) -> list[Callable[[], Awaitable[str]]]:
    """A call through each policy, which asks the server."""
    breaker = CircuitBreaker(name="new", store=fleet.breakers())
    quorum = CircuitBreaker(name="new", store=fleet.breakers(quorum=2))
    exact = RateLimiter(1000, 10, name="exact", store=fleet.rates(lease=0))
    leased = RateLimiter(1000, 10, name="leased", store=fleet.rates())
    calls = (breaker.call, quorum.call, exact.execute, leased.execute)
    return [partial(call, succeed) for call in calls]


Fault = Callable[[RedisServer, RedisProxy], None]


def stall(server: RedisServer, proxy: RedisProxy) -> None:
    proxy.stall()


def slow(server: RedisServer, proxy: RedisProxy) -> None:
    proxy.delay = 2.0  # longer than a new connection may take


def refuse(server: RedisServer, proxy: RedisProxy) -> None:
    proxy.refusing = True
    proxy.reset()


def fill(server: RedisServer, proxy: RedisProxy) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "1")


def become_a_replica(server: RedisServer, proxy: RedisProxy) -> None:
    server.ask("REPLICAOF", "127.0.0.1", "1")


def pause(server: RedisServer, proxy: RedisProxy) -> None:
    server.ask("CLIENT", "PAUSE", "60000", "WRITE")


def mend(server: RedisServer, proxy: RedisProxy) -> None:
    server.ask("CLIENT", "UNPAUSE")
    server.ask("CONFIG", "SET", "maxmemory", "0")
    server.ask("REPLICAOF", "NO", "ONE")
    proxy.delay, proxy.refusing = 0.0, False
    proxy.flow()


FAULTS: Final = [stall, slow, refuse, fill, become_a_replica, pause]


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_call_fails_or_waits_longer_than_the_timeout_and_sharing_comes_back(
    redis: RedisServer, slow_redis: RedisProxy, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "railhttp")
    async with connected(slow_redis.url) as fleet:
        assert await is_healthy(fleet)
        try:
            fault(redis, slow_redis)
            expect_no_reply(fleet)
            began = now()
            for call in callers(fleet) * 5:
                assert await call() == "fine"
            assert now() - began < FEW
            await until_health(fleet, False)
            assert "the store is down" in (await fleet.health()).message
        finally:
            expect_no_reply(fleet, PATIENCE)
            mend(redis, slow_redis)
        await until_health(fleet, True)
        for call in callers(fleet):
            assert await call() == "fine"
        async with connected(redis.url) as other:
            await other.breakers().apply("shared", force_open, None)
            await until(lambda: fleet.breakers().peek("shared") is not None)
    messages = [text for text in caplog.messages if "is down" in text]
    assert len(messages) == 1, "it is said once"


@pytest.mark.parametrize("fault", [stall, refuse])
async def test_only_the_first_calls_wait(
    redis: RedisServer, slow_redis: RedisProxy, fault: Fault
) -> None:
    async with connected(slow_redis.url) as fleet:
        fault(redis, slow_redis)
        expect_no_reply(fleet)
        limiter = RateLimiter(10_000, 1000, store=fleet.rates(lease=0))
        began = now()
        for _ in range(100):
            await limiter.execute(succeed)
        assert now() - began < FEW


async def test_all_policies_of_a_call_together_wait_no_longer_than_the_timeout(
    redis: RedisServer, slow_redis: RedisProxy
) -> None:
    attempts, timeout = 6, 2.0
    async with connected(slow_redis.url) as fleet:
        calls = ResiliencePipeline(
            RetryPolicy(attempts, base_delay=0.001, store=fleet.budgets()),
            RateLimiter(1000, 100, store=fleet.rates(lease=0)),
            CircuitBreaker(100, name="h", store=fleet.breakers()),
        )
        slow_redis.delay = 0.5 * timeout  # no decision alone takes too long
        expect_no_reply(fleet, timeout)
        before, began = redis.scripts(), now()
        with pytest.raises(HTTPRetryExhaustedError):
            await calls.execute(lose)
        assert now() - began < 3 * timeout < attempts * slow_redis.delay + 0.1
        assert await is_healthy(fleet)
        slow_redis.delay = 0.0
        await until(lambda: redis.scripts() - before >= 4)  # they are sent all the same


async def test_a_server_that_was_never_there_costs_no_time(unused_tcp_port: int) -> None:
    began = now()
    async with connected(f"redis://127.0.0.1:{unused_tcp_port}/0") as fleet:
        for call in callers(fleet) * 10:
            assert await call() == "fine"
    assert now() - began < FEW


async def test_each_process_goes_on_from_the_last_state(
    redis: RedisServer, slow_redis: RedisProxy
) -> None:
    async with connected(slow_redis.url) as fleet:
        breaker = CircuitBreaker(1, 60.0, name="h", store=fleet.breakers())
        with pytest.raises(HTTPConnectionError):
            await breaker.call(lose)
        refuse(redis, slow_redis)
        await until_health(fleet, False)
        assert breaker.is_refusing
        with pytest.raises(HTTPCircuitOpenError):
            await breaker.call(succeed)
        await breaker.reset()
        assert await breaker.call(succeed) == "fine"


async def test_alone_a_process_still_opens_its_circuits(
    redis: RedisServer, slow_redis: RedisProxy
) -> None:
    async with connected(slow_redis.url) as fleet:
        refuse(redis, slow_redis)
        await until_health(fleet, False)
        for quorum in (1, 2):
            breaker = CircuitBreaker(2, 60.0, name="h", store=fleet.breakers(quorum))
            for _ in range(2):
                with pytest.raises(HTTPConnectionError):
                    await breaker.call(lose)
            with pytest.raises(HTTPCircuitOpenError):
                await breaker.call(succeed)


async def test_under_refuse_calls_are_refused_unsent(
    redis: RedisServer, slow_redis: RedisProxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "railhttp")
    async with connected(slow_redis.url, "refuse") as fleet:
        for call in callers(fleet):
            assert await call() == "fine"
        refuse(redis, slow_redis)
        await until_health(fleet, False)
        for call in callers(fleet) * 2:
            with pytest.raises(HTTPCircuitOpenError) as caught:
                await call()
            assert caught.value.delivery.name == "NOT_SENT"
        policy = RetryPolicy(3, base_delay=0.001, store=fleet.budgets())
        with pytest.raises(HTTPConnectionError, match="lost"):
            await policy.execute(lose)
        mend(redis, slow_redis)
        await until_health(fleet, True)
        for call in callers(fleet):
            assert await call() == "fine"
    assert [text for text in caplog.messages if "budget" not in text] == [
        "the store 'test' is down (ConnectionError): calls are refused until it is back"
    ]


async def test_under_refuse_the_report_of_a_call_under_way_is_dropped(
    redis: RedisServer, slow_redis: RedisProxy, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(slow_redis.url, "refuse") as fleet:

        async def fail() -> None:
            refuse(redis, slow_redis)
            await until_health(fleet, False)
            raise HTTPConnectionError("lost", kind="disconnected")

        with pytest.raises(HTTPConnectionError, match="lost"):
            await CircuitBreaker(1, name="h", store=fleet.breakers()).call(fail)
    assert [text for text in caplog.messages if "raised" in text] == []


async def test_under_raise_calls_fail_with_the_reason(
    redis: RedisServer, slow_redis: RedisProxy
) -> None:
    async with connected(slow_redis.url, "raise") as fleet:
        refuse(redis, slow_redis)
        await until_health(fleet, False)
        for call in callers(fleet):
            with pytest.raises(HTTPInterceptorError) as caught:
                await call()
            assert isinstance(caught.value.__cause__, StoreDown)


async def test_a_server_that_starts_again_without_its_data_closes_all_circuits(
    mortal_redis: RedisServer,
) -> None:
    async with connected(mortal_redis.url) as fleet:
        breaker = CircuitBreaker(1, 60.0, name="h", store=fleet.breakers())
        with pytest.raises(HTTPConnectionError):
            await breaker.call(lose)
        mortal_redis.kill()
        await until_health(fleet, False)
        assert breaker.is_refusing, "it goes on from the last state"
        mortal_redis.start()
        await until_health(fleet, True)
        assert await breaker.call(succeed) == "fine"
        budget = RetryBudget()
        assert await fleet.budgets().apply("o", budget.charge, 14)


async def test_after_a_flush_a_forced_circuit_is_forgotten_soon(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("railhttp.integrations.redis.link.STEADY", 0.5)
    async with connected(redis.url) as fleet:
        breaker = CircuitBreaker(name="h", store=fleet.breakers())
        await breaker.force_open()
        redis.ask("FLUSHALL")
        await until(lambda: not breaker.is_refusing)


async def test_a_store_that_was_closed_leaves_its_policies_usable(redis: RedisServer) -> None:
    async with connected(redis.url) as fleet:
        calls = callers(fleet)
    for call in calls:
        assert await call() == "fine"
    assert not await is_healthy(fleet)


async def test_an_outage_and_its_end_are_told_once_as_event_line_metric_gauge_and_health(
    redis: RedisServer, slow_redis: RedisProxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "railhttp")
    events: list[HTTPEvent] = []
    registry, reader = CollectorRegistry(), InMemoryMetricReader()
    transport = ScriptedTransport()
    transport.on("GET", "/").reply()
    async with connected(slow_redis.url) as fleet:
        pipeline = ResiliencePipeline(
            RetryPolicy(store=fleet.budgets()),
            RateLimiter(1000, 10, store=fleet.rates()),
            OriginBreakers(store=fleet.breakers()),
        )
        async with HTTPClient(
            resilience=pipeline,
            exchange=transport,
            observers=[events.append],
            metrics=PrometheusRecorder(registry=registry),
            instruments=[OpenTelemetryInstrument(meter_provider=MeterProvider([reader]))],
            service_name="shop",
        ) as client:

            async def up() -> tuple[object, ...]:
                for _ in range(5):
                    await client.get("https://api.example/")
                scraped = registry.get_sample_value(
                    "railhttp_store_up", {"client": "shop", "store": "test"}
                )
                return client.gauges.stores["test"], scraped, points(reader, "railhttp.store.up")

            assert await up() == (True, 1.0, {"shop test": 1})
            refuse(redis, slow_redis)
            await until_health(fleet, False)
            assert await up() == (False, 0.0, {"shop test": 0})
            mend(redis, slow_redis)
            await until_health(fleet, True)
            assert await up() == (True, 1.0, {"shop test": 1})
            changes = points(reader, "railhttp.store.changes")
    down, back = (event for event in events if isinstance(event, StoreDownEvent | StoreBackEvent))
    assert down == StoreDownEvent(store="test", problem="ConnectionError", when_down="local")
    assert isinstance(back, StoreBackEvent)
    assert [text.partition(" after ")[0] for text in caplog.messages if "store" in text] == [
        "the store 'test' is down (ConnectionError): states stay in this process until it is back",
        "the store 'test' is back",
    ]
    for after in ("down", "up"):
        tags = {"store": "test", "after": after}
        assert registry.get_sample_value("railhttp_store_changes_total", tags) == 1.0
        assert changes[f"test {after}"] == 1


def points(reader: InMemoryMetricReader, name: str) -> dict[str, float]:
    """Return the values of a metric of OpenTelemetry by its attributes."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        " ".join(str(value) for value in (point.attributes or {}).values()): point.value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    }


async def test_a_client_that_starts_during_an_outage_is_told(unused_tcp_port: int) -> None:
    events: list[HTTPEvent] = []
    async with connected(f"redis://127.0.0.1:{unused_tcp_port}/0") as fleet:
        breaker = CircuitBreaker(store=fleet.breakers())
        client = HTTPClient(circuit_breaker=breaker, observers=[events.append])
        derived = client.with_options(
            resilience=ResiliencePipeline(RateLimiter(10, store=fleet.rates()))
        )
        assert events == []
        for _ in range(2):
            await derived.start()
        assert [type(event) for event in events] == [StoreDownEvent]
        await derived.stop()
        other = RedisStore.connect("redis://127.0.0.1:1/0", prefix="other", timeout=PATIENCE)
        late = HTTPClient(observers=[events.append])
        async with other, late:
            late.with_options(circuit_breaker=CircuitBreaker(store=other.breakers(quorum=2)))
        assert [event.store for event in events if isinstance(event, StoreDownEvent)] == [
            *("test", "other")
        ]
        assert late.gauges.stores == {"other": False}
