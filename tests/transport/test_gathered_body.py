"""A body of which several pieces have gathered before anybody asks for them."""

import asyncio

from railhttp import HTTPClient

PART = b"0123456789" * 5_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    for _ in range(4):
        writer.write(PART)
        await asyncio.sleep(0.005)  # so that they are received one by one
    writer.close()


async def test_all_its_pieces_are_read() -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, HTTPClient() as client:
        port = server.sockets[0].getsockname()[1]
        async with client.stream("GET", f"http://127.0.0.1:{port}/") as chunks:
            await asyncio.sleep(0.1)
            assert await chunks._resp.read() == PART * 4
        async with client.stream("GET", f"http://127.0.0.1:{port}/") as chunks:
            await asyncio.sleep(0.1)
            assert b"".join([chunk async for chunk in chunks]) == PART * 4
