"""A connection that a request has for itself."""

from dataclasses import dataclass

from aiohttp.client_reqrep import ConnectionKey

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.idle_connector import IdleConnector


@dataclass(slots=True, eq=False)
class Lease:
    """A connection in use by one request, until it is given back.

    aiohttp's `Connection` does the same with callbacks and a finaliser, at a cost per request.
    """

    _connector: IdleConnector
    _key: ConnectionKey
    protocol: StrictResponseHandler

    def give_back(self, *, reusable: bool) -> None:
        """Release the connection, once; it is closed unless it is intact and `reusable`."""
        self.protocol.has_served = True
        self._connector.take_back(self._key, self.protocol, reusable=reusable)
