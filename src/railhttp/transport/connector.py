"""What the project adds to aiohttp's connector, request and response classes.

Each is a class that `ClientSession` takes as an argument, so nothing of aiohttp is patched.
"""

import math
import ssl
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import (
    ClientConnectionError,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from typing_extensions import override

from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.stage import Progress, Stage

if TYPE_CHECKING:
    from aiohttp import ClientTimeout
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
        return await super().send(conn)

    @override
    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: "Connection", content_length: int | None = None
    ) -> None:
        # It runs as a task of its own, which nobody asks for its outcome; that the connection
        # broke is heard by whoever waits for the answer
        # (tests/transport/test_exchange.py::test_no_exception_is_left_in_a_task).
        with suppress(ClientConnectionError):
            await super().write_bytes(writer, conn, content_length)


class UnrepeatedResponse(ClientResponse):
    """A response whose broken start aiohttp does not answer with a second send."""

    @override
    async def start(self, connection: "Connection") -> ClientResponse:
        try:
            return await super().start(connection)
        except (ClientOSError, ServerDisconnectedError) as error:
            raise BrokenExchangeError from error


class CandidHandler(ResponseHandler):
    """A connection that tells the body being read how the connection ended.

    Where only the connection's end delimits a body, aiohttp takes a RST for a good end; and a body
    in which its C parser found a fault is told nothing, so that its reader waits for ever
    (tests/transport/test_exchange.py::test_a_body_that_breaks_is_never_taken_for_whole).
    """

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        body = self._payload
        if body is not None and not body.is_eof():
            if self._exception is not None:
                body.set_exception(self._exception)
            elif exc is not None:
                body.set_exception(ClientPayloadError(), exc)
        super().connection_lost(exc)


class KeepaliveConnector(TCPConnector):
    """A connector that says when it connects, and keeps no more idle connections than allowed.

    Args:
        config: The pool's settings.
        tls: What https connections are made with.
    """

    def __init__(self, config: ConnectionPoolConfig, tls: ssl.SSLContext) -> None:
        super().__init__(
            limit=config.max_connections,
            limit_per_host=config.max_connections_per_host,
            ttl_dns_cache=config.ttl_dns_cache or None,
            use_dns_cache=config.ttl_dns_cache > 0,
            ssl=tls,
            force_close=config.force_close,
            timeout_ceil_threshold=math.inf,
            # aiohttp refuses a time for connections that are not kept, unless it is None
            keepalive_timeout=None if config.force_close else config.keepalive_timeout,
        )
        handler: type[ResponseHandler] = CandidHandler
        self._factory = partial(handler, loop=self._loop)
        self._max_keepalive = config.max_keepalive_connections

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: "list[Trace]", timeout: "ClientTimeout"
    ) -> "ResponseHandler":
        progress = PROGRESS.get(None)
        if progress is not None:
            progress.stage = Stage.CONNECTING
        try:
            return await super()._create_connection(req, traces, timeout)
        except ServerDisconnectedError as error:  # by a proxy
            raise BrokenExchangeError from error

    @override
    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        # tests/transport/test_pool.py::test_idle_connections_beyond_the_limit_are_closed
        super()._release(key, protocol, should_close=should_close)
        idle = self._conns.get(key)
        while idle and len(idle) > self._max_keepalive:
            idle.popleft()[0].close()
