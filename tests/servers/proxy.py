"""A small HTTP proxy: absolute-form requests and CONNECT tunnels, with or without a password."""

import asyncio
import ssl
from base64 import b64encode
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from tests.servers.connection import Connection, Received
from tests.servers.listener import Listener
from tests.servers.registry import answer, head

_HOP_HEADERS: Final = frozenset({"proxy-authorization", "proxy-connection", "connection"})
_PIECE: Final = 65536


class ProxyServer(Listener):
    """The proxy.

    Args:
        username: Asked for, with `password`, by 407 and Basic; empty asks for nothing.
        password: See `username`.
        connect_answer: Sent instead of opening a tunnel, byte for byte; then FIN.
        established: The head that opens a tunnel, byte for byte.
        ssl_context: Makes it a proxy that is itself spoken to over TLS.

    Attributes:
        received: Each request that came, the refused ones included; CONNECT has `host:port` as
            its target, and what passes through the tunnel is not looked at.
    """

    def __init__(
        self,
        *,
        username: str = "",
        password: str = "",
        connect_answer: bytes = b"",
        established: bytes = b"",
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(ssl_context=ssl_context)
        self.received: Final[list[Received]] = []
        credentials = b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._wanted: Final = f"Basic {credentials}" if username else ""
        self._connect_answer: Final = connect_answer
        self._established: Final = established or head(status="200 Connection established")

    async def handle(self, connection: Connection) -> None:
        request = await connection.read_body(await connection.read_head())
        self.received.append(request)
        if self._wanted and request.header("proxy-authorization") != self._wanted:
            challenge = 'Proxy-Authenticate: Basic realm="test"'
            status = "407 Proxy Authentication Required"
            await connection.send(answer(b"", challenge, "Connection: close", status=status))
        elif request.method == "CONNECT" and self._connect_answer:
            await connection.send(self._connect_answer)
        else:
            await self._pass_on(connection, request)

    async def _pass_on(self, connection: Connection, request: Received) -> None:
        tunnel = request.method == "CONNECT"
        origin = urlsplit(f"//{request.target}" if tunnel else request.target)
        try:
            reader, writer = await asyncio.open_connection(origin.hostname, origin.port or 80)
        except OSError:
            await connection.send(answer(b"", "Connection: close", status="502 Bad Gateway"))
            return
        try:
            if tunnel:
                await connection.send(self._established)
            else:
                writer.write(_origin_form(request))
            await join(connection, reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


def _origin_form(request: Received) -> bytes:
    """The request as the origin is to see it: its own path, and a connection for it alone."""
    target = urlsplit(request.target)._replace(scheme="", netloc="").geturl() or "/"
    fields = [f"{name}: {value}" for name, value in request.headers if _goes_on(name)]
    if request.body:
        fields.append(f"Content-Length: {len(request.body)}")
    lines = (f"{request.method} {target} HTTP/1.1", *fields, "Connection: close", "", "")
    return "\r\n".join(lines).encode("latin-1") + request.body


def _goes_on(name: str) -> bool:
    # The body has been read whole, so its framing is written anew.
    return name.lower() not in _HOP_HEADERS | {"content-length", "transfer-encoding"}


async def join(
    connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes both ways until one side ends."""
    ways = (
        asyncio.ensure_future(_carry(connection.reader, writer)),
        asyncio.ensure_future(_carry(reader, connection.writer)),
    )
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
