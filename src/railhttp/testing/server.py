"""A script on a real socket of loopback: for demonstrations, and for clients of other kinds."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from railhttp.model.body import BytesBody
from railhttp.model.errors import Delivery, HTTPClientError
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import Stage
from railhttp.model.timings import PhaseTimer
from railhttp.testing.contract import ContractBroken
from railhttp.testing.scripted.playback import ScriptedResponse
from railhttp.testing.scripted.transport import ScriptedTransport, UnmatchedRequestError

_LARGEST_HEAD: Final = 64 * 1024
_BODILESS: Final = frozenset({204, 304})
_OPTIONS: Final = SendOptions(connect_timeout=None, read_timeout=None)


class _MalformedRequestError(ValueError):
    """A request that is not HTTP/1.1."""


@dataclass(slots=True)
class _Arrival:
    """The state of a request that arrived; see `AttemptState`."""

    attempts: int = 1
    started: float = 0.0
    stage: Stage = Stage.QUEUED
    repeatable: bool = False
    timer: PhaseTimer | None = None
    starvation: Callable[[], str] | None = None

    def pool_waited(self, seconds: float, *, admitted: bool) -> None:
        """Ignore it: a server has no pool."""

    @property
    def delivery(self) -> Delivery:
        return self.stage.delivery


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    version: str
    headers: CIMultiDictProxy[str]

    @property
    def keeps_alive(self) -> bool:
        wish = self.headers.get("Connection", "").lower()
        return self.version == "HTTP/1.1" and "close" not in wish

    @property
    def is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower().endswith("chunked")


class ScriptServer:
    """Plays a script to real connections (HTTP/1.1), for the length of an `async with` block.

    A failure of the script closes its connection with a reset. A request without a route gets a
    501, and so does one whose step breaks the contract of its endpoint. At the end of the block all
    connections are closed, and the first `ContractBroken` is raised.

    Args:
        script: The script.
        host: The address to listen on.
        port: The port; 0 for a free one.

    Attributes:
        script: The script.
    """

    def __init__(
        self, script: ScriptedTransport, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.script: Final = script
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._broken: list[ContractBroken] = []

    def __repr__(self) -> str:
        place = "not running" if self._server is None else f"at {self.url}"
        return f"<{type(self).__name__} of {self.script!r}, {place}>"

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at its end.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._server is None:
            raise RuntimeError("the server is not running: use `async with`")
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, self._host, self._port, limit=_LARGEST_HEAD
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if server is not None:
            await server.wait_closed()
        if exc is None and self._broken:
            raise self._broken[0]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while await self._exchange(reader, writer):
                pass
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # the client left, or the block ended
        except (_MalformedRequestError, asyncio.LimitOverrunError):
            await _send_text(writer, 400, "not an HTTP/1.1 request")
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; return whether another one may follow."""
        head = await _read_head(reader)
        if head.headers.get("Expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = b"".join([piece async for piece in _pieces(head, reader)])
        try:
            response = await self.script.open(self._request(head, body), _Arrival())
            return await _send(response, head, writer)
        except HTTPClientError:
            _reset(writer)
            return False
        except UnmatchedRequestError as error:
            await _send_text(writer, 501, str(error), head.method)
        except ContractBroken as error:
            self._broken.append(error)
            await _send_text(writer, 501, str(error), head.method)
        return False

    def _request(self, head: _Head, body: bytes) -> Request:
        target = head.target if "://" in head.target else f"{self.url}{head.target}"
        content_type = head.headers.get("Content-Type", "")
        return Request(
            head.method,
            URL(target, encoded=True),
            head.headers,
            BytesBody(body, content_type) if body else None,
            None,
            _OPTIONS,
        )


def serve(script: ScriptedTransport, *, host: str = "127.0.0.1", port: int = 0) -> ScriptServer:
    """Serve a script on a real socket, for the length of an `async with` block.

    Args:
        script: The script; routes may be added while it is served.
        host: The address to listen on.
        port: The port; 0 for a free one.

    Example:
        >>> from railhttp import HTTPClient
        >>> async def main() -> object:
        ...     script = ScriptedTransport()
        ...     script.on("GET", "/users/*").reply(json=[7])
        ...     async with serve(script) as server, HTTPClient(base_url=server.url) as client:
        ...         return (await client.get("/users/7")).unwrap().json()
        >>> asyncio.run(main())
        [7]
    """
    return ScriptServer(script, host=host, port=port)


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")[:-2]
    parts = start.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _MalformedRequestError
    fields = CIMultiDict[str]()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _MalformedRequestError
        fields.add(name, value.strip(" \t"))
    return _Head(parts[0], parts[1], parts[2], CIMultiDictProxy(fields))


async def _pieces(head: _Head, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    if not head.is_chunked:
        length = head.headers.get("Content-Length", "0")
        yield await reader.readexactly(_number(length, 10))
        return
    while size := _number((await _line(reader)).partition(";")[0].strip(), 16):
        yield await reader.readexactly(size)
        await _line(reader)
    while await _line(reader):
        pass  # trailer fields


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n"))[:-2].decode("latin-1")


def _number(text: str, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if number < 0:
        raise _MalformedRequestError
    return number


async def _send(response: ScriptedResponse, head: _Head, writer: asyncio.StreamWriter) -> bool:
    answer = response.answer()
    has_body = head.method != "HEAD" and answer.status not in _BODILESS
    # The body of a script has no content coding any more.
    fields = CIMultiDict(answer.headers)
    fields.popall("Content-Encoding", None)
    chunked = has_body and "Content-Length" not in fields and head.version == "HTTP/1.1"
    keeps_alive = head.keeps_alive and (chunked or not has_body)
    if chunked:
        fields["Transfer-Encoding"] = "chunked"
    if not keeps_alive:
        fields["Connection"] = "close"
    writer.write(_head(answer.status, fields))
    while has_body and (chunk := await response.chunk()):
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return keeps_alive


async def _send_text(
    writer: asyncio.StreamWriter, status: int, text: str, method: str = "GET"
) -> None:
    body = text.encode()
    fields = CIMultiDict(
        {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    writer.write(_head(status, fields) + (b"" if method == "HEAD" else body))
    with suppress(OSError):
        await writer.drain()


def _head(status: int, fields: CIMultiDict[str]) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
