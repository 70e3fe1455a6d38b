"""A pool whose connections have transports that a test watches."""

import asyncio
import ssl
from functools import partial
from unittest.mock import Mock

from aiohttp.client_reqrep import ConnectionKey

from railhttp.model.config import ConnectionPoolConfig
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.connector import KeepaliveConnector


def key_of(host: str, *, is_ssl: bool = False) -> ConnectionKey:
    return ConnectionKey(host, 80, is_ssl, True, None, None, None)


class WatchedPool:
    """A connector, and connections whose transports are watched."""

    def __init__(self, **settings: float) -> None:
        config = ConnectionPoolConfig(**settings)  # type: ignore[arg-type]  # as named
        self.connector = KeepaliveConnector(config, ssl.create_default_context())

    def used(self, key: ConnectionKey) -> StrictResponseHandler:
        """Return a connection that serves a request."""
        connection = self.connector._factory()
        assert isinstance(connection, StrictResponseHandler)
        transport = Mock(spec=asyncio.Transport)
        transport.is_closing.return_value = False
        transport.get_extra_info.return_value = None
        transport.get_write_buffer_size.return_value = 0
        connection.connection_made(transport)
        lost = partial(asyncio.get_running_loop().call_soon, connection.connection_lost, None)
        transport.close.side_effect = transport.abort.side_effect = lost
        self.connector.lend(key, connection)
        return connection
