"""Tunnels through an HTTP proxy (RFC 9110, section 9.3.6)."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiohttp import ClientConnectionError, ClientRequest, hdrs

from railhttp.transport.connection import Arrival, StrictResponseHandler
from railhttp.transport.expected import WITHOUT_BODY

_AUTOMATIC: Final = frozenset({hdrs.ACCEPT, hdrs.ACCEPT_ENCODING})


class TunnelRefusedError(ClientConnectionError):
    """A proxy answered a CONNECT with a status other than 2xx."""

    @property
    def status(self) -> int | None:
        """The status, which is the only argument."""
        return next((value for value in self.args if isinstance(value, int)), None)


async def open_tunnel(
    connection: StrictResponseHandler, target: ClientRequest, proxy: ClientRequest
) -> None:
    """Ask a proxy for a tunnel, and wait until it is open.

    Args:
        connection: A new connection to the proxy.
        target: The request that will go through the tunnel.
        proxy: Has the header fields for the proxy.

    Raises:
        TunnelRefusedError: The proxy refused.
        Exception: The connection broke, or the proxy does not speak HTTP.
    """
    host = target.url.raw_host or ""
    authority = f"[{host}]:{target.url.port}" if ":" in host else f"{host}:{target.url.port}"
    given: Mapping[str, str] = target.proxy_headers or {}
    # aiohttp adds fields that describe a response; a tunnel has none.
    fields = [
        f"{name}: {value}"
        for name, value in proxy.headers.items()
        if name not in _AUTOMATIC or name in given
    ]
    # The tunnel begins right after the head of a success, and nothing reads the body of a refusal.
    response: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()
    transport = connection.expect(response, WITHOUT_BODY, read_timeout=None)
    transport.write("\r\n".join([f"CONNECT {authority} HTTP/1.1", *fields, "", ""]).encode())
    head, _ = await response
    if not 200 <= head.status < 300:
        raise TunnelRefusedError(head.status)
