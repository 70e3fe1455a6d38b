"""Uploads from files and iterators: how they are told of, and how they end."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import sleep

import pytest
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import head
from tests.servers.scripted import ScriptedServer

from railhttp import (
    HTTPClient,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.types import BodyData

PIECE = 256 * 1024
LARGE = bytes(range(256)) * 4096  # 1 MiB


def iterator() -> Iterator[bytes]:
    yield b"ab"
    yield b"cde"


async def async_iterator() -> AsyncIterator[bytes]:
    yield b"ab"
    await asyncio.sleep(0)
    yield b"cde"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"abcde", [(5, 5)]),
        ("abcde", [(5, 5)]),
        ({"a": "b"}, [(3, 3)]),
        (io.BytesIO(b"abcde"), [(5, 5)]),
        ([b"ab", b"cde"], [(2, None), (5, None)]),
        (iterator(), [(2, None), (5, None)]),
        (async_iterator(), [(2, None), (5, None)]),
        (LARGE, [(n * PIECE, 4 * PIECE) for n in (1, 2, 3, 4)]),
        (io.BytesIO(LARGE), [(n * PIECE, 4 * PIECE) for n in (2, 4)]),
        (b"", []),
        (None, []),
    ],
)
async def test_progress_counts_the_bytes_that_went_out(
    client: HTTPClient, echo: EchoServer, data: BodyData | None, told: list[tuple[int, int | None]]
) -> None:
    calls: list[tuple[int, int | None]] = []

    def progress(sent: int, total: int | None) -> None:
        calls.append((sent, total))

    result = await client.post(echo.url("/status/200"), data=data, upload_progress=progress)
    assert result.unwrap().ok
    assert calls == told


async def test_json_and_forms_with_files_have_progress_too(
    client: HTTPClient, echo: EchoServer, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(LARGE)
    calls: list[tuple[int, int | None]] = []
    with path.open("rb") as file:
        result = await client.post_multipart(
            echo.url("/upload"),
            {"title": "large", "file": file},
            upload_progress=lambda sent, total: calls.append((sent, total)),
        )
    parts = result.unwrap().json()
    assert isinstance(parts, list)
    assert isinstance(parts[1], dict)
    assert parts[1]["sha256"] == hashlib.sha256(LARGE).hexdigest()
    sent, total = calls[-1]
    assert sent == total
    assert sent > len(LARGE)
    await client.post(
        echo.url("/status/200"),
        json=[1],
        upload_progress=lambda sent, total: calls.append((sent, total)),
    )
    assert calls[-1] == (3, 3)


async def test_a_second_attempt_counts_from_the_beginning(echo: EchoServer) -> None:
    calls: list[int] = []
    async with HTTPClient(retry_policy=RetryPolicy(base_delay=0.001)) as client:
        result = await client.put(
            echo.url("/flaky/a/1"),
            data=b"abc",
            upload_progress=lambda sent, total: calls.append(sent),
        )
    assert result.unwrap().attempts == 2
    assert calls == [3, 3]


class SlowFile(io.BytesIO):
    """A file whose reads take a while, as over a network; one that has begun cannot be stopped."""

    def read(self, size: int | None = -1, /) -> bytes:
        sleep(0.05)
        return super().read(size)


@pytest.mark.parametrize("start", [0, 1000])
async def test_an_attempt_reads_apart_from_the_one_before(
    client: HTTPClient, faults: FaultServer, start: int
) -> None:
    """A server that redirects at once cuts off the first request in the middle of a read."""
    file = SlowFile(LARGE)
    file.seek(start)
    result = await client.put(faults.url("/redirect-before-body"), data=file)
    assert result.unwrap().body == b"ok"
    assert faults.received[-1].body == LARGE[start:]


async def test_progress_that_raises_fails_the_call(client: HTTPClient, echo: EchoServer) -> None:
    def progress(sent: int, total: int | None) -> None:
        raise KeyError(sent)

    result = await client.post(echo.url("/status/200"), data=b"abc", upload_progress=progress)
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert "KeyError" in str(failure)
    assert isinstance(failure.__cause__, KeyError)


async def test_progress_must_be_callable(client: HTTPClient) -> None:
    result = await client.post("http://h/", upload_progress=7)  # type: ignore[arg-type]  # a mistake
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "upload_progress"


async def test_none_is_no_progress(client: HTTPClient, echo: EchoServer) -> None:
    assert (await client.post(echo.url("/status/200"), data=b"a", upload_progress=None)).unwrap().ok


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"a" * PIECE


async def test_an_upload_that_nobody_takes_ends_with_its_time() -> None:
    sent: list[int] = []
    async with nothing_left(), FaultServer() as faults, HTTPClient() as client:
        result = await client.post(
            faults.url("/stalled-upload"),
            data=endless(),
            timeout=0.3,
            upload_progress=lambda so_far, total: sent.append(so_far),
        )
    failure = result.failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert failure.phase == "total"
    assert sent[-1] < 64 * 1024 * 1024  # what the sockets hold, and no more


async def test_an_upload_can_be_answered_by_a_stream(client: HTTPClient, echo: EchoServer) -> None:
    async with client.stream("POST", echo.url("/get"), data=async_iterator()) as response:
        assert b'"body": "abcde"' in b"".join([chunk async for chunk in response])


async def test_leaving_a_stream_early_cancels_the_rest_of_its_upload() -> None:
    cancelled = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"part"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 6") + b"part")
        await connection.until_gone()

    server = ScriptedServer(play, reads_body=False)
    async with nothing_left(), server, HTTPClient() as client:
        async with client.stream("POST", server.url(), data=body()) as response:
            assert await anext(response) == b"part"
        async with asyncio.timeout(60):
            await cancelled.wait()


async def test_a_body_that_fails_when_the_whole_response_has_come_fails_the_call() -> None:
    """Whether the response had been read by then was a matter of luck."""
    answered, failed = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"part"
        await answered.wait()
        failed.set()
        raise OSError("the file is gone")

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 2") + b"ok")
        await connection.until_gone()

    server = ScriptedServer(play, reads_body=False)
    async with (
        nothing_left(),
        server,
        HTTPClient() as client,
        client.stream("POST", server.url(), data=body()) as response,
    ):
        answered.set()
        await failed.wait()
        await asyncio.sleep(0)
        with pytest.raises(HTTPInvalidRequestError, match="OSError"):
            await response.read()


@pytest.mark.parametrize("timeout", [0.2, 60.0])
async def test_the_upload_of_a_call_that_fails_is_cancelled(timeout: float) -> None:
    """Its time is over, or the server is gone: no caller's iterator is left waiting."""
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"part"
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def play(connection: Connection, _: Received) -> None:
        if timeout == 0.2:
            await connection.until_gone()

    server = ScriptedServer(play, reads_body=False)
    async with nothing_left(), server, HTTPClient() as client:
        failure = (await client.post(server.url(), data=body(), timeout=timeout)).failure()
        assert isinstance(failure, HTTPTimeoutError | HTTPConnectionError)
        async with asyncio.timeout(60):
            await ended.wait()


async def test_a_progress_function_that_returns_an_awaitable_is_refused(
    client: HTTPClient, echo: EchoServer
) -> None:
    async def progress(sent: int, total: int | None) -> None: ...

    result = await client.post(
        echo.url("/status/200"),
        data=b"abc",
        upload_progress=lambda *so_far: progress(*so_far),  # type: ignore[arg-type]  # noqa: PLW0108  # on purpose
    )
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert "upload_progress: it must be a plain function" in str(failure)
