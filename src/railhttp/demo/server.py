"""The server, from its start to its end."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

from aiohttp import web

from railhttp.demo.bodies import BODIES
from railhttp.demo.language_models import LANGUAGE_MODELS
from railhttp.demo.requests import ROUTES, SEEN, Seen

LOOPBACK: Final = "127.0.0.1"
LOOPBACK_6: Final = "::1"
_LARGEST_BODY: Final = 64 * 1024 * 1024


class DemoServer:
    """A server on 127.0.0.1 and, if the machine has it, ::1. Only a few routes misbehave.

    Args:
        port: Its port; 0 for a free one.
        ssl_context: Makes it a TLS server.
        routes: More routes; they take precedence.

    Attributes:
        seen: How often each key of /count and /flaky was requested.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> async def main() -> object:
        ...     async with DemoServer() as server, HTTPClient() as client:
        ...         return (await client.get(server.url("/users/7"))).unwrap().json()
        >>> asyncio.run(main())
        {'id': 7, 'name': 'Ann'}
    """

    def __init__(
        self,
        *,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        routes: Iterable[web.RouteDef] = (),
    ) -> None:
        self.seen: Final[Seen] = Seen()
        self._ssl_context: Final = ssl_context
        self._port = port
        app = web.Application(client_max_size=_LARGEST_BODY)
        app[SEEN] = self.seen
        app.add_routes([*routes, *ROUTES, *BODIES, *LANGUAGE_MODELS])
        self._runner: Final = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )

    def url(self, path: str = "/get", *, host: str = LOOPBACK, **query: str | float) -> str:
        """Return the URL of a path.

        Args:
            path: The path; empty for the URL of the server itself.
            host: `127.0.0.1`, `::1` or `localhost`.
            **query: Query parameters.
        """
        scheme = "https" if self._ssl_context else "http"
        authority = f"[{host}]" if ":" in host else host
        tail = f"?{urlencode(query)}" if query else ""
        return f"{scheme}://{authority}:{self._port}{path}{tail}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        for sock in listening_sockets(self._port):
            self._port = sock.getsockname()[1]
            await web.SockSite(self._runner, sock, ssl_context=self._ssl_context).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()


def listening_sockets(port: int = 0) -> list[socket.socket]:
    """Open a socket on 127.0.0.1 and one on the same port of ::1, or the first alone."""
    listening = [socket.create_server((LOOPBACK, port), backlog=128)]
    address = (LOOPBACK_6, listening[0].getsockname()[1])
    with suppress(OSError):
        listening.append(socket.create_server(address, family=socket.AF_INET6, backlog=128))
    for sock in listening:
        # Accepted sockets inherit it; asyncio sets it only if `proto` is named, and here it is 0.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
