"""Listening on loopback, and the life of each accepted connection, without any HTTP library."""

import asyncio
import itertools
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

from tests.servers.connection import Connection

from railhttp.demo.server import LOOPBACK, LOOPBACK_6, listening_sockets

__all__ = ["LOOPBACK", "LOOPBACK_6", "Listener", "refused_port", "unanswered_port"]

_LONGEST_HEAD: Final = 2**20


class _Protocol(asyncio.StreamReaderProtocol):
    """Says when the connection is gone: `wait_closed` cannot be asked again once cancelled."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


class Listener:
    """A server on a free port of 127.0.0.1, and of ::1 where there is one.

    Leaving the context ends every connection, task and socket of it, and raises what a handler
    stumbled over.

    Args:
        ssl_context: Makes it a TLS server.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self.scheme: Final = "https" if ssl_context else "http"
        self._ssl_context = ssl_context
        self._sockets: list[socket.socket] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        self._numbers = itertools.count(1)

    async def handle(self, connection: Connection) -> None:
        """Serve one connection; it is closed (FIN) on return."""
        raise NotImplementedError

    async def greet(self, sock: socket.socket) -> bool:
        """Look at a connection before TLS and HTTP; False if that was all."""
        return True

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._serving)

    @property
    def port(self) -> int:
        port: int = self._sockets[0].getsockname()[1]
        return port

    @property
    def has_ipv6(self) -> bool:
        return len(self._sockets) == 2

    def url(
        self, path: str = "/", *, scheme: str = "", host: str = LOOPBACK, **query: str | float
    ) -> str:
        authority = f"[{host}]" if ":" in host else host
        tail = f"?{urlencode(query)}" if query else ""
        return f"{scheme or self.scheme}://{authority}:{self.port}{path}{tail}"

    async def __aenter__(self) -> Self:
        self._sockets = listening_sockets()
        for sock in self._sockets:
            sock.setblocking(False)
            asyncio.get_running_loop().add_reader(sock, self._accept, sock)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # the tasks' own callbacks close their sockets
        if self._errors and error is None:
            raise self._errors[0]

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # the peer may have left the queue already
            sock, _ = listening.accept()
            sock.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._serve(sock, next(self._numbers)))
            self._serving.add(task)
            task.add_done_callback(lambda done: self._served(done, sock))

    def _served(self, task: asyncio.Task[None], sock: socket.socket) -> None:
        self._serving.discard(task)
        sock.close()
        if not task.cancelled() and (error := task.exception()):
            self._errors.append(error)

    async def _serve(self, sock: socket.socket, number: int) -> None:
        if not await self.greet(sock):
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LONGEST_HEAD)
        protocol = _Protocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, sock, ssl=self._ssl_context
            )
        except OSError:
            return  # the TLS handshake failed; the client knows more about it
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            with suppress(OSError, EOFError):  # the client left, which is its right
                await self.handle(Connection(number, sock, reader, writer, transport))
                writer.close()
                await protocol.lost.wait()
        finally:
            transport.abort()
            await protocol.lost.wait()


@contextmanager
def refused_port() -> Iterator[int]:
    """A port that refuses connections: it is bound, so nobody else gets it, but not listening."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        yield sock.getsockname()[1]


@contextmanager
def unanswered_port() -> Iterator[int]:
    """A port on which a connection never comes about: its queue is full, SYNs are dropped."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind((LOOPBACK, 0))
        listening.listen(0)
        address = listening.getsockname()
        first.connect(address)
        second.setblocking(False)
        with suppress(BlockingIOError):
            second.connect(address)
        yield address[1]
