"""A payload of aiohttp that is not read to its end ends nevertheless."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer

from railhttp import HTTPClient, HTTPClientConfig, RetryPolicy
from railhttp.model.body import StreamBody
from railhttp.transport.payload_body import payload_body
from railhttp.transport.request_body import read_stream


class Source:
    """Chunks without an end, and how many of them were written."""

    def __init__(self) -> None:
        self.written = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            self.written += 1
            yield b"x" * 1000


def body_of(source: Source) -> StreamBody:
    made = payload_body(aiohttp.AsyncIterablePayload(source.chunks()))
    assert made is not None
    body, _ = made
    assert isinstance(body, StreamBody)
    return body


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 100])
async def test_a_payload_is_written_a_few_chunks_ahead_and_given_up_at_any_moment(
    turns: int,
) -> None:
    source = Source()
    pieces = read_stream(body_of(source))
    await anext(pieces)
    for _ in range(turns):
        await asyncio.sleep(0)
    assert source.written <= 10
    async with asyncio.timeout(60):
        await pieces.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_upload_that_a_server_refuses_leaves_no_task() -> None:
    async def refuse(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"", status="413 Too Large"))
        await connection.until_gone()

    source = Source()
    config = HTTPClientConfig(timeout=60.0, trust_env=False)
    once = RetryPolicy(max_attempts=1, reraise=True)
    async with ScriptedServer(refuse, reads_body=False) as server:
        before = asyncio.all_tasks()
        async with HTTPClient(config, retry_policy=once) as client:
            payload = aiohttp.AsyncIterablePayload(source.chunks())
            response = await client.request("PUT", server.url(), data=payload)
            assert response.status == 413
            await until(lambda: client.pool.gauges.open == 0)
        await until(lambda: server.connections == 0)
        await until(lambda: not {task for task in asyncio.all_tasks() - before if not task.done()})


async def test_a_payload_that_is_cancelled_by_itself_ends_the_body() -> None:
    async def cancelled() -> AsyncIterator[bytes]:
        yield b"a"
        raise asyncio.CancelledError

    made = payload_body(aiohttp.AsyncIterablePayload(cancelled()))
    assert made is not None
    assert isinstance(made[0], StreamBody)
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(60):
            assert [piece async for piece in read_stream(made[0])] == [b"a"]
