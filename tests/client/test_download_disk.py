"""A slow disk and busy threads: the time limit and a cancellation hold all the same."""

import asyncio
import gzip
import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.client.hurried_clock import HurriedClock
from tests.client.test_download import CONTENT, V1, exists, part_of, read, serves
from tests.patience import until
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
)
from railhttp.client.disk import GRACE, MAX_THREADS
from railhttp.client.part_file import PartFile
from railhttp.testing import ManualClock

LIMIT: Final = 0.2
JAMMED: Final = 240.0
"""Seconds that a jammed disk takes."""
PROMPT: Final = 20.0
"""Seconds that no download takes which does not wait for its disk, however busy the machine is."""


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(HTTPClientConfig(timeout=60.0, trust_env=False)) as client:
        yield client


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


class Jam:
    """A disk that does not get on until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.ended = threading.Event()
        self.waiting: list[str] = []
        self._go = threading.Event()

    def wait(self) -> None:
        self.waiting.append(threading.current_thread().name)
        self.entered.set()
        self._go.wait(JAMMED)

    def release(self) -> None:
        self._go.set()


@contextmanager
def jammed(owner: object, name: str, patch: pytest.MonkeyPatch) -> Iterator[Jam]:
    jam = Jam()
    function = getattr(owner, name)

    def slow(*arguments: object, **options: object) -> object:
        jam.wait()
        try:
            return function(*arguments, **options)
        finally:
            jam.ended.set()

    patch.setattr(owner, name, slow)
    try:
        yield jam
    finally:
        jam.release()


PLACES: Final = [
    (PartFile, "__init__"),
    (PartFile, "begin"),
    (PartFile, "write"),
    (PartFile, "digest"),
    (os, "fsync"),
    (os, "replace"),
]


@pytest.mark.parametrize(("owner", "name"), PLACES, ids=[name for _, name in PLACES])
async def test_the_time_limit_holds_while_the_disk_is_busy(
    target: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    clock = ManualClock()
    checksum = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    async with (
        nothing_left(),
        ScriptedServer(serves(CONTENT, V1)) as server,
        HTTPClient(HTTPClientConfig(trust_env=False), clock=clock) as client,
    ):
        with jammed(owner, name, monkeypatch) as jam:
            call = client.download(server.url(), target, timeout=LIMIT, checksum=checksum)
            task = asyncio.ensure_future(call)
            await until(jam.entered.is_set)
            began = time.monotonic()
            await clock.advance(LIMIT)
            result = await task
            took = time.monotonic() - began
            assert not exists(target)
        await until(jam.ended.is_set)  # it may open the file only now
    failure = result.failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert failure.phase == "total"
    assert took < PROMPT


@pytest.mark.parametrize(("owner", "name"), PLACES, ids=[name for _, name in PLACES])
async def test_a_cancellation_holds_while_the_disk_is_busy(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    async with nothing_left(), ScriptedServer(serves(CONTENT, V1)) as server:
        with jammed(owner, name, monkeypatch) as jam:
            checksum = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
            task = asyncio.create_task(client.download(server.url(), target, checksum=checksum))
            await until(jam.entered.is_set)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            took = time.monotonic() - began
        await until(jam.ended.is_set)  # it may open the file only now
    assert took < PROMPT


async def test_stopping_the_client_ends_a_download_while_the_disk_is_busy(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left(), ScriptedServer(serves(CONTENT, V1)) as server:
        with jammed(os, "fsync", monkeypatch) as jam:
            task = asyncio.create_task(client.download(server.url(), target))
            await until(jam.entered.is_set)
            await client.stop()
            failure = (await task).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"


async def test_a_flush_that_lasts_beyond_the_limit_is_no_success_and_the_next_call_resumes(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    async with (
        ScriptedServer(serves(CONTENT, V1)) as server,
        HTTPClient(HTTPClientConfig(trust_env=False), clock=clock) as limited,
    ):
        with jammed(os, "fsync", monkeypatch) as jam:
            task = asyncio.ensure_future(limited.download(server.url(), target, timeout=LIMIT))
            await until(jam.entered.is_set)
            await clock.advance(LIMIT)
            result = await task
        assert isinstance(result.failure(), HTTPTimeoutError)
        monkeypatch.undo()
        await until(lambda: not exists(target) and exists(part_of(target)))
        again = await until_free(client, server.url(), target)
    assert (again, read(target) == CONTENT) == (len(CONTENT), True)


@pytest.mark.parametrize("fields", [(V1,), ()], ids=["resumed", "begun anew"])
async def test_after_a_drop_nothing_is_asked_for_before_the_disk_has_what_came(
    target: Path, monkeypatch: pytest.MonkeyPatch, fields: tuple[str, ...]
) -> None:
    """Two threads would use the file at once, and the later write would go to a wrong place."""
    drop = sends(head("Content-Length: 7", *fields) + b"cont")
    async with (
        nothing_left(),
        ScriptedServer(drop, serves(b"content", *fields)) as server,
        HTTPClient(HTTPClientConfig(trust_env=False), clock=HurriedClock()) as client,
    ):
        with jammed(PartFile, "write", monkeypatch) as jam:
            task = asyncio.ensure_future(client.download(server.url(), target))
            await until(jam.entered.is_set)
            await asyncio.sleep(4 * GRACE)  # it would go on here
            assert len(server.received) == 1
        assert (await task).unwrap().size == 7
    ranges = [request.header("Range") for request in server.received]
    assert ranges == ["", "bytes=4-" if fields else ""]
    assert read(target) == b"content"


async def until_free(client: HTTPClient, url: str, target: Path) -> int:
    """Download; the thread of the download before may not have closed its part yet."""
    result = await client.download(url, target)
    while isinstance(result.swap().value_or(None), HTTPInvalidRequestError):
        await asyncio.sleep(0.01)
        result = await client.download(url, target)
    return result.unwrap().resumed_from


async def test_busy_threads_of_the_loop_delay_no_download(client: HTTPClient, target: Path) -> None:
    """Others use these threads for anything; `getaddrinfo` hangs in them for minutes."""
    go = threading.Event()
    loop = asyncio.get_running_loop()
    busy = [loop.run_in_executor(None, go.wait, JAMMED) for _ in range(64)]
    try:
        async with ScriptedServer(serves(CONTENT)) as server:
            result = await client.download(server.url(), target, timeout=PROMPT)
    finally:
        go.set()
        await asyncio.gather(*busy)
    assert result.unwrap().size == len(CONTENT)


async def test_where_all_threads_of_the_disk_are_busy_the_limit_of_the_next_download_holds(
    client: HTTPClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left(), ScriptedServer(serves(b"content")) as server:
        with jammed(os, "fsync", monkeypatch) as jam:
            downloads = [
                asyncio.create_task(client.download(server.url(), tmp_path / f"{number}"))
                for number in range(MAX_THREADS + 2)
            ]
            await until(lambda: len(jam.waiting) == MAX_THREADS)
            began = time.monotonic()
            failure = (
                await client.download(server.url(), tmp_path / "next", timeout=LIMIT)
            ).failure()
            took = time.monotonic() - began
        done = await asyncio.gather(*downloads)
    assert isinstance(failure, HTTPTimeoutError)
    assert took < PROMPT
    assert all(result.unwrap().size == 7 for result in done)


def test_a_forked_process_downloads_too(tmp_path: Path) -> None:
    """It has none of the threads of its parent."""

    async def main(name: str) -> int:
        async with ScriptedServer(serves(b"content")) as server, HTTPClient() as client:
            result = await client.download(server.url(), tmp_path / name, timeout=60.0)
        return result.unwrap().size

    assert asyncio.run(main("parent")) == 7
    process = multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(main("child")))
    process.start()
    process.join(120)
    assert process.exitcode == 0


def sends_chunked(content: bytes) -> Play:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return sends(head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content))


# -- sizes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, len(CONTENT) - 1])
@pytest.mark.parametrize("has_length", [True, False])
async def test_a_file_larger_than_allowed_fails_and_leaves_nothing(
    client: HTTPClient, target: Path, limit: int, has_length: bool
) -> None:
    play = serves(CONTENT, V1) if has_length else sends_chunked(CONTENT)
    async with ScriptedServer(play) as server:
        failure = (await client.download(server.url(), target, max_download_bytes=limit)).failure()
    assert isinstance(failure, HTTPResponseTooLargeError)
    assert failure.limit == limit
    # A busy disk is left to its thread (decision 125).
    await until(lambda: list(target.parent.iterdir()) == [])


async def test_a_file_as_large_as_allowed_is_whole(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(serves(CONTENT)) as server:
        result = await client.download(server.url(), target, max_download_bytes=len(CONTENT))
    assert result.unwrap().size == len(CONTENT)


@pytest.mark.parametrize(("most", "limit"), [(1 << 30, 1 << 20), (None, 1 << 20), (1000, 1000)])
async def test_a_bomb_is_stopped_at_max_response_bytes_or_sooner(
    target: Path, most: int | None, limit: int
) -> None:
    """A coding was not requested, so what it expands to is bounded like a body in memory."""
    bomb = gzip.compress(bytes(64 << 20))
    config = HTTPClientConfig(max_response_bytes=1 << 20)
    async with (
        ScriptedServer(sends(answer(bomb, "Content-Encoding: gzip", V1))) as server,
        HTTPClient(config) as client,
    ):
        result = await client.download(server.url(), target, max_download_bytes=most)
    failure = result.failure()
    assert isinstance(failure, HTTPResponseTooLargeError)
    assert failure.limit == limit
    await until(lambda: list(target.parent.iterdir()) == [])


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "1"])
async def test_a_limit_that_is_none_is_refused(
    client: HTTPClient, target: Path, limit: int
) -> None:
    failure = (
        await client.download("http://127.0.0.1:1/", target, max_download_bytes=limit)
    ).failure()
    assert failure.label == "max_download_bytes"


async def test_there_may_be_no_limit(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(serves(CONTENT)) as server:
        result = await client.download(server.url(), target, max_download_bytes=None)
    assert result.unwrap().size == len(CONTENT)
