"""The limits of the pool: idle connections count, no host takes every place, callers take turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer
from tests.servers.tls import TlsContexts

from railhttp import HTTPClient, HTTPClientConfig, RetryPolicy
from railhttp.model.config import ConnectionPoolConfig

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)


def client_of(**settings: int) -> HTTPClient:
    pool = ConnectionPoolConfig(**settings)  # type: ignore[arg-type]  # a test names what it needs
    return HTTPClient(HTTPClientConfig(pool, timeout=20.0, trust_env=False), retry_policy=ONCE)


@asynccontextmanager
async def hosts(count: int) -> AsyncIterator[list[FaultServer]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FaultServer()) for _ in range(count)]


# --- idle connections count


async def test_idle_connections_to_many_hosts_stay_within_the_limit() -> None:
    async with nothing_left(), hosts(25) as servers, client_of(max_connections=6) as client:
        for _ in range(2):
            for server in servers:
                assert (await client.get(server.url())).unwrap().body == b"ok"
                gauges = client.pool.gauges
                assert gauges.open <= 6
                assert gauges.idle == gauges.open
        await until(lambda: sum(server.connections for server in servers) == 6)


async def test_the_connection_that_was_not_used_for_longest_makes_room() -> None:
    async with hosts(4) as servers, client_of(max_connections=3) as client:
        for number in (0, 1, 2, 0, 3, 0, 2):
            (await client.get(servers[number].url())).unwrap()
        opened = [max(seen.connection for seen in server.received) for server in servers]
        assert opened == [1, 1, 1, 1]
        (await client.get(servers[1].url())).unwrap()
        assert max(seen.connection for seen in servers[1].received) == 2


async def test_a_tls_connection_makes_room_at_once(tls: TlsContexts, faults: FaultServer) -> None:
    pool = ConnectionPoolConfig(max_connections=1, ssl_context=tls.client)
    config = HTTPClientConfig(pool, timeout=20.0, trust_env=False)
    async with (
        nothing_left(),
        FaultServer(ssl_context=tls.trusted) as secure,
        HTTPClient(config, retry_policy=ONCE) as client,
    ):
        (await client.get(secure.url())).unwrap()
        (await client.get(faults.url())).unwrap()
        await until(lambda: secure.connections == 0)
        assert client.pool.gauges.open == 1


# --- one slow host


async def test_a_host_that_hangs_leaves_places_to_the_others(
    faults: FaultServer, echo: EchoServer
) -> None:
    async with client_of() as client:
        (await client.get(echo.url())).unwrap()
        stalled = [
            asyncio.create_task(client.get(faults.url("/stall-before-head"))) for _ in range(30)
        ]
        await until(lambda: len(faults.received) == 8)
        for _ in range(5):
            assert (await client.get(echo.url())).unwrap().ok
        await asyncio.gather(*(client.get(echo.url()) for _ in range(10)))
        assert len(faults.received) == 8
        failure = (await client.get(faults.url(), connect_timeout=0.02)).failure()
        assert "`max_connections_per_host`" in str(failure)
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)
        assert (await client.get(faults.url())).unwrap().body == b"ok"


async def test_the_only_host_may_take_every_place(faults: FaultServer) -> None:
    async with client_of() as client:
        stalled = [
            asyncio.create_task(client.get(faults.url("/stall-before-head"))) for _ in range(12)
        ]
        await until(lambda: len(faults.received) == 10)
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


@pytest.mark.parametrize(("limit", "share"), [(1, 1), (2, 1), (4, 3), (5, 4), (10, 8), (100, 80)])
async def test_the_share_of_one_host_among_several_is_four_fifths(
    faults: FaultServer, echo: EchoServer, limit: int, share: int
) -> None:
    async with client_of(max_connections=limit, max_connections_per_host=limit) as client:
        (await client.get(echo.url())).unwrap()
        stalled = [
            asyncio.create_task(client.get(faults.url("/stall-before-head")))
            for _ in range(limit + 1)
        ]
        await until(lambda: len(faults.received) == share)
        await asyncio.sleep(0.02)
        assert len(faults.received) == share
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


async def test_the_first_place_that_comes_free_goes_to_a_host_that_has_none(
    echo: EchoServer,
) -> None:
    async def play(connection: Connection, _: Received) -> None:
        if connection.number == 1:
            await is_awaited.wait()
            await connection.send(answer(b"ok"))
        await connection.until_gone()

    is_awaited = asyncio.Event()
    async with (
        ScriptedServer(play) as server,
        client_of(max_connections=5, max_connections_per_host=5) as client,
    ):
        calls = [asyncio.create_task(client.get(server.url())) for _ in range(6)]
        await until(lambda: len(server.received) == 5 and client.pool.gauges.waiting == 1)
        other = asyncio.create_task(client.get(echo.url()))
        await until(lambda: client.pool.gauges.waiting == 2)
        is_awaited.set()
        assert (await other).unwrap().ok
        assert len(server.received) == 5
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


# --- turns


async def test_more_callers_than_connections_share_them_without_new_ones(
    faults: FaultServer,
) -> None:
    async with client_of() as client:

        async def call() -> None:
            for _ in range(20):
                assert (await client.get(faults.url())).unwrap().body == b"ok"

        await asyncio.gather(*(call() for _ in range(32)))
    assert {seen.connection for seen in faults.received} == set(range(1, 11))


async def test_a_connection_goes_to_no_later_caller_of_its_host_while_another_host_waits(
    faults: FaultServer,
) -> None:
    done: list[str] = []

    async def call(name: str, url: str) -> None:
        (await client.get(url)).unwrap()
        done.append(name)

    async with FaultServer() as other, client_of(max_connections=1) as client:
        tasks = [asyncio.create_task(call("first", faults.url("/slow-head", seconds=0.2)))]
        await until(lambda: faults.received)
        for name, url in (("other", other.url()), ("second", faults.url()), ("third", other.url())):
            tasks.append(asyncio.create_task(call(name, url)))
            await until(lambda: client.pool.gauges.waiting == len(tasks) - 1)
        await asyncio.gather(*tasks)
    assert done[:2] == ["first", "other"]
    assert sorted(done[2:]) == ["second", "third"]


@pytest.mark.parametrize("moment", range(0, 60, 3))
async def test_a_caller_that_is_cancelled_passes_its_connection_on(
    faults: FaultServer, moment: int
) -> None:
    async with client_of(max_connections=1) as client:
        calls = [asyncio.create_task(client.get(faults.url())) for _ in range(4)]
        for _ in range(moment):
            await asyncio.sleep(0)
        calls[1].cancel()
        calls[2].cancel()
        for call in (calls[0], calls[3]):
            assert (await call).unwrap().body == b"ok"
        assert (await client.get(faults.url())).unwrap().body == b"ok"
        gauges = client.pool.gauges
        assert (gauges.open, gauges.waiting) == (gauges.idle, 0)
