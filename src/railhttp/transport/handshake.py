"""TLS handshakes that the server refuses after the client has completed them."""

import asyncio
from ssl import SSLError

from aiohttp import ClientConnectionError


class HandshakeRefusedError(ClientConnectionError):
    """A server refused the handshake after the client had completed it."""


def is_refused_handshake(
    transport: asyncio.BaseTransport | None, error: BaseException | None
) -> bool:
    """Whether a new connection that ended without a response was refused in its handshake.

    Under TLS 1.3 a server judges a client's certificate only after the client's last message. It
    then sends an alert, or just closes. A server that accepts the handshake sends tickets.
    """
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    if tls is None or tls.version() != "TLSv1.3":
        return False
    return isinstance(error, SSLError) or tls.session is None or not tls.session.has_ticket
