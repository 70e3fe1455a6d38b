"""A server that plays a script: one function for each request, in the order in which they come."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from tests.servers.connection import Connection, Received
from tests.servers.listener import Listener

Play: TypeAlias = Callable[[Connection, Received], Awaitable[None]]


class ScriptedServer(Listener):
    """The last function is played again and again; on its return the server closes (FIN).

    Args:
        *plays: What is done with each request.
        reads_body: False if that is to begin with the body still unread, and not asked for.
        ssl_context: Makes it a TLS server.

    Attributes:
        received: Each request, in order.
    """

    def __init__(
        self, *plays: Play, reads_body: bool = True, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(ssl_context=ssl_context)
        self._reads_body: Final = reads_body
        self.received: Final[list[Received]] = []
        self._plays = list(plays)

    async def handle(self, connection: Connection) -> None:
        request = await connection.read_head()
        if self._reads_body:
            request = await connection.read_body(request)
        self.received.append(request)
        play = self._plays[0] if len(self._plays) == 1 else self._plays.pop(0)
        await play(connection, self.received[-1])


def sends(*pieces: bytes) -> Play:
    """Send pieces, and FIN."""

    async def play(connection: Connection, _: Received) -> None:
        for piece in pieces:
            await connection.send(piece)

    return play
