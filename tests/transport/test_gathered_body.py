"""A body of which several pieces are buffered before they are read."""

import asyncio
import gzip

import pytest
from tests.servers.connection import Connection, Received
from tests.servers.registry import head
from tests.servers.scripted import Play, ScriptedServer

from railhttp import HTTPClient, HTTPConnectionError
from railhttp.client.limited_response import LimitedResponse

PART = b"0123456789" * 5_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    for _ in range(4):
        writer.write(PART)
        await asyncio.sleep(0.005)  # so that the pieces are received one by one
    writer.close()


async def test_all_its_pieces_are_read() -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, HTTPClient() as client:
        port = server.sockets[0].getsockname()[1]
        async with client.stream("GET", f"http://127.0.0.1:{port}/") as chunks:
            await asyncio.sleep(0.1)
            assert isinstance(chunks._resp, LimitedResponse)
            assert await chunks._resp._incoming.read() == PART * 4
        async with client.stream("GET", f"http://127.0.0.1:{port}/") as chunks:
            await asyncio.sleep(0.1)
            assert b"".join([chunk async for chunk in chunks]) == PART * 4


PIECES = [b"one\n", b"two\n", b"three\n"]


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def compressed(pieces: list[bytes]) -> list[bytes]:
    whole = gzip.compress(b"".join(pieces) + bytes(range(256)))
    return [whole[:40], whole[40:80], whole[80:-100]]


def breaks(fields: tuple[str, ...], pieces: list[bytes], *, reset: bool) -> Play:
    """Send pieces that are received one by one, then reset the connection."""

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head(*fields))
        for piece in pieces:
            await connection.send(piece)
            await asyncio.sleep(0.005)
        if reset:
            await asyncio.sleep(0.03)  # a reset discards bytes that the peer has not received yet
            connection.reset()

    return play


LENGTH = ("Content-Length: 1000",)
CHUNKED = ("Transfer-Encoding: chunked",)
IN_CHUNKS = [chunked(piece) for piece in PIECES]
GZIP = [chunked(piece) for piece in compressed(PIECES)]


@pytest.mark.parametrize(
    ("fields", "pieces", "reset"),
    [
        pytest.param(LENGTH, PIECES, False, id="too short, closed"),
        pytest.param(LENGTH, PIECES, True, id="too short, reset"),
        pytest.param(CHUNKED, IN_CHUNKS, False, id="no last chunk, closed"),
        pytest.param(CHUNKED, IN_CHUNKS, True, id="no last chunk, reset"),
        pytest.param(CHUNKED, [*IN_CHUNKS, b"no chunk\r\n"], False, id="no chunk"),
        pytest.param(("Connection: close",), PIECES, True, id="without a length, reset"),
        pytest.param((*CHUNKED, "Content-Encoding: gzip"), GZIP, False, id="gzip"),
    ],
)
async def test_what_had_come_before_a_break_is_read(
    fields: tuple[str, ...], pieces: list[bytes], reset: bool
) -> None:
    async with (
        ScriptedServer(breaks(fields, pieces, reset=reset)) as server,
        HTTPClient() as client,
        client.stream("GET", server.url()) as chunks,
    ):
        await asyncio.sleep(0.1)
        assert (await anext(chunks)).startswith(b"".join(PIECES))
        with pytest.raises(HTTPConnectionError) as caught:
            await anext(chunks)
    assert caught.value.kind in {"truncated", "disconnected", "protocol"}
