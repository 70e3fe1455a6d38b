"""The queue for places in the pool, one release at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import pytest
from aiohttp.client_reqrep import ConnectionKey
from tests.patience import until
from tests.servers.faults import FaultServer
from yarl import URL

from railhttp import HTTPClient, HTTPClientConfig, RetryPolicy
from railhttp.model.config import ConnectionPoolConfig
from railhttp.transport.fair_connector import FairConnector

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)


def key_of(host: str) -> ConnectionKey:
    return ConnectionKey(host, 80, False, True, None, None, None)


class Queue:
    """Callers that wait, and those that have had their turn, in order."""

    def __init__(self, connector: FairConnector) -> None:
        self.connector = connector
        self.had: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def _wait(self, name: str, host: str) -> None:
        await self.connector._wait_for_available_connection(key_of(host), [])
        self.had.append(name)

    async def join(self, name: str, host: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._wait(name, host))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def release(self, places: int = 1) -> list[str]:
        """Release places in the same turn of the loop; return who has had a turn since."""
        self.had.clear()
        for _ in range(places):
            self.connector._release_waiter()
        await asyncio.sleep(0)
        return list(self.had)


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    connector = FairConnector(limit=3, limit_per_host=1)
    async with connector:
        waiting = Queue(connector)
        yield waiting
        for task in waiting.tasks:
            task.cancel()
        await asyncio.gather(*waiting.tasks, return_exceptions=True)
        assert not connector._waiters  # a queue that stays would cost each later release
        assert not connector._acquired


async def test_hosts_take_turns_and_the_callers_of_a_host_come_in_order(queue: Queue) -> None:
    for name, host in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")]:
        await queue.join(name, host)
    assert [await queue.release() for _ in range(6)] == [["a1"], ["b1"], ["a2"], ["b2"], ["a3"], []]


async def test_a_place_counts_for_its_host_before_its_caller_has_run(queue: Queue) -> None:
    await queue.join("first", "a")
    await queue.join("second", "a")
    assert await queue.release(2) == ["first"]


async def test_a_place_counts_before_its_caller_has_run(queue: Queue) -> None:
    for host in "abcd":
        await queue.join(host, host)
    assert await queue.release(4) == ["a", "b", "c"]


async def test_a_place_that_a_cancelled_caller_got_goes_to_the_next(queue: Queue) -> None:
    first = await queue.join("first", "a")
    await queue.join("second", "a")
    queue.connector._release_waiter()
    first.cancel()
    await until(lambda: queue.had == ["second"])


async def test_a_caller_that_stops_waiting_leaves_the_queue(queue: Queue) -> None:
    first = await queue.join("first", "a")
    second = await queue.join("second", "a")
    first.cancel()
    await asyncio.sleep(0)
    assert [len(waiters) for waiters in queue.connector._waiters.values()] == [1]
    second.cancel()
    await asyncio.sleep(0)
    assert not queue.connector._waiters


# --- over sockets


def client_of(**settings: int) -> HTTPClient:
    pool = ConnectionPoolConfig(**settings)  # type: ignore[arg-type]  # a test names what it needs
    return HTTPClient(HTTPClientConfig(pool, timeout=20.0, trust_env=False), retry_policy=ONCE)


async def test_several_hosts_do_not_raise_a_lower_limit_of_each(faults: FaultServer) -> None:
    async with (
        FaultServer() as other,
        client_of(max_connections=10, max_connections_per_host=2) as client,
    ):
        (await client.get(other.url())).unwrap()
        stalled = [
            asyncio.create_task(client.get(faults.url("/stall-before-head"))) for _ in range(4)
        ]
        await until(lambda: client.pool.gauges.waiting == 2)
        assert len(faults.received) == 2
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


async def test_a_place_for_another_host_is_not_lost_with_a_cancelled_caller(
    faults: FaultServer,
) -> None:
    async with FaultServer() as other, client_of(max_connections=1) as client:

        async def finish_and_cancel() -> None:
            await client.get(faults.url("/slow-answer"))
            woken.cancel()

        first = asyncio.create_task(finish_and_cancel())
        await until(lambda: faults.received)
        woken = asyncio.create_task(client.get(other.url()))
        await until(lambda: client.pool.gauges.waiting == 1)
        await first
        await asyncio.gather(woken, return_exceptions=True)
        assert woken.cancelled()
        assert (await client.get(faults.url())).unwrap().body == b"ok"


async def test_a_call_without_a_place_learns_which_hosts_hold_most() -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(FaultServer()) for _ in range(4)]
        client = await stack.enter_async_context(client_of(max_connections=10))
        stalled = []
        for count, server in enumerate(servers, start=1):
            for _ in range(count):
                call = client.get(server.url("/stall-before-head"))
                stalled.append(asyncio.create_task(call))
        await until(lambda: sum(len(server.received) for server in servers) == 10)
        failure = (await client.get(servers[0].url(), connect_timeout=0.02)).failure()
        hosts = [URL(server.url()).authority for server in servers]
        held = f"4 by {hosts[3]}, 3 by {hosts[2]}, 2 by {hosts[1]}"
        assert failure.message.endswith(f"; held: {held}")
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)
