"""A real server on loopback that forwards requests to another one and plays a schedule.

async with serve() as server, faults.play(server, schedule) as front:
await program(client, front.url)
"""

import asyncio
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.testing.explore.fault import Fault
from railhttp.testing.explore.schedule import Schedule, call_key

_LONGEST_HEAD: Final = 2**20
_PIECE: Final = 65_536
_BROKEN: Final = frozenset(
    {"disconnected", "timeout read", "timeout total", "protocol", "truncated", "decode"}
)


class Located(Protocol):
    """A server with a URL."""

    @property
    def url(self) -> str:
        """The URL of its root."""
        ...


def is_playable(fault: Fault) -> bool:
    """Whether a server can show a fault on a socket; failures to connect are impossible to show.

    Example:
        >>> is_playable(Fault("disconnected", acted=True)), is_playable(Fault("dns"))
        (True, False)
    """
    return fault.name in _BROKEN or fault.kind.reply is not None


class _Message(NamedTuple):
    """A request or a response, with its raw body."""

    start: str
    fields: tuple[str, ...]
    body: bytes

    def field(self, name: str) -> str:
        values = (field.partition(":") for field in self.fields)
        return next((value.strip() for key, _, value in values if key.lower() == name), "")

    def without(self, *names: str) -> tuple[str, ...]:
        return tuple(field for field in self.fields if field.partition(":")[0].lower() not in names)

    @property
    def data(self) -> bytes:
        return _head(self.start, *self.fields) + self.body


class FaultyServer:
    """Forwards every request to a server, except the ones that fail by its schedule.

    `faults.play` creates it. For an `acted` fault the request is forwarded and the response is
    lost; for any other fault the request is dropped. A lasting fault applies to every request of
    its method and path, because a second call looks like a second attempt on a socket. Silence
    lasts until the client disconnects, so set a `read_timeout` or a `timeout` on the client.

    Args:
        server: The server, or its root URL; plain HTTP only.
        schedule: The faults; assign a new schedule at any time.

    Raises:
        HTTPValidationError: A socket cannot show the schedule, or the URL is not one of HTTP.

    Example:
        >>> FaultyServer("http://127.0.0.1:8080", Schedule.parse("GET /users/1: dns"))
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: schedule: a socket cannot show 'dns'; see
        faults.on_sockets()
    """

    def __init__(self, server: Located | str, schedule: Schedule) -> None:
        url = urlsplit(server if isinstance(server, str) else server.url)
        if url.scheme != "http" or not url.hostname:
            raise HTTPValidationError("must be at an http:// URL", field="server")
        self._upstream: Final = url.hostname, url.port or 80
        self._schedule = _checked(schedule)
        self._sent: Counter[str] = Counter()
        self._listening: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def schedule(self) -> Schedule:
        """The faults."""
        return self._schedule

    @schedule.setter
    def schedule(self, schedule: Schedule) -> None:
        self._schedule = _checked(schedule)
        self._sent.clear()

    @property
    def url(self) -> str:
        """The root URL; only after the start."""
        if self._listening is None:
            raise RuntimeError("start it first: `async with faults.play(server) as front`")
        host, port = self._listening.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, limit=_LONGEST_HEAD
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._listening is not None:
            self._listening.close()
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._served(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, EOFError):  # one side disconnected
                await self._serve(reader, writer)
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read_request(reader, writer)
        method, target, _ = request.start.split(" ")
        key = call_key(method, target.partition("?")[0], 1)
        self._sent[key] += 1
        fault = self._schedule.get(key)
        if fault is None or (fault.once and self._sent[key] > 1):
            await self._relay(request, writer)
        else:
            lost = await self._ask(request) if fault.acted else _Message("HTTP/1.1 200 OK", (), b"")
            await _show(fault, lost, reader, writer)
        await writer.drain()
        writer.write_eof()
        await reader.read()  # a close with bytes unread would be a RST

    async def _forward(
        self, request: _Message
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._upstream, limit=_LONGEST_HEAD)
        host, port = self._upstream
        fields = (*request.without("host", "connection"), f"Host: {host}:{port}", _CLOSE)
        writer.write(request._replace(fields=fields).data)
        return reader, writer

    async def _relay(self, request: _Message, client: asyncio.StreamWriter) -> None:
        """Forward a request, and stream the response back."""
        reader, writer = await self._forward(request)
        try:
            head = await _read_head(reader)
            client.write(_head(head.start, *head.without("connection"), _CLOSE))
            while piece := await reader.read(_PIECE):
                client.write(piece)
                await client.drain()
        finally:
            writer.transport.abort()

    async def _ask(self, request: _Message) -> _Message:
        """Forward a request, and read the whole response."""
        reader, writer = await self._forward(request)
        try:
            head = await _read_head(reader)
            body = await reader.read()
            return head._replace(body=body)
        finally:
            writer.transport.abort()


_CLOSE: Final = "Connection: close"


async def _show(
    fault: Fault, lost: _Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send whatever shows the fault."""
    reply = fault.kind.reply
    if reply is not None:
        writer.write(_response(reply))
        return
    fields = lost.without("connection", "content-length", "transfer-encoding", "content-encoding")
    match fault.name:
        case "disconnected":
            writer.transport.abort()
        case "timeout read" | "timeout total":
            await reader.read()  # silence until the client disconnects
        case "protocol":
            writer.write(_head("HTTP/1.1 abc OK", _CLOSE))
        case "truncated":
            half = lost.body[: len(lost.body) // 2]
            length = f"Content-Length: {len(lost.body) + 1}"
            writer.write(_head(_with_body(lost.start), *fields, length, _CLOSE) + half)
        case _:
            coding = ("Content-Encoding: gzip", "Content-Length: 8", _CLOSE)
            writer.write(_head(_with_body(lost.start), *fields, *coding) + b"not gzip")


def _with_body(start: str) -> str:
    """Return a status line that allows a body."""
    return "HTTP/1.1 200 OK" if start.split(" ")[1] in {"204", "304"} else start


def _response(reply: HttpResponse) -> bytes:
    fields = [f"{name}: {value}" for name, value in reply.headers.items()]
    length = [] if reply.status in {204, 304} else [f"Content-Length: {len(reply.body)}"]
    return _head(f"HTTP/1.1 {reply.status} Injected", *fields, *length, _CLOSE) + reply.body


def _head(start: str, *fields: str) -> bytes:
    return "\r\n".join((start, *fields, "", "")).encode("latin-1")


async def _read_head(reader: asyncio.StreamReader) -> _Message:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *fields = head.decode("latin-1").split("\r\n")[:-2]
    return _Message(start, tuple(fields), b"")


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Message:
    """Read a request without decoding its chunks."""
    head = await _read_head(reader)
    if head.field("expect").lower() == "100-continue":
        writer.write(_head("HTTP/1.1 100 Continue"))
        head = head._replace(fields=head.without("expect"))
    if head.field("transfer-encoding").lower() != "chunked":
        return head._replace(body=await reader.readexactly(int(head.field("content-length") or 0)))
    body = b""
    size = -1
    while size:
        line = await reader.readline()
        size = int(line.partition(b";")[0], 16)
        body += line + await reader.readexactly(size + 2)
    return head._replace(body=body)


def _checked(schedule: Schedule) -> Schedule:
    for call, fault in schedule.items():
        if not is_playable(fault):
            message = f"a socket cannot show {fault.name!r}; see faults.on_sockets()"
            raise HTTPValidationError(message, field="schedule")
        if "#" in call:
            message = f"on a socket {call!r} looks like a second attempt of the first call"
            raise HTTPValidationError(message, field="schedule")
    return schedule
