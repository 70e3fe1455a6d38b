"""The bytes of a script on a socket: heads, bodies, and when a connection goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from railhttp import HttpResponse
from railhttp.testing import ContractBroken, ScriptedTransport, serve
from railhttp.testing.scripted.requests import SentRequest

PATIENCE = 60


@asynccontextmanager
async def connected(
    script: ScriptedTransport,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose client does not end its side, so that only the server closes it."""
    async with serve(script) as server, asyncio.timeout(PATIENCE):
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def response_to(request: bytes, script: ScriptedTransport) -> bytes:
    """Send a request; return all bytes up to the end of the connection."""
    async with connected(script) as (reader, writer):
        writer.write(request)
        return await reader.read()


async def head_of(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    return start, dict(line.split(": ", 1) for line in lines)


def one(method: str = "GET", **reply: object) -> ScriptedTransport:
    script = ScriptedTransport()
    script.on(method, "/a").reply(**reply)  # type: ignore[arg-type]  # handed on
    return script


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, "HTTP/1.1 200 OK"), (404, "HTTP/1.1 404 Not Found"), (299, "HTTP/1.1 299 ")],
)
async def test_a_status_has_its_phrase(status: int, line: str) -> None:
    async with connected(one(status=status)) as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\n\r\n")
        assert (await head_of(reader))[0] == line


async def test_a_body_is_sent_in_the_chunks_of_its_script() -> None:
    fields = {"X-A": "1", "Content-Encoding": "gzip"}
    async with connected(one(body=[b"a" * 17, b"bc"], headers=fields)) as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\n\r\n")
        _, head = await head_of(reader)
        assert head == {"X-A": "1", "Transfer-Encoding": "chunked"}  # and no content coding
        rest = await reader.readuntil(b"\r\n0\r\n\r\n")
    assert rest == b"11\r\n" + b"a" * 17 + b"\r\n2\r\nbc\r\n0\r\n\r\n"


async def test_a_body_with_a_length_ends_its_connection() -> None:
    request = b"GET /a HTTP/1.1\r\n\r\n"
    found = await response_to(request, one(body=b"abc", headers={"Content-Length": "3"}))
    head, _, body = found.partition(b"\r\n\r\n")
    assert body == b"abc"
    assert b"Content-Length: 3" in head
    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head


@pytest.mark.parametrize(
    ("request_", "method"),
    [
        (b"GET /a HTTP/1.1\r\nConnection: Close\r\n\r\n", "GET"),
        (b"HEAD /a HTTP/1.1\r\nConnection: x, close\r\n\r\n", "HEAD"),
        (b"HEAD /a HTTP/1.0\r\n\r\n", "HEAD"),
        (b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET"),
    ],
)
async def test_a_connection_ends_if_the_client_wants_it(request_: bytes, method: str) -> None:
    found = await response_to(request_, one(method, text="abc"))
    assert b"\r\nConnection: close\r\n" in found


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("POST", 204)]
)
async def test_a_connection_goes_on_after_a_response_without_a_body(
    method: str, status: int
) -> None:
    async with connected(one(method, status=status, body=b"abc")) as (reader, writer):
        for _ in range(2):
            writer.write(f"{method} /a HTTP/1.1\r\n\r\n".encode())
            start, fields = await head_of(reader)
            assert start.split()[1] == str(status)
            assert "Connection" not in fields
            assert "Transfer-Encoding" not in fields


async def test_a_request_is_seen_as_it_was_sent() -> None:
    seen: list[SentRequest] = []

    def keep(sent: SentRequest) -> HttpResponse:
        seen.append(sent)
        return HttpResponse(204)

    script = ScriptedTransport()
    script.on("POST", "**").does(keep)
    async with connected(script) as (reader, writer):
        for target in ("/a%20b?x=%2F", "http://other.example/c"):
            head = f"POST {target} HTTP/1.1\r\nX-A:  caf\udcc3\udca9\t\r\nx-a: 2\r\n"
            head += "Content-Type: text/x\r\nContent-Length: 2\r\n\r\nhi"
            writer.write(head.encode("utf-8", "surrogateescape"))
            await head_of(reader)
        port = writer.get_extra_info("peername")[1]
    urls = [sent.url for sent in seen]
    assert urls == [f"http://127.0.0.1:{port}/a%20b?x=%2F", "http://other.example/c"]
    assert {sent.body for sent in seen} == {b"hi"}
    assert seen[0].headers.getall("X-A") == ["café", "2"]
    assert seen[0].headers.getall("Content-Type") == ["text/x"]


