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
from aiohttp.connector import AddrInfoType
from typing_extensions import override

from railhttp.transport.name_connector import NameConnector
from railhttp.transport.tls_transport import TLSTransport


class TLSConnector(NameConnector):
    """A connector whose connections to servers have our TLS.

    Those to proxies have the TLS of the event loop, because uvloop begins a second TLS, with the
    server, on transports of its own only.
    """

    __slots__ = ()

    # The signature is aiohttp's.
    @override
    # Pyright knows of one kind of coroutines only; aiohttp awaits any.
    def _wrap_create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *args: Any,
        addr_infos: list[AddrInfoType],
        req: ClientRequest,
        timeout: ClientTimeout,
        client_error: type[Exception] = ClientConnectorError,
        **kwargs: Any,
    ) -> Coroutine[object, None, tuple[asyncio.Transport, ResponseHandler]]:
        connect = partial(
            super()._wrap_create_connection,
            addr_infos=addr_infos,
            req=req,
            timeout=timeout,
            client_error=client_error,
        )
        context = kwargs.get("ssl")
        if not isinstance(context, ssl.SSLContext) or client_error is ClientProxyConnectionError:
            return connect(*args, **kwargs)
        factory, *rest = args
        name = kwargs.pop("server_hostname")
        del kwargs["ssl"]
        layer = partial(TLSTransport, self._loop, context, name, factory)
        return _secured(connect(layer, *rest, **kwargs), req, timeout)


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
