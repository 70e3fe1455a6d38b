"""Where misbehaviours enter their names: `reset_before_head` is played on /reset-before-head."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.servers.connection import Connection, Received


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and the connection on which a misbehaviour may do what it likes."""

    connection: Connection
    request: Received
    received: list[Received]

    async def send(self, data: bytes) -> None:
        await self.connection.send(data)

    async def send_slowly(self, data: bytes) -> None:
        """Send byte by byte, `?interval=` seconds apart."""
        for position in range(len(data)):
            await self.send(data[position : position + 1])
            await self.pause()

    async def pause(self) -> None:
        """Wait for `?interval=` seconds, 0.01 unless the query says otherwise."""
        await asyncio.sleep(float(self.query("interval", "0.01")))

    async def hold(self) -> None:
        """Say nothing more until the client leaves or the server ends."""
        await self.connection.until_gone()

    def reset(self) -> None:
        self.connection.reset()

    def query(self, name: str, default: str) -> str:
        return self.request.query.get(name, default)


Play: TypeAlias = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A misbehaviour.

    Args:
        play: What is done once the request has been read; on return the server closes (FIN).
        reads_body: False if `play` is to begin with the body still unread.
        keep_alive: True if the connection then waits for another request instead.
    """

    play: Play
    reads_body: bool
    keep_alive: bool


FAULTS: Final[dict[str, Fault]] = {}


def fault(*, reads_body: bool = True, keep_alive: bool = False) -> Callable[[Play], Play]:
    """Enter a function under its own name."""

    def enter(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        FAULTS[f"/{name}"] = Fault(play, reads_body, keep_alive)
        return play

    return enter


def head(*fields: str, status: str = "200 OK") -> bytes:
    """A response's head, with the blank line that ends it."""
    return "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode("utf-8")


def answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    """A whole response with a true Content-Length."""
    return head(f"Content-Length: {len(body)}", *fields, status=status) + body
