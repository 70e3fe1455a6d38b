"""Bodies with content codings: every field counts, and other tasks keep running."""

import asyncio
import gzip
from contextlib import suppress

from tests.servers.faults import FaultServer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient, HTTPClientConfig

CONFIG = HTTPClientConfig(trust_env=False)


async def test_codings_in_several_fields_are_all_undone() -> None:
    body = gzip.compress(gzip.compress(b"text"))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with ScriptedServer(sends(answer)) as server, HTTPClient(CONFIG) as client:
        assert (await client.get(server.url())).unwrap().text == "text"


async def test_other_tasks_run_while_little_data_unpacks_to_much(faults: FaultServer) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    async with HTTPClient(CONFIG) as client, client.stream("GET", faults.url("/gzip-bomb")) as body:
        await anext(body)
        before = turns
        size = sum([len(piece) async for piece in body])
    counting.cancel()
    with suppress(asyncio.CancelledError):
        await counting
    assert turns - before >= size // (1024 * 1024)
