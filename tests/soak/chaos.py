"""A server with a fault for each request, named in its path, and a ledger of the requests.

It runs in a thread with its own event loop, so that it takes no time of the client's loop.
"""

import asyncio
import gzip
import random
import socket
import struct
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from tests.soak.plans import STATUSES, body_of, upload_of

EVENTS: Final = 6
"""How many events a stream has, over all its connections."""

_MOST: Final = 255


@dataclass(slots=True)
class Ledger:
    """What the server received and sent for each call; a byte for each, so that it never grows."""

    requests: bytearray
    moved: bytearray
    answers: bytearray
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, count: int) -> Self:
        return cls(bytearray(count), bytearray(count), bytearray(count))

    def add(self, row: bytearray, number: int) -> int:
        """Count, and return how often it was before."""
        before = row[number]
        row[number] = min(_MOST, before + 1)
        return before


@dataclass(slots=True)
class Request:
    """A request that was read."""

    method: str
    number: int
    faults: list[str]
    kind: str
    is_moved: bool
    fields: dict[str, str]
    attempt: int

    @property
    def fault(self) -> str:
        return self.faults[min(self.attempt, len(self.faults) - 1)]


class Peer:
    """One connection."""

    def __init__(
        self, server: "ChaosServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def serve(self) -> None:
        """Play requests until one of them ends the connection."""
        with suppress(OSError, EOFError, ValueError):
            while await self._serve_next():
                pass
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def _serve_next(self) -> bool:
        request = await self._head()
        return request is not None and await self._play(request)

    async def _head(self) -> Request | None:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        start, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = start.split(" ")
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        number, faults, kind, *moved = target.strip("/").split("/")
        ledger = self.server.ledger
        row = ledger.moved if moved else ledger.requests
        attempt = ledger.add(row, int(number))
        return Request(method, int(number), faults.split(","), kind, bool(moved), fields, attempt)

    async def _play(self, request: Request) -> bool:
        if request.kind == "events":
            return await self._events(request)
        if request.kind == "barrier":
            await self._body(request)
            return await self.server.meet() and await self._whole(request)
        fault = "ok" if request.is_moved else request.fault
        if fault != "early":
            await self._body(request)
        play: Callable[[Request], Awaitable[bool]] = getattr(self, f"_{fault}", self._status)
        return await play(request)

    async def _body(self, request: Request) -> None:
        size = int(request.fields.get("content-length", 0))
        body = await self.reader.readexactly(size)
        if "transfer-encoding" in request.fields:
            while length := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(length)
                await self.reader.readexactly(2)
            await self.reader.readline()
        if request.method in {"POST", "PUT"} and body != upload_of(request.number):
            self.server.ledger.wrong.append(f"call {request.number}: another body was received")

    async def send(self, request: Request, data: bytes) -> None:
        self.server.ledger.answers[request.number] = 1
        self.writer.write(data)
        await self.writer.drain()

    def _reset_now(self) -> bool:
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        return False

    def _response(self, request: Request, *fields: str, status: str = "200 OK") -> bytes:
        body = body_of(request.number)
        if request.kind == "download":
            fields = (*fields, f'ETag: "{request.number}"')
            if given := request.fields.get("range"):
                start = int(given.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    status, place = "416 Range Not Satisfiable", f"*/{len(body)}"
                else:
                    status, place = "206 Partial Content", f"{start}-{len(body) - 1}/{len(body)}"
                fields = (*fields, f"Content-Range: bytes {place}")
                body = body[start:]
        return self._message(request, body, *fields, status=status)

    def _message(self, request: Request, body: bytes, *fields: str, status: str) -> bytes:
        lines = [f"HTTP/1.1 {status}", f"X-Call: {request.number}", *fields]
        if not any(line.startswith(("Content-Length", "Transfer")) for line in fields):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    # -- what a request can meet ----------------------------------------------------------

    async def _whole(self, request: Request) -> bool:
        await self.send(request, self._response(request))
        return True

    _ok = _whole

    async def _chunked(self, request: Request) -> bool:
        body = body_of(request.number)
        if request.kind == "download":
            return await self._whole(request)
        head = self._message(request, b"", "Transfer-Encoding: chunked", status="200 OK")
        chance = random.Random(request.number)  # no secret
        await self.send(request, head)
        while body:
            size = min(len(body), chance.randint(1, 1 + len(body) // 2))
            piece, body = body[:size], body[size:]
            await self.send(request, b"%x\r\n%b\r\n" % (size, piece))
        await self.send(request, b"0\r\n\r\n")
        return True

    async def _gzip(self, request: Request) -> bool:
        if request.kind == "download":
            return await self._whole(request)
        packed = gzip.compress(body_of(request.number), 1)
        data = self._message(request, packed, "Content-Encoding: gzip", status="200 OK")
        await self.send(request, data)
        return True

    async def _bad_gzip(self, request: Request) -> bool:
        packed = bytearray(gzip.compress(body_of(request.number), 1))
        packed[-6] ^= 0xFF  # the checksum
        data = self._message(request, bytes(packed), "Content-Encoding: gzip", status="200 OK")
        await self.send(request, data)
        return True

    async def _interim(self, request: Request) -> bool:
        await self.send(request, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        return await self._whole(request)

    async def _drip(self, request: Request) -> bool:
        data = self._response(request)
        cuts = sorted(random.Random(request.number).sample(range(len(data)), min(5, len(data))))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            await self.send(request, data[start:end])
            await asyncio.sleep(0.002)
        return True

    async def _moved(self, request: Request) -> bool:
        target = f"/{request.number}/ok/{request.kind}/moved"
        data = self._message(
            request, b"moved", f"Location: {target}", status="307 Temporary Redirect"
        )
        await self.send(request, data)
        return True

    async def _closing(self, request: Request) -> bool:
        await self.send(request, self._response(request, "Connection: close"))
        return False

    async def _late_close(self, request: Request) -> bool:
        await self._whole(request)
        await asyncio.sleep(0.001)
        return False

    # Unasked bytes may arrive with the response, or any time later. Those that arrive after the
    # next request was written look like its response to any client, so the server stops as soon
    # as there is one.

    async def _unasked(self, request: Request) -> bool:
        junk = b"HTTP/1.1 200 OK\r\nX-Call: 0\r\nContent-Length: 5\r\n\r\nfalse"
        await self.send(request, self._response(request) + junk)
        await asyncio.sleep(0.05)
        return False

    async def _late_408(self, request: Request) -> bool:
        junk = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
        await self.send(request, self._response(request) + junk)
        await asyncio.sleep(0.05)
        return False

    async def _late_junk(self, request: Request) -> bool:
        before = self._received()
        await self._whole(request)
        pause = random.Random(request.number).choice((0.0, 0.0005, 0.002, 0.01))
        try:
            async with asyncio.timeout(pause):
                following = await self._head()
            return following is not None and await self._play(following)
        except TimeoutError:
            pass
        if before and self._received() == before:
            self.writer.write(b"HTTP/1.1 200 OK\r\nX-Call: 0\r\nContent-Length: 5\r\n\r\nfalse")
            await asyncio.sleep(0.05)
        return False

    def _received(self) -> bytes:
        """Return how many bytes have arrived, read or not.

        Unlike `select`, this does not release the GIL, so the client cannot send meanwhile.
        """
        if sys.platform != "linux":
            return b""
        sock: socket.socket = self.writer.get_extra_info("socket")
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)[128:]

    async def _status(self, request: Request) -> bool:
        status = f"{STATUSES[request.fault]} Sorry"
        fields = ["Retry-After: 0"] if request.fault == "s429" else []
        await self.send(request, self._message(request, b"sorry", *fields, status=status))
        return True

    async def _early(self, request: Request) -> bool:
        """Respond before the body was read, and close."""
        data = self._message(request, b"too large", "Connection: close", status="413 Too Large")
        await self.send(request, data)
        await asyncio.sleep(0.001)
        return False

    async def _reset(self, _: Request) -> bool:
        return self._reset_now()

    async def _fin(self, _: Request) -> bool:
        return False

    async def _cut(self, request: Request) -> bool:
        data = self._response(request)
        await self.send(request, data[: len(data) - 1 - request.number % 7])
        return self._reset_now() if request.number % 2 else False

    async def _cut_chunk(self, request: Request) -> bool:
        head = self._message(request, b"", "Transfer-Encoding: chunked", status="200 OK")
        await self.send(request, head + b"ff\r\n" + body_of(request.number)[:2])
        return False

    async def _garbage(self, request: Request) -> bool:
        junk = [
            b"\0\0\0\0\r\n\r\n",
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        ]
        await self.send(request, junk[request.number % 3])
        return False

    async def _hang(self, _: Request) -> bool:
        await self.reader.read()
        return False

    async def _stall(self, request: Request) -> bool:
        await self.send(request, self._response(request)[:-1])
        await self.reader.read()
        return False

    async def _events(self, request: Request) -> bool:
        last = int(request.fields.get("last-event-id", 0))
        if last >= EVENTS:
            await self.send(request, self._message(request, b"", status="204 No Content"))
            return True
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        end = min(EVENTS, last + 3)
        events = "".join(
            f"id: {n}\ndata: {request.number}/{n}\n\n" for n in range(last + 1, end + 1)
        )
        data = f"{head}retry: 1\n\n{events}data: half of an eve".encode()
        await self.send(request, data)
        return False


class ChaosServer:
    """The server, on a free port of 127.0.0.1."""

    def __init__(self, count: int, meeting: int) -> None:
        self.ledger = Ledger.of(count)
        self.url = ""
        self._meeting = meeting
        self._present = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(60):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)

    async def meet(self) -> bool:
        """Wait until the expected number of requests has arrived."""
        self._present += 1
        if self._present == self._meeting:
            self._met.set()
        await self._met.wait()
        return True

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._met = asyncio.Event()
        peers: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                peers.add(task)
                task.add_done_callback(peers.discard)
            await Peer(self, reader, writer).serve()

        server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._ready.set()
        await self._end.wait()
        server.close()
        for peer in tuple(peers):
            peer.cancel()
        await asyncio.gather(*peers, return_exceptions=True)
