"""Opens connections over TLS."""

import asyncio
import ssl
from collections.abc import Coroutine
from functools import partial
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientProxyConnectionError,
    ClientRequest,
    ClientTimeout,
)
from aiohttp.client_proto import ResponseHandler
from typing_extensions import override

from railhttp.transport.name_connector import NameConnector
from railhttp.transport.tls_transport import TLSTransport


class TLSConnector(NameConnector):
    """A connector whose connections to servers have our TLS.

    Those to proxies have the TLS of the event loop, because uvloop begins a second TLS, with the
    server, on transports of its own only.
    """

    __slots__ = ()

    @override
    # Pyright knows of one kind of coroutines only; aiohttp awaits any.
    def _wrap_create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *args: Any, **kwargs: Any
    ) -> Coroutine[object, None, tuple[asyncio.Transport, ResponseHandler]]:
        context, is_proxy = kwargs.get("ssl"), kwargs["client_error"] is ClientProxyConnectionError
        if not isinstance(context, ssl.SSLContext) or is_proxy:
            return super()._wrap_create_connection(*args, **kwargs)
        factory, *rest = args
        name = kwargs.pop("server_hostname")
        del kwargs["ssl"]
        layer = partial(TLSTransport, self._loop, context, name, factory)
        connecting = super()._wrap_create_connection(layer, *rest, **kwargs)
        return _secured(connecting, kwargs["req"], kwargs["timeout"])


async def _secured(
    connecting: Coroutine[object, None, tuple[object, object]],
    req: ClientRequest,
    timeout: ClientTimeout,
) -> tuple[asyncio.Transport, ResponseHandler]:
    """Wait for TCP and the handshake, with the exceptions of aiohttp."""
    async with asyncio.timeout(timeout.sock_connect):
        _, transport = await connecting
        assert isinstance(transport, TLSTransport)  # noqa: S101  # narrows: made above
        try:
            protocol = await transport.shaken()
        except ssl.CertificateError as error:
            raise ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl.SSLError as error:
            raise ClientConnectorSSLError(req.connection_key, error) from error
        except OSError as error:
            if error.errno is None and isinstance(error, TimeoutError):
                raise
            raise ClientConnectorError(req.connection_key, error) from error
    assert isinstance(protocol, ResponseHandler)  # noqa: S101  # narrows: of our factory
    return transport, protocol
