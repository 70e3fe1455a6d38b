"""A flood of events or lines keeps the loop for milliseconds at most, and memory within bounds."""

import asyncio
import gc
import gzip
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient, HTTPResponseTooLargeError, HTTPStatusError
from railhttp.client.limited_response import MAX_PAGE_BYTES
from railhttp.client.turns import SLICE_BYTES
from railhttp.testing import ScriptedTransport

EVENTS: Final = {"Content-Type": "text/event-stream"}
FLOODS: Final = {
    "events": b"data:\n\n",
    "empty lines": b"\n",
    "fields": b"a\n",
    "data": b"data\n",
    "comments": b":\n",
    "CR": b"\r",
    "ids": b"id:1\n\n",
    "retries": b"retry:1\n",
}


def longest() -> float:
    """Ten times the CPU seconds of a turn. A flood that holds the loop takes far more."""
    return 0.15 if sys.gettrace() is None else 0.3  # coverage traces each line


class Beat:
    """Measures the CPU time of this thread from one turn of the loop to the next."""

    def __init__(self) -> None:
        self.longest = 0.0

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        gc.collect()
        gc.disable()  # the objects of all other tests take long to collect
        task = asyncio.create_task(self._run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            gc.enable()
            task.cancel()

    async def _run(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - began)


def flooded(body: bytes, coding: str) -> HTTPClient:
    script = ScriptedTransport()
    headers = EVENTS | ({"Content-Encoding": coding} if coding else {})
    script.on("GET", "/").reply(body=body, headers=headers)
    return HTTPClient(exchange=script)


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("way", ["sse", "lines"])
async def test_a_flood_of_the_shortest_lines_does_not_hold_the_loop(
    flood: str, coding: str, way: str
) -> None:
    body = FLOODS[flood] * ((1 << 20) // len(FLOODS[flood]))
    body = gzip.compress(body, 1) if coding else body
    beat = Beat()
    fields = [f"Content-Encoding: {coding}"] if coding else []
    page = answer(body, "Content-Type: text/event-stream", *fields)
    async with ScriptedServer(sends(page)) as server, HTTPClient() as client:
        if way == "sse":
            async with client.sse(server.url()) as events, beat.measured():
                async for _ in events:
                    pass
        else:
            async with client.stream("GET", server.url()) as response, beat.measured():
                async for _ in response.aiter_lines(max_line_bytes=None):
                    pass
    assert beat.longest < longest()


MEMBERS: Final = {"empty": gzip.compress(b""), "of one byte": gzip.compress(b"a")}


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("way", ["get", "stream", "download"])
async def test_a_flood_of_gzip_members_does_not_hold_the_loop(
    tmp_path: Path, member: str, way: str
) -> None:
    count = 100_000
    page = answer(MEMBERS[member] * count, "Content-Encoding: gzip")
    beat = Beat()
    async with ScriptedServer(sends(page)) as server, HTTPClient() as client:
        if way == "get":
            async with beat.measured():
                size = len((await client.get(server.url())).unwrap().body)
        elif way == "stream":
            async with client.stream("GET", server.url()) as response, beat.measured():
                size = sum([len(chunk) async for chunk in response])
        else:
            async with beat.measured():
                done = await client.download(server.url(), tmp_path / "file")
                size = done.unwrap().size
    assert size == (0 if member == "empty" else count)
    assert beat.longest < longest()


LOCATIONS: Final = {
    "host": "//" + "a" * 60_000,
    "labels": "//" + "a." * 30_000,
    "other script": "//" + "%C3%A9" * 10_000,
    "IPv6": "//[" + ":" * 60_000 + "]",
    "users": "//" + "@" * 60_000,
    "port": "//h:" + "1" * 60_000,
    "slashes": "/" * 60_000,
    "dot segments": "../" * 20_000,
    "query": "?" + "a=b&" * 15_000,
    "fragment": "#" + "a" * 60_000,
}


@pytest.mark.parametrize("location", LOCATIONS)
async def test_a_long_location_does_not_hold_the_loop(location: str) -> None:
    page = head(f"Location: {LOCATIONS[location]}", "Content-Length: 0", status="302 Found")
    beat = Beat()
    async with (
        ScriptedServer(sends(page), sends(page)) as server,
        HTTPClient() as client,
        beat.measured(),
    ):
        result = await client.get(server.url(), max_redirects=1, retries=0)
    assert result.failure().label in {"redirect", "disconnected"}
    assert beat.longest < longest()


async def test_other_tasks_run_while_one_chunk_has_many_events() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    body = b"data: x\n\n" * 40_000
    async with flooded(body, "") as client, client.sse("http://h/") as events:
        counting = asyncio.create_task(count())
        seen = [event.data async for event in events]
        counting.cancel()
    assert seen == ["x"] * 40_000
    assert turns >= len(body) // SLICE_BYTES
    assert SLICE_BYTES <= 64 * 1024, "which takes a few milliseconds"


async def test_an_event_and_a_line_have_a_limit_by_default() -> None:
    body = b"data: " + bytes(9 << 20)
    async with flooded(body, "") as client:
        with pytest.raises(HTTPResponseTooLargeError) as caught:
            async with client.sse("http://h/") as events:
                await anext(aiter(events))
        assert caught.value.limit == 8 << 20
        async with client.stream("GET", "http://h/") as response:
            with pytest.raises(HTTPResponseTooLargeError):
                await anext(response.aiter_lines())
        async with client.stream("GET", "http://h/") as response:
            with pytest.raises(HTTPResponseTooLargeError):
                await anext(response.aiter_json())


async def test_none_means_no_limit() -> None:
    async with flooded(b"data: " + b"a" * (9 << 20) + b"\n\n", "") as client:
        async with client.sse("http://h/", max_event_bytes=None) as events:
            assert len((await anext(aiter(events))).data) == 9 << 20
        async with client.stream("GET", "http://h/") as response:
            assert len(await anext(response.aiter_lines(max_line_bytes=None))) > 9 << 20


async def refusal(client: HTTPClient, url: str, way: str, path: Path) -> object:
    if way == "download":
        return (await client.download(url, path)).failure()
    with pytest.raises(HTTPStatusError) as caught:
        await client.sse(url).__aenter__()
    return caught.value


@pytest.mark.parametrize("way", ["sse", "download"])
async def test_a_refusal_is_not_held_whole(tmp_path: Path, way: str) -> None:
    page = answer(gzip.compress(bytes(40 << 20)), "Content-Encoding: gzip", status="403 Forbidden")
    async with ScriptedServer(sends(page)) as server, HTTPClient() as client:
        tracemalloc.start()
        try:
            failure = await refusal(client, server.url(), way, tmp_path / "file")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(failure, HTTPStatusError)
    assert (failure.status, len(failure.response.body)) == (403, MAX_PAGE_BYTES)
    assert most < 8 << 20


async def test_a_flood_of_the_smallest_chunks_does_not_hold_the_loop() -> None:
    chunks = b"1\r\na\r\n" * 400_000
    page = head("Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"
    beat = Beat()
    async with ScriptedServer(sends(page)) as server, HTTPClient() as client, beat.measured():
        response = (await client.get(server.url())).unwrap()
    assert response.body == b"a" * 400_000
    assert beat.longest < 2 * longest()  # uvloop reads several times in a turn, unless it is paused