@pytest.mark.parametrize(
    "body",
    [
        b"Transfer-Encoding: chunked\r\n\r\n"
        b"A;x\r\n0123456789\r\n 2 \r\nab\r\n0\r\nT: 1\r\nU: 2\r\n\r\n",
        b"Transfer-Encoding: x, Chunked\r\n\r\na\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n",
        b"Content-Length: 12\r\n\r\n0123456789ab",
    ],
)  # fmt: skip
async def test_a_body_is_read_to_its_end(body: bytes) -> None:
    script = one("POST", status=204)
    async with connected(script) as (reader, writer):
        for _ in range(2):
            writer.write(b"POST /a HTTP/1.1\r\n" + body)
            assert (await head_of(reader))[0].startswith("HTTP/1.1 204 ")
    assert [sent.body for sent in script.calls] == [b"0123456789ab"] * 2


@pytest.mark.parametrize(
    "request_",
    [
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 x\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTPS/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n",
    ],
)
async def test_what_is_not_http_gets_a_400_and_its_connection_ends(request_: bytes) -> None:
    found = await response_to(request_, ScriptedTransport())
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close" in head
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    assert body


async def test_a_head_of_64_kib_is_read() -> None:
    script = one()
    async with connected(script) as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\nX-A: " + b"x" * 65_000 + b"\r\n\r\n")
        assert (await head_of(reader))[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("field", "says"), [("Expect: 100-Continue", 100), ("X: 100-continue", 204), ("Expect: x", 204)]
)
async def test_only_a_client_that_asks_is_told_to_go_on(field: str, says: int) -> None:
    async with connected(one("POST", status=204)) as (reader, writer):
        writer.write(f"POST /a HTTP/1.1\r\n{field}\r\nContent-Length: 1\r\n\r\n".encode())
        if says != 100:
            writer.write(b"x")
        assert (await head_of(reader))[0].startswith(f"HTTP/1.1 {says} ")


async def test_a_request_without_a_route_ends_its_connection() -> None:
    found = await response_to(b"GET /b HTTP/1.1\r\n\r\n", one())
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 501 ")
    assert b"\r\nConnection: close" in head
    assert body


async def test_a_failure_is_a_reset_and_no_orderly_end() -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").fail(ConnectionResetError())
    async with connected(script) as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_the_first_broken_contract_is_raised() -> None:
    first, second = ContractBroken("first"), ContractBroken("second")
    errors = [second, first]

    def broken(_: SentRequest) -> HttpResponse:
        raise errors.pop()

    script = ScriptedTransport()
    script.on("GET", "/a").does(broken)

    async def call_twice() -> None:
        async with serve(script) as server:
            port = int(server.url.rpartition(":")[2])
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /a HTTP/1.1\r\n\r\n")
                assert (await reader.read()).startswith(b"HTTP/1.1 501 ")
                writer.close()

    with pytest.raises(ContractBroken) as caught:
        await call_twice()
    assert caught.value is first


async def test_the_address_and_the_port_can_be_chosen(unused_tcp_port: int) -> None:
    async with serve(one(), host="localhost", port=unused_tcp_port) as server:
        assert server.url == f"http://localhost:{unused_tcp_port}"
        assert server.script.routes
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", unused_tcp_port)


async def ended(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_all_connections_are_closed_at_the_end() -> None:
    arrived = asyncio.Event()

    def arrive(_: SentRequest) -> HttpResponse:
        arrived.set()
        return HttpResponse(200, body=b"x" * 10_000_000)  # more than the client reads

    script = ScriptedTransport()
    script.on("GET", "/a").does(arrive)
    async with asyncio.timeout(PATIENCE):
        async with serve(script) as server:
            port = int(server.url.rpartition(":")[2])
            idle, first = await asyncio.open_connection("127.0.0.1", port)
            busy, second = await asyncio.open_connection("127.0.0.1", port)
            second.write(b"GET /a HTTP/1.1\r\n\r\n")
            await arrived.wait()
        assert await ended(idle) == b""
        assert len(await ended(busy)) < 10_000_000
    first.close()
    second.close()
