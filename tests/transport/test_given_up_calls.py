"""Calls that end early, or close their connection, leave nothing open."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer

from railhttp import ConnectionPool, HTTPClient, HTTPClientConfig, RetryPolicy

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
CONFIG: Final = HTTPClientConfig(timeout=60.0, trust_env=False)


class Body:
    """A body that never ends, and notes that it was given up."""

    def __init__(self) -> None:
        self.pieces = 0
        self.given_up = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.pieces += 1
                yield b"x"
                await asyncio.sleep(0.001)
        finally:
            self.given_up = True


@pytest.mark.parametrize("path", ["/stall-before-head", "/stall-in-body"])
@pytest.mark.parametrize("with_body", [True, False])
async def test_a_cancelled_call_closes_its_connection_and_gives_its_body_up(
    path: str, with_body: bool
) -> None:
    body = Body()
    async with (
        nothing_left(),
        FaultServer() as server,
        HTTPClient(CONFIG, retry_policy=ONCE) as client,
    ):
        data = body.chunks() if with_body else None
        task = asyncio.create_task(client.put(server.url(path), data=data))
        await until(lambda: server.connections and (body.pieces or not with_body))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await until(lambda: client.pool.gauges.open == 0)
        await until(lambda: body.given_up or not with_body)
        await until(lambda: server.connections == 0)
        assert (await client.get(server.url())).unwrap().body == b"ok"


@pytest.mark.parametrize(
    ("field", "is_last"),
    [
        ("close", True),
        ("Close", True),
        ("x, close", True),
        ("keep-alive", False),
        ("closed", False),
    ],
)
@pytest.mark.parametrize("is_default", [True, False])
async def test_a_request_that_says_it_is_the_last_one_closes_its_connection(
    field: str, is_last: bool, is_default: bool
) -> None:
    async def keeps(connection: Connection, _: Received) -> None:
        while True:
            await connection.send(answer(b"ok"))
            await connection.read_head()

    headers = {"Connection": field}
    config = CONFIG
    async with (
        ScriptedServer(keeps) as server,
        HTTPClient(config, headers=headers if is_default else None, retry_policy=ONCE) as client,
    ):
        for _ in range(2):
            result = await client.get(server.url(), headers=None if is_default else headers)
            assert result.unwrap().body == b"ok"
            assert client.pool.gauges.open == (0 if is_last else 1)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (["Keep-Alive: timeout=60"], True),
        (["Keep-Alive: timeout=0"], False),
        (["Keep-Alive: timeout=60", "Keep-Alive: timeout=0"], False),
        (["Connection: close"], False),
        (["Connection: Keep-Alive"], True),
    ],
)
async def test_a_server_decides_whether_a_connection_is_kept(fields: list[str], kept: bool) -> None:
    async def keeps(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"ok", *fields))
        await connection.until_gone()

    async with ScriptedServer(keeps) as server, HTTPClient(CONFIG, retry_policy=ONCE) as client:
        assert (await client.get(server.url())).unwrap().body == b"ok"
        assert client.pool.gauges.open == kept


async def test_a_pool_shows_its_size_and_whether_it_runs() -> None:
    pool = ConnectionPool(max_connections=7)
    assert repr(pool) == "<ConnectionPool of 7, not started>"
    async with pool:
        assert repr(pool) == "<ConnectionPool of 7, started>"
    assert repr(pool) == "<ConnectionPool of 7, not started>"
