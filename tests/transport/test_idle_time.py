"""Idle connections are closed in time, by a clock that the test moves."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from aiohttp.client_reqrep import ConnectionKey
from tests.transport.pools import WatchedPool, key_of

from railhttp.transport import connector as connector_module
from railhttp.transport import idle_connector
from railhttp.transport.connection import StrictResponseHandler

A, B = key_of("a"), key_of("b")


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Pool(WatchedPool):
    """A pool beside a clock that the test moves."""

    def __init__(self, time: Time, **settings: float) -> None:
        super().__init__(**settings)
        self.time = time

    def idle(self, key: ConnectionKey = A, keep_alive: str = "") -> StrictResponseHandler:
        """Return a connection that has just served a request and was given back."""
        connection = self.used(key)
        if keep_alive:
            connection.obey([keep_alive])
        self.connector.take_back(connection, reusable=True)
        return connection

    def open_after(self, seconds: float, *connections: StrictResponseHandler) -> list[bool]:
        """Clean up after some time; return which of the connections are still open."""
        self.time.now += seconds
        self.connector._cleanup()
        return [connection.is_connected() for connection in connections]

    def due(self) -> float:
        """Return the seconds until the next clean-up, as the event loop knows them."""
        handle = self.connector._cleanup_handle
        loop = asyncio.get_running_loop()
        return math.inf if handle is None else handle.when() - loop.time()


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(idle_connector, "monotonic", time)
    monkeypatch.setattr(connector_module, "monotonic", time)
    return time


@pytest.fixture
async def pool(time: Time) -> AsyncIterator[Pool]:
    pool = Pool(time, max_keepalive_connections=2, keepalive_timeout=10.0)
    yield pool
    await pool.connector.close()


async def test_a_connection_is_closed_when_its_time_is_over(pool: Pool) -> None:
    first = pool.idle()
    pool.time.now += 4
    second = pool.idle(B)
    assert pool.open_after(5.5, first, second) == [True, True]
    assert pool.open_after(0.5, first, second) == [False, True]
    assert pool.connector.gauges.idle == 1
    assert pool.open_after(4.0, second) == [False]
    assert (pool.connector.gauges.idle, pool.due()) == (0, math.inf)


async def test_the_next_clean_up_is_when_the_first_connection_is_due(pool: Pool) -> None:
    assert pool.due() == math.inf
    pool.idle()
    assert pool.due() == pytest.approx(10.0, abs=5.0)
    pool.idle(B, "timeout=2")  # one second of it is kept as a margin
    assert pool.due() < 5.0
    pool.time.now += 0.5
    pool.idle(B)
    assert pool.due() < 5.0  # a later one changes nothing
    pool.open_after(1.0)
    assert pool.due() > 5.0


async def test_connections_beyond_those_that_are_kept_live_a_second_longer(pool: Pool) -> None:
    connections = [pool.idle() for _ in range(4)]
    assert pool.due() < 5.0
    assert pool.open_after(0.9, *connections) == [True] * 4
    assert pool.open_after(0.1, *connections) == [False, False, True, True]
    assert pool.open_after(8.9, *connections[2:]) == [True, True]
    assert pool.open_after(0.1, *connections[2:]) == [False, False]


async def test_each_host_keeps_its_connections(pool: Pool) -> None:
    connections = [pool.idle(key) for key in (A, B, A, B)]
    assert pool.open_after(2.0, *connections) == [True] * 4


async def test_the_shorter_of_the_limits_of_both_sides_counts(pool: Pool) -> None:
    connections = [pool.idle(A, "timeout=3"), pool.idle(B, "timeout=300")]
    assert pool.open_after(1.9, *connections) == [True, True]
    assert pool.open_after(0.1, *connections) == [False, True]
    assert pool.open_after(8.0, *connections) == [False, False]


async def test_a_connection_that_was_lost_is_not_kept(pool: Pool) -> None:
    lost, kept = pool.idle(), pool.idle()
    lost.connection_lost(None)
    assert pool.connector.gauges.idle == 2
    pool.open_after(0.1)
    assert pool.connector.gauges.idle == 1
    assert kept.is_connected()


@pytest.mark.parametrize(("seconds", "used"), [(10.0, True), (10.1, False)])
async def test_a_connection_that_was_idle_for_too_long_is_not_used(
    pool: Pool, seconds: float, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up may come late on a busy loop."""
    monkeypatch.setattr(StrictResponseHandler, "has_unread", lambda _: False)
    connection = pool.idle()
    pool.time.now += seconds
    taken = pool.connector.take_idle(A)
    assert (taken is not None) is used
    assert connection.is_connected() is used
    if taken is not None:
        assert taken is connection
        assert not connection.is_idle
        pool.connector.take_back(connection, reusable=False)


async def test_a_pool_that_keeps_no_connection_closes_each(time: Time) -> None:
    pool = Pool(time, max_keepalive_connections=0)
    assert not pool.idle().is_connected()
    assert pool.connector.gauges.open == 0
    await pool.connector.close()


async def test_after_its_close_a_pool_takes_no_connection_back(pool: Pool) -> None:
    connection = pool.used(A)
    await pool.connector.close()
    pool.connector.take_back(connection, reusable=True)
    assert pool.connector.gauges.open == 0
