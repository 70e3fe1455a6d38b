"""Connections by destination: aiohttp's connector, entered below its public `connect`.

aiohttp's `connect` builds a whole `ClientRequest` and a `Connection` with callbacks for every
request. Here a request names its `ConnectionKey` only, and gets a plain `Lease`. For the private
names used see `railhttp.transport.aiohttp_internals`.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from time import monotonic
from typing import Final

from aiohttp import ClientConnectionError, ClientRequest, ClientTimeout, Fingerprint, hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override
from yarl import URL

from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.gauges import PoolGauges
from railhttp.model.request import WireOptions
from railhttp.model.stage import AttemptState, Stage
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.timed_connector import TimedConnector, timing_connection
from railhttp.version import __version__

USER_AGENT: Final = f"railhttp/{__version__}"


class Destination(ClientRequest):
    """The destination of a connection, as the request object that aiohttp's connector expects.

    `credentials` are the `Proxy-Authorization` of a tunnel, and replace the user in `proxy`. If
    `tls` is None, the pool's context is used; False skips verification.
    """

    def __init__(
        self,
        origin: URL,
        proxy: URL | None,
        tls: ssl.SSLContext | bool | None,
        credentials: str = "",
        attempt: AttemptState | None = None,
        wire: WireOptions | None = None,
    ) -> None:
        fields: dict[str, str] = {}
        verified: ssl.SSLContext | bool | Fingerprint = True if tls is None else tls
        if wire is not None:
            fields.update(wire.proxy_headers)
            if wire.fingerprint is not None:
                verified = _pinned(wire.fingerprint)
        if proxy is not None and credentials:
            proxy = proxy.with_user(None)
            fields[hdrs.PROXY_AUTHORIZATION] = credentials
        if fields:
            # These fields are part of the connection key. aiohttp adds Host to them later, which
            # would change the key.
            fields[hdrs.HOST] = origin.host_port_subcomponent or ""
        super().__init__(
            "GET",
            origin,
            loop=asyncio.get_running_loop(),
            proxy=proxy,
            proxy_headers=fields or None,
            ssl=verified,
            server_hostname=None if wire is None else wire.server_hostname,
        )
        self.attempt = attempt


@lru_cache(maxsize=64)
def _pinned(digest: bytes) -> Fingerprint:
    # aiohttp compares them by identity, and requests with equal ones share connections.
    return Fingerprint(digest)


class KeepaliveConnector(TimedConnector):
    """A connector that reports when it connects, and limits the idle connections of each host."""

    def __init__(self, config: ConnectionPoolConfig, tls: ssl.SSLContext) -> None:
        super().__init__(
            limit=config.max_connections,
            limit_per_host=config.max_connections_per_host,
            ttl_dns_cache=config.ttl_dns_cache or None,
            use_dns_cache=config.ttl_dns_cache > 0,
            ssl=tls,
            force_close=config.force_close,
            timeout_ceil_threshold=math.inf,
            # aiohttp accepts only None together with `force_close`
            keepalive_timeout=None if config.force_close else config.keepalive_timeout,
        )
        # aiohttp's connector has no parameter for the class of its connections.
        handler: type[ResponseHandler] = StrictResponseHandler
        self._factory = partial(handler, loop=self._loop)
        self._max_keepalive = config.max_keepalive_connections
        self._idle_limit = config.keepalive_timeout

    def take_idle(self, key: ConnectionKey) -> "Lease | None":
        """Return an idle connection, or None: then await `connected`.

        While the pool is full and other callers wait, it returns None, so that they go first.
        """
        idle = self._conns.get(key)
        if not idle or (self._waiters and self._available_connections(key) <= 0):
            return None
        now = monotonic()
        while idle:
            protocol, since = idle.popleft()
            in_time = now - since <= self._idle_limit
            if in_time and isinstance(protocol, StrictResponseHandler) and protocol.is_unused():
                # As in `BaseConnector._get`: acquired connections count towards both limits.
                self._acquired.add(protocol)
                if self._limit_per_host:
                    self._acquired_per_host[key].add(protocol)
                return Lease(self, key, protocol)
            protocol.close()
        return None

    async def connected(
        self,
        key: ConnectionKey,
        destination: Callable[[], Destination],
        timeout: ClientTimeout,
        attempt: AttemptState,
    ) -> "Lease":
        """Return a connection: queue for a place in the pool, and open one if none is idle.

        The `connect` of the timeout limits the queue and the opening together.
        """
        async with asyncio.timeout(timeout.connect):
            if self._available_connections(key) <= 0:
                await self._queue(key, attempt)
                if (lease := self.take_idle(key)) is not None:
                    return lease
            connection = await self.connect(destination(), traces=[], timeout=timeout)
        protocol = connection.protocol
        if not isinstance(protocol, StrictResponseHandler):
            raise ClientConnectionError("the connection is closed")
        # The lease owns the place in the pool from now on. Without this, the finaliser of
        # `connection` would close the connection under the lease.
        connection._protocol = None
        return Lease(self, key, protocol)

    async def _queue(self, key: ConnectionKey, attempt: AttemptState) -> None:
        since, admitted = monotonic(), False
        try:
            await self._wait_for_available_connection(key, [])
            admitted = True
        finally:
            seconds = monotonic() - since
            if attempt.timer is not None:
                attempt.timer.ended("queue", 0.0, seconds)
            attempt.pool_waited(seconds, admitted=admitted)

    @property
    def gauges(self) -> PoolGauges:
        """The connections at this moment."""
        idle = sum(len(connections) for connections in self._conns.values())
        waiting = sum(not waiter.done() for queue in self._waiters.values() for waiter in queue)
        return PoolGauges(len(self._acquired) + idle, idle, waiting, self.limit)

    @override
    def _update_proxy_auth_header_and_build_proxy_req(self, req: ClientRequest) -> ClientRequest:
        # A CONNECT request would name aiohttp as the user agent
        # (tests/transport/test_proxies.py::test_a_proxy_hears_who_opens_a_tunnel).
        request = super()._update_proxy_auth_header_and_build_proxy_req(req)
        request.headers[hdrs.USER_AGENT] = USER_AGENT
        return request

    @override
    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        # `connect` calls this before it queues: nothing is idle for a newcomer while others wait.
        if self._waiters and self._available_connections(key) <= 0:
            return None
        # aiohttp takes any open connection, even one on which unexpected bytes have arrived; see
        # `StrictResponseHandler.is_unused`.
        idle = self._conns.get(key, deque())
        for entry in tuple(idle):
            protocol, _ = entry
            if not (isinstance(protocol, StrictResponseHandler) and protocol.is_unused()):
                idle.remove(entry)
                protocol.close()
        connection = await super()._get(key, traces)
        if connection is not None and isinstance(connection.protocol, StrictResponseHandler):
            connection.protocol.decodes = True  # until a request of our own expects a response
        return connection

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        if not isinstance(req, Destination) or req.attempt is None:
            return await super()._create_connection(req, traces, timeout)
        req.attempt.stage = Stage.CONNECTING
        if req.attempt.timer is None:
            return await super()._create_connection(req, traces, timeout)
        with timing_connection(req.attempt.timer):
            return await super()._create_connection(req, traces, timeout)

    @override
    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        # aiohttp has no limit on idle connections
        # (tests/transport/test_pool.py::test_idle_connections_beyond_the_limit_are_closed).
        super()._release(key, protocol, should_close=should_close)
        idle = self._conns.get(key)
        while idle and len(idle) > self._max_keepalive:
            idle.popleft()[0].close()


@dataclass(slots=True, eq=False)
class Lease:
    """A connection in use by one request, until it is given back.

    aiohttp's `Connection` does the same with callbacks and a finaliser, at a cost per request.
    """

    _connector: KeepaliveConnector
    _key: ConnectionKey
    protocol: StrictResponseHandler

    def give_back(self, *, reusable: bool) -> None:
        """Release the connection, once; it is closed unless it is intact and `reusable`."""
        self._connector._release(self._key, self.protocol, should_close=not reusable)
