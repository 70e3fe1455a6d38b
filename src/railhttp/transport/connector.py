"""What the project adds to aiohttp's connector, request and response classes.

Each is a class that `ClientSession` takes as an argument, so nothing of aiohttp is patched.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from aiohttp import (
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
    TCPConnector,
)
from typing_extensions import override

from railhttp.model.stage import Progress, Stage

if TYPE_CHECKING:
    from aiohttp import ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

PROGRESS: Final[ContextVar[Progress]] = ContextVar("railhttp_progress")
"""The call that the running task is making; set by the exchange."""


class BrokenExchangeError(Exception):
    """A connection broke after the request was handed to it; the cause says how.

    aiohttp sends a request again when it sees one of its own two classes for this, so they must
    not reach it (tests/transport/test_exchange.py::test_a_dropped_request_is_sent_only_once).
    """


class StagedRequest(ClientRequest):
    """A request that says when its bytes may have left."""

    @override
    async def send(self, conn: "Connection") -> ClientResponse:
        progress = PROGRESS.get(None)
        if progress is not None:
            progress.stage = Stage.SENDING
        try:
            return await super().send(conn)
        except (ClientOSError, ServerDisconnectedError) as error:
            raise BrokenExchangeError from error


class UnrepeatedResponse(ClientResponse):
    """A response whose broken start aiohttp does not answer with a second send."""

    @override
    async def start(self, connection: "Connection") -> ClientResponse:
        try:
            return await super().start(connection)
        except (ClientOSError, ServerDisconnectedError) as error:
            raise BrokenExchangeError from error


class KeepaliveConnector(TCPConnector):
    """A connector that says when it connects, and keeps no more idle connections than allowed."""

    max_keepalive: int = 5

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: "list[Trace]", timeout: "ClientTimeout"
    ) -> "ResponseHandler":
        progress = PROGRESS.get(None)
        if progress is not None:
            progress.stage = Stage.CONNECTING
        return await super()._create_connection(req, traces, timeout)

    @override
    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        # tests/transport/test_pool.py::test_idle_connections_beyond_the_limit_are_closed
        super()._release(key, protocol, should_close=should_close)
        idle = self._conns.get(key)
        while idle and len(idle) > self.max_keepalive:
            idle.popleft()[0].close()
