"""One accepted connection: requests are read from it, and anything at all can be sent on it."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_PIECE: Final = 65536
_TLS_HANDSHAKE: Final = b"\x16"


class ClientHelloError(Exception):
    """A client speaks TLS to a plain server."""


def reset_on_close(sock: socket.socket) -> None:
    """Make the socket's close a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass(frozen=True, slots=True)
class Received:
    """A request as a server saw it.

    `body` is what was read of it; `complete` is False when the client left in the middle.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    connection: int
    body: bytes = b""
    complete: bool = True

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    def all(self, name: str) -> list[str]:
        """Every value of a header field, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The first value of a header field, empty where it is missing."""
        return next(iter(self.all(name)), "")


class Connection:
    """An accepted connection; `number` counts them from 1."""

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        transport: asyncio.Transport,
    ) -> None:
        self.number: Final = number
        self.reader: Final = reader
        self.writer: Final = writer
        self._sock: Final = sock
        self._transport: Final = transport

    async def send(self, data: bytes) -> None:
        if self._transport.is_closing():  # uvloop would call this an error of the program's
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection with a RST."""
        reset_on_close(self._sock)
        self._transport.abort()

    async def stop_reading(self) -> None:
        """Take nothing more, and say nothing more, until the server ends."""
        self._transport.pause_reading()
        await asyncio.Event().wait()

    async def until_gone(self) -> None:
        """Say nothing more, and throw away what comes, until the client leaves."""
        while await self.reader.read(_PIECE):
            pass

    async def read_head(self) -> Received:
        """Read a request up to its blank line.

        Raises:
            EOFError: The client left.
            ClientHelloError: This is TLS.
        """
        first = await self.reader.readexactly(1)
        if first == _TLS_HANDSHAKE:
            raise ClientHelloError
        head = first + await self.reader.readuntil(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = start.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name, value.strip()) for name, _, value in pairs)
        return Received(method, target, headers, self.number)

    async def read_body(self, head: Received) -> Received:
        """Read what follows the head; an asked-for `100 Continue` is given."""
        if head.header("expect").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        try:
            async for piece in self._pieces(head):
                body += piece
        except (EOFError, OSError):
            return replace(head, body=bytes(body), complete=False)
        return replace(head, body=bytes(body))

    async def _pieces(self, head: Received) -> AsyncIterator[bytes]:
        if head.header("transfer-encoding").lower() != "chunked":
            async for piece in self._exactly(int(head.header("content-length") or 0)):
                yield piece
            return
        while size := int((await self.reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            async for piece in self._exactly(size):
                yield piece
            await self.reader.readexactly(2)
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailer fields

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self.reader.read(min(size, _PIECE))
            if not piece:
                raise EOFError
            size -= len(piece)
            yield piece
