"""What the project adds to aiohttp's connector, connection and request classes."""

import math
import ssl
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import ClientConnectionError, ClientPayloadError, ClientRequest, TCPConnector
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


class StagedRequest(ClientRequest):
    """A request of a call, which hears how far it has come.

    Attributes:
        progress: The call; None for a request that belongs to none.
    """

    progress: Progress | None = None

    @override
    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: "Connection", content_length: int | None = None
    ) -> None:
        # It runs as a task of its own, which nobody asks for its outcome; that the connection
        # broke is heard by whoever waits for the answer
        # (tests/transport/test_exchange.py::test_no_exception_is_left_in_a_task).
        with suppress(ClientConnectionError):
            await super().write_bytes(writer, conn, content_length)


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
        if isinstance(req, StagedRequest) and req.progress is not None:
            req.progress.stage = Stage.CONNECTING
        return await super()._create_connection(req, traces, timeout)

    @override
    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        # tests/transport/test_pool.py::test_idle_connections_beyond_the_limit_are_closed
        super()._release(key, protocol, should_close=should_close)
        idle = self._conns.get(key)
        while idle and len(idle) > self._max_keepalive:
            idle.popleft()[0].close()
