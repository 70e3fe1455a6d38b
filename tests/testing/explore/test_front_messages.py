"""The requests that a faulty server forwards, and the responses that it spoils."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from tests.servers.listener import LOOPBACK

from railhttp import HTTPClient
from railhttp.testing import ScriptedTransport, serve
from railhttp.testing.explore import Schedule, faults


@dataclass
class Recorder:
    """A server that records the heads that it gets, and replies to each in the same way."""

    reply: bytes
    url: str = ""
    heads: list[bytes] = field(default_factory=list)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def recorder(reply: bytes) -> AsyncIterator[Recorder]:
    recording = Recorder(reply)
    async with await asyncio.start_server(recording.accept, LOOPBACK, 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        recording.url = f"http://{LOOPBACK}:{port}"
        yield recording


async def sent_to(url: str, request: bytes) -> bytes:
    """Send bytes to a server, and return all that comes back."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    response = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    await writer.wait_closed()
    return response


def fields_of(message: bytes) -> dict[str, str]:
    head = message.partition(b"\r\n\r\n")[0].decode()
    pairs = [line.partition(": ") for line in head.split("\r\n")[1:]]
    assert len(pairs) == len({name.lower() for name, _, _ in pairs}), "a field comes twice"
    return {name.lower(): value for name, _, value in pairs}


REQUEST = b"GET /a HTTP/1.1\r\nHost: front\r\nConnection: keep-alive\r\nX-A: 1\r\n\r\n"
REPLY = (
    b"HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nETag: 7\r\nContent-Encoding: gzip\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
)
BODY = REPLY.partition(b"\r\n\r\n")[2]


async def test_a_request_is_passed_on_for_the_server_behind() -> None:
    async with recorder(REPLY) as behind, faults.play(behind) as front:
        response = await sent_to(front.url, REQUEST)
    (head,) = behind.heads
    assert head.startswith(b"GET /a HTTP/1.1\r\n")
    host = behind.url.removeprefix("http://")
    assert fields_of(head) == {"x-a": "1", "host": host, "connection": "close"}
    assert response.startswith(b"HTTP/1.1 201 Created\r\n")
    assert response.endswith(b"\r\n\r\n" + BODY)
    assert fields_of(response) == {
        "etag": "7",
        "content-encoding": "gzip",
        "transfer-encoding": "chunked",
        "connection": "close",
    }


@pytest.mark.parametrize(
    ("fault", "fields", "body"),
    [
        ("truncated", {"content-length": str(len(BODY) + 1)}, BODY[: len(BODY) // 2]),
        ("decode", {"content-encoding": "gzip", "content-length": "8"}, b"not gzip"),
    ],
)
@pytest.mark.parametrize(
    ("status", "shown"),
    [("201 Created", "201 Created"), ("204 No Content", "200 OK"), ("304 Not Modified", "200 OK")],
)
async def test_a_spoilt_response_keeps_its_fields_but_not_its_framing(
    fault: str, fields: dict[str, str], body: bytes, status: str, shown: str
) -> None:
    schedule = Schedule.parse(f"GET /a: {fault}, acted")
    reply = REPLY.replace(b"201 Created", status.encode())
    async with recorder(reply) as behind, faults.play(behind, schedule) as front:
        response = await sent_to(front.url, REQUEST)
    assert len(behind.heads) == 1
    assert response.startswith(f"HTTP/1.1 {shown}\r\n".encode())
    assert response.endswith(b"\r\n\r\n" + body)
    assert fields_of(response) == {"etag": "7", "connection": "close", **fields}


async def test_a_new_schedule_counts_the_attempts_anew() -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").reply(text="a")
    schedule = Schedule.parse("GET /a: 503, once")
    async with serve(script) as server, faults.play(server) as front, HTTPClient() as client:
        for _ in range(2):
            front.schedule = schedule
            response = (await client.get(f"{front.url}/a?page=1")).unwrap()
            assert (response.text, response.attempts) == ("a", 2)
        assert front.schedule == schedule
