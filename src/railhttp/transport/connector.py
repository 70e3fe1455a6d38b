"""What the project adds to aiohttp's connector, connection and request classes."""

import asyncio
import math
import ssl
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, ClientRequest, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from typing_extensions import override
from yarl import URL

from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.stage import Progress, Stage

if TYPE_CHECKING:
    from aiohttp import ClientTimeout
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.tracing import Trace


class Destination(ClientRequest):
    """Where a connection leads to, in the form in which aiohttp's connector takes it.

    Args:
        origin: The origin to reach.
        proxy: What it is reached through; None is nothing.
        tls: The TLS context; None is the pool's own, False skips verification.
        progress: The call, which hears that a connection is made; None where that is known.
    """

    def __init__(
        self,
        origin: URL,
        proxy: URL | None,
        tls: ssl.SSLContext | bool | None,
        progress: Progress | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__("GET", origin, loop=loop, proxy=proxy, ssl=True if tls is None else tls)
        self.progress = progress


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

    @override
    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp asks for it with every piece that is read, paused or not, and each time gives its
        # parser nothing to parse (benchmarks: one request).
        if self._reading_paused:
            super().resume_reading(resume_parser)


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

    def take_idle(self, key: "ConnectionKey") -> Connection | None:
        """Take an idle connection, None where there is none: `connect` waits for one or makes it.

        Args:
            key: Where it leads, see `Destination.connection_key`.
        """
        # What aiohttp's `_get` does, but for hooks (benchmarks: one request).
        idle = self._conns.get(key)
        while idle:
            protocol, since = idle.popleft()
            if protocol.is_connected() and self._is_fresh(since):
                self._acquired.add(protocol)
                self._acquired_per_host[key].add(protocol)
                return Connection(self, key, protocol, self._loop)
            protocol.close()
        return None

    def _is_fresh(self, since: float) -> bool:
        return self._keepalive_timeout is None or monotonic() - since <= self._keepalive_timeout

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: "list[Trace]", timeout: "ClientTimeout"
    ) -> "ResponseHandler":
        if isinstance(req, Destination) and req.progress is not None:
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
