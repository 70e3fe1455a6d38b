"""A small SOCKS5 proxy (RFC 1928, RFC 1929), without any SOCKS library."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from tests.servers.connection import Connection
from tests.servers.listener import Listener
from tests.servers.proxy import join

_VERSION: Final = b"\x05"
_OPEN, _PASSWORD, _REFUSED = b"\x00", b"\x02", b"\xff"
_IPV4, _NAME, _IPV6 = 1, 3, 4


class SocksServer(Listener):
    """The proxy.

    Args:
        names: The hosts that it can resolve, and where they really are.
        username: Asked for, with `password`; empty asks for nothing.
        password: See `username`.
        reply: The code of the reply to a request; 0 is success.

    Attributes:
        received: The host and port of each request; a name is shown as it came.
    """

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        *,
        username: str = "",
        password: str = "",
        reply: int = 0,
    ) -> None:
        super().__init__()
        self.received: Final[list[tuple[str, int]]] = []
        self._names: Final = names or {}
        self._credentials: Final = (username.encode(), password.encode())
        self._reply: Final = reply

    async def handle(self, connection: Connection) -> None:
        if not await self._welcome(connection):
            return
        host, port = await self._request(connection)
        self.received.append((host, port))
        if self._reply:
            await connection.send(_VERSION + bytes([self._reply]) + b"\x00\x01" + bytes(6))
            return
        reader, writer = await asyncio.open_connection(self._names.get(host, host), port)
        try:
            await connection.send(_VERSION + b"\x00\x00\x01" + bytes(6))
            await join(connection, reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _welcome(self, connection: Connection) -> bool:
        reader = connection.reader
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = _PASSWORD if self._credentials[0] else _OPEN
        if wanted not in methods:
            await connection.send(_VERSION + _REFUSED)
            return False
        await connection.send(_VERSION + wanted)
        if wanted == _OPEN:
            return True
        await reader.readexactly(1)
        given = (await self._text(reader), await self._text(reader))
        await connection.send(b"\x01" + (b"\x00" if given == self._credentials else b"\x01"))
        return given == self._credentials

    async def _request(self, connection: Connection) -> tuple[str, int]:
        reader = connection.reader
        *_, kind = await reader.readexactly(4)
        if kind == _NAME:
            host = (await self._text(reader)).decode()
        elif kind == _IPV4:
            host = socket.inet_ntop(socket.AF_INET, await reader.readexactly(4))
        else:
            assert kind == _IPV6
            host = socket.inet_ntop(socket.AF_INET6, await reader.readexactly(16))
        return host, int.from_bytes(await reader.readexactly(2), "big")

    async def _text(self, reader: asyncio.StreamReader) -> bytes:
        (length,) = await reader.readexactly(1)
        return await reader.readexactly(length)
