"""Responses that come before the whole request is sent (RFC 9110, sections 7.5 and 10.1.1)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from tests.servers.connection import Connection, Received
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer

from railhttp import HTTPClient, HTTPClientConfig

PIECES: Final = 20
SIZE: Final = PIECES * 10_000
CONFIG: Final = HTTPClientConfig(trust_env=False, timeout=20.0)


async def slowly() -> AsyncIterator[bytes]:
    for _ in range(PIECES):
        yield b"a" * 10_000
        await asyncio.sleep(0.002)


class EarlyServer:
    """Answers after the first bytes of a body, then reads on to the body's end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.got = 0
        self.has_all = asyncio.Event()

    async def __call__(self, connection: Connection, request: Received) -> None:
        for piece in self.pieces:
            await connection.reader.readexactly(1)
            self.got += 1
            await connection.send(piece)
        while self.got < SIZE and (more := await connection.reader.read(65_536)):
            self.got += len(more)
        if self.got == SIZE:
            self.has_all.set()


WHOLE: Final = answer(b"ok", status="201 Created")
CUT: Final = (WHOLE[:-1], WHOLE[-1:])


@pytest.mark.parametrize("pieces", [(WHOLE,), CUT, (answer(b"", status="204 No Content"),)])
@pytest.mark.parametrize("read_timeout", [None, 5.0])
async def test_a_success_does_not_end_the_upload(
    pieces: tuple[bytes, ...], read_timeout: float | None
) -> None:
    early = EarlyServer(*pieces)
    async with ScriptedServer(early, reads_body=False) as server, HTTPClient(CONFIG) as client:
        options = {"Content-Length": str(SIZE)}
        result = await client.post(
            server.url(), data=slowly(), headers=options, read_timeout=read_timeout
        )
        assert result.unwrap().status in {201, 204}
        await early.has_all.wait()


async def test_a_stream_is_read_while_the_upload_goes_on() -> None:
    early = EarlyServer(WHOLE)
    async with ScriptedServer(early, reads_body=False) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Length": str(SIZE)}
        call = client.stream("POST", server.url(), data=slowly(), headers=headers)
        async with call as response:
            assert early.got < SIZE
            assert [chunk async for chunk in response.aiter_bytes()] == [b"ok"]
        await early.has_all.wait()


async def test_a_success_whose_connection_closes_counts_without_the_rest() -> None:
    async def play(connection: Connection, _: Received) -> None:
        await connection.reader.readexactly(1)
        await connection.send(answer(b"ok", "Connection: close"))

    async with ScriptedServer(play, reads_body=False) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Length": str(10 * SIZE)}

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"a" * 1000
                await asyncio.sleep(0.001)

        assert (
            await client.post(server.url(), data=endless(), headers=headers)
        ).unwrap().body == b"ok"


async def test_a_body_that_fails_after_a_success_is_a_failure() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * 10_000
        await asyncio.sleep(0.05)
        raise OSError("the disk is gone")

    early = EarlyServer(WHOLE)
    async with ScriptedServer(early, reads_body=False) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Length": str(SIZE)}
        failure = (await client.post(server.url(), data=broken(), headers=headers)).failure()
    assert failure.label == "data"


async def test_the_connection_serves_the_next_request_after_such_an_upload() -> None:
    early = EarlyServer(WHOLE)

    async def twice(connection: Connection, request: Received) -> None:
        await early(connection, request)
        server.received.append(await connection.read_head())
        await connection.send(answer(b"again"))

    async with ScriptedServer(twice, reads_body=False) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Length": str(SIZE)}
        (await client.post(server.url(), data=slowly(), headers=headers, read_timeout=5.0)).unwrap()
        await asyncio.sleep(0)
        assert (await client.get(server.url())).unwrap().body == b"again"
    assert [request.connection for request in server.received] == [1, 1]


@pytest.mark.parametrize("read_timeout", [None, 1.0])
async def test_a_body_that_nobody_asks_for_is_sent_after_a_moment(
    read_timeout: float | None,
) -> None:
    """The limit is its own: `read_timeout` measures a silence after the body."""

    async def play(connection: Connection, _: Received) -> None:
        body = await connection.reader.readexactly(4)
        await connection.send(answer(body))

    config = HTTPClientConfig(trust_env=False, expect_continue_timeout=1.2)
    async with ScriptedServer(play, reads_body=False) as server, HTTPClient(config) as client:
        headers = {"Expect": "100-continue"}
        result = await client.put(
            server.url(), data=b"body", headers=headers, read_timeout=read_timeout
        )
    assert result.unwrap().body == b"body"


def test_the_wait_for_a_100_is_a_second_by_default() -> None:
    assert HTTPClientConfig().expect_continue_timeout == 1.0
