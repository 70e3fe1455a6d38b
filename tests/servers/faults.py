"""A server that misbehaves in the way its path names; the ways are in `misbehaviour/`."""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Final, Literal, TypeAlias

from tests.servers.connection import ClientHelloError, Connection, Received, reset_on_close
from tests.servers.listener import LOOPBACK, Listener
from tests.servers.misbehaviour import (
    bodies,
    connections,
    contents,
    encodings,
    heads,
    redirects,
    timing,
)
from tests.servers.registry import FAULTS, Exchange, answer

ON_PATHS: Final = (connections, heads, bodies, encodings, contents, redirects, timing)

_PIECE: Final = 65536
_PROTOCOL_VERSION_ALERT: Final = b"\x15\x03\x03\x00\x02\x02\x46"  # RFC 8446 section 6: fatal, 70

OnAccept: TypeAlias = Literal["serve", "close", "reset", "stall", "alert"]
"""What happens to a connection before a byte of it is read: no path can choose that."""


class FaultServer(Listener):
    """The misbehaving server.

    Args:
        ssl_context: Makes it a TLS server. A plain one answers TLS with plain text, as many do.
        on_accept: `serve`, or `close` (FIN), `reset` or ignore (`stall`) each connection as it
            comes, or refuse its TLS handshake with an `alert`, as servers other than asyncio's do.

    Attributes:
        received: Each request whose head was read, in order, whatever became of it.
    """

    def __init__(
        self, *, ssl_context: ssl.SSLContext | None = None, on_accept: OnAccept = "serve"
    ) -> None:
        super().__init__(ssl_context=ssl_context)
        self.received: Final[list[Received]] = []
        self._on_accept: Final = on_accept

    def url(
        self, path: str = "/ok", *, scheme: str = "", host: str = LOOPBACK, **query: str | float
    ) -> str:
        if path.partition("?")[0] not in FAULTS:
            raise LookupError(f"there is no misbehaviour {path}")
        return super().url(path, scheme=scheme, host=host, **query)

    async def greet(self, sock: socket.socket) -> bool:
        if self._on_accept == "serve":
            return True
        if self._on_accept == "reset":
            reset_on_close(sock)
            return False
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            if self._on_accept == "alert":
                await loop.sock_recv(sock, _PIECE)
                await loop.sock_sendall(sock, _PROTOCOL_VERSION_ALERT)
            if self._on_accept != "stall":
                sock.shutdown(socket.SHUT_WR)
            while await loop.sock_recv(sock, _PIECE):
                pass  # a close with bytes unread would be a RST
        return False

    async def handle(self, connection: Connection) -> None:
        keep_alive = True
        while keep_alive:
            try:
                request = await connection.read_head()
            except ClientHelloError:
                await connection.send(answer(b"This port speaks HTTP", status="400 Bad Request"))
                return
            fault = FAULTS.get(request.path)
            if fault is None or fault.reads_body:
                request = await connection.read_body(request)
            self.received.append(request)
            if fault is None:
                await connection.send(answer(b"", status="404 Not Found"))
                continue
            if not request.complete:
                return
            await fault.play(Exchange(connection, request, self.received))
            keep_alive = fault.keep_alive and request.header("connection").lower() != "close"
