"""Connections by destination: aiohttp's connector, entered below its public `connect`.

aiohttp's `connect` builds a whole `ClientRequest` and a `Connection` with callbacks for every
request. Here a request names its `ConnectionKey` only, and gets a plain connection. For the private
names used see `railhttp.transport.aiohttp_internals`.
"""

import asyncio
import math
import ssl
from collections.abc import Coroutine
from functools import partial
from time import monotonic
from typing import Any, Final, TypedDict, cast

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientProxyConnectionError,
    ClientRequest,
    ClientTimeout,
    ServerFingerprintMismatch,
    hdrs,
)
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import AddrInfoType, Connection
from aiohttp.tracing import Trace
from typing_extensions import override
from yarl import URL

from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.errors import HTTPValidationError
from railhttp.model.gauges import PoolGauges
from railhttp.model.stage import Stage
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.destination import Destination, refused_by_egress
from railhttp.transport.names import NameResolver
from railhttp.transport.resolver import FunctionResolver
from railhttp.transport.socks import connect_by_socks, is_socks
from railhttp.transport.timed_connector import TimedConnector, timed
from railhttp.transport.tunnel import open_tunnel
from railhttp.version import __version__

USER_AGENT: Final = f"railhttp/{__version__}"


class TlsArguments(TypedDict):
    """The arguments of asyncio's functions that open a connection."""

    ssl: ssl.SSLContext | None
    server_hostname: str | None


class KeepaliveConnector(TimedConnector):
    """A connector that reports when it connects, and limits the idle connections of each host."""

    __slots__ = ("_unix_socket",)

    def __init__(self, config: ConnectionPoolConfig, tls: ssl.SSLContext) -> None:
        self.names: NameResolver = NameResolver(config.ttl_dns_cache)
        super().__init__(
            config.max_keepalive_connections,
            limit=config.max_connections,
            limit_per_host=config.max_connections_per_host,
            use_dns_cache=False,  # `NameResolver` has one that forgets
            resolver=self.names if config.resolver is None else FunctionResolver(config.resolver),
            ssl=tls,
            force_close=config.force_close,
            timeout_ceil_threshold=math.inf,
            # aiohttp accepts only None together with `force_close`
            keepalive_timeout=None if config.force_close else config.keepalive_timeout,
        )
        # aiohttp's connector has no parameter for the class of its connections.
        self._factory = partial(_connection, self._loop, config.keepalive_timeout)
        self._unix_socket = config.unix_socket

    def take_idle(self, key: ConnectionKey) -> StrictResponseHandler | None:
        """Return an idle connection, or None: then await `connected`.

        While the pool is full and other callers wait, it returns None, so that they go first.
        """
        idle = self._conns.get(key)
        if not idle or (self._waiters and self._available_connections(key) <= 0):
            return None
        now = monotonic()
        unread = []
        fit = None
        while idle:
            # The newest first: the server has kept it for the shortest time.
            protocol, since = entry = idle.pop()
            if (
                not isinstance(protocol, StrictResponseHandler)
                or now - since > protocol.reuse_limit
                or not protocol.is_unused()
            ):
                protocol.close()
            elif not protocol.has_unread():
                fit = protocol
                self.lend(key, fit)
                break
            elif key.is_ssl:
                unread.append(entry)  # may be harmless (a ticket): the loop reads it
            else:
                protocol.close()
        if unread:
            idle.extend(reversed(unread))
        return fit

    def is_full(self, key: ConnectionKey) -> bool:
        """Whether a call has to queue for a place in the pool."""
        return key in self._waiters or self._available_connections(key) <= 0

    def lend(self, key: ConnectionKey, connection: StrictResponseHandler) -> None:
        """Count a connection as used, until it is taken back."""
        # As in `BaseConnector._get`: acquired connections count towards both limits.
        connection.key = key
        connection.is_idle = False
        self._acquired.add(connection)
        self._acquired_per_host[key].add(connection)

    @property
    def gauges(self) -> PoolGauges:
        """The connections at this moment."""
        idle = self.idle_count
        waiting = sum(not waiter.done() for queue in self._waiters.values() for waiter in queue)
        return PoolGauges(len(self._acquired) + idle, idle, waiting, self.limit)

    @override
    def _get_ssl_context(self, req: ClientRequest) -> ssl.SSLContext | None:
        # The default context of Python offers no protocol; some servers then choose HTTP/2, or
        # refuse (tests/transport/test_proxies.py::test_every_tls_connection_offers_http_1_1).
        context = super()._get_ssl_context(req)
        if context is not None:
            context.set_alpn_protocols(["http/1.1"])
        return context

    @override
    async def _create_proxy_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> tuple[asyncio.BaseTransport, ResponseHandler]:
        # aiohttp's own takes no status but 200 for a tunnel, and loses that of a refusal
        # (tests/transport/test_proxies.py::test_any_2xx_opens_a_tunnel).
        proxy = self._update_proxy_auth_header_and_build_proxy_req(req)
        transport, protocol = await self._create_direct_connection(
            proxy, [], timeout, client_error=ClientProxyConnectionError
        )
        if not req.is_ssl():
            return transport, protocol
        try:
            if not isinstance(protocol, StrictResponseHandler):
                raise ClientConnectionError("the connection is closed")  # noqa: TRY301
            await open_tunnel(protocol, req, proxy)
        except BaseException:
            transport.close()
            raise
        return await self._start_tls_connection(transport, req=req, timeout=timeout)

    @override
    def _update_proxy_auth_header_and_build_proxy_req(self, req: ClientRequest) -> ClientRequest:
        # A CONNECT request would name aiohttp as the user agent
        # (tests/transport/test_proxies.py::test_a_proxy_hears_who_opens_a_tunnel).
        request = super()._update_proxy_auth_header_and_build_proxy_req(req)
        request.headers[hdrs.USER_AGENT] = USER_AGENT
        return request

    @override
    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        # aiohttp takes the oldest connection, and does not check it.
        idle = self.take_idle(key)
        return None if idle is None else Connection(self, key, idle, self._loop)

    @override
    # Pyright knows of one kind of coroutines only; aiohttp awaits any.
    def _create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Coroutine[object, None, ResponseHandler]:
        # What only passes on is a plain function here: each coroutine on the way takes half a KiB
        # of every connection that is being opened (benchmarks: memory of a connection).
        key = req.connection_key
        self.share_with(key)
        self.make_room(key)
        attempt = req.attempt if isinstance(req, Destination) else None
        if attempt is not None:
            attempt.stage = Stage.CONNECTING
        opening = self._routed(req, traces, timeout)
        if attempt is None or attempt.timer is None:
            return opening
        return timed(opening, attempt.timer)

    def _routed(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Coroutine[object, None, ResponseHandler]:
        if self._unix_socket is not None:
            if isinstance(req, Destination) and req.egress is not None:
                raise refused_by_egress("a Unix socket has no address")
            if req.proxy is not None:
                raise HTTPValidationError("cannot reach the `unix_socket`", field="proxy")
            return self._connect_unix(self._unix_socket, req, timeout)
        if req.proxy is not None and is_socks(req.proxy):
            return self._connect_by_socks(req.proxy, req, timeout)
        opening = super()._create_connection(req, traces, timeout)
        if isinstance(req, Destination) and req.egress is not None:
            return _checked(opening, req)
        return opening

    async def _connect_by_socks(
        self, proxy: URL, req: ClientRequest, timeout: ClientTimeout
    ) -> ResponseHandler:
        host, port = req.url.raw_host or "", req.url.port or 0
        sock = await connect_by_socks(proxy, host, port, req.connection_key)
        return self._pinned(
            req,
            await self._wrap_existing_connection(
                self._factory, req=req, timeout=timeout, sock=sock, **self._tls_arguments(req)
            ),
        )

    async def _connect_unix(
        self, path: str, req: ClientRequest, timeout: ClientTimeout
    ) -> ResponseHandler:
        try:
            connecting = self._loop.create_unix_connection(
                self._factory, path, **self._tls_arguments(req)
            )
            return self._pinned(req, await connecting)
        except ssl.SSLCertVerificationError as error:
            raise ClientConnectorCertificateError(req.connection_key, error) from error
        except OSError as error:
            raise UnixClientConnectorError(path, req.connection_key, error) from error

    def _tls_arguments(self, req: ClientRequest) -> TlsArguments:
        tls = self._get_ssl_context(req)
        name = (req.server_hostname or req.url.raw_host or "").rstrip(".")
        return {"ssl": tls, "server_hostname": None if tls is None else name}

    def _pinned(
        self,
        req: ClientRequest,
        connected: tuple[asyncio.BaseTransport, ResponseHandler],
    ) -> ResponseHandler:
        transport, protocol = connected
        if req.is_ssl() and (fingerprint := self._get_fingerprint(req)) is not None:
            try:
                # uvloop's transports are not of this class, but have its methods.
                fingerprint.check(cast("asyncio.Transport", transport))
            except ServerFingerprintMismatch:
                transport.close()
                raise
        return protocol

    # The signature is aiohttp's.
    @override
    def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[AddrInfoType],
        req: ClientRequest,
        timeout: ClientTimeout,
        client_error: type[Exception] = ClientConnectorError,
        **kwargs: Any,
    ) -> Coroutine[object, None, tuple[asyncio.Transport, ResponseHandler]]:
        # Exactly these addresses are connected to. aiohttp's loop over them goes on with this
        # list, so the refused ones are removed from it.
        if isinstance(req, Destination) and req.egress is not None:
            req.is_checked = True
            host, port = req.url.raw_host or "", req.url.port or 0
            refusals = [
                req.egress.refusal_of_address(host, port, str(info[4][0])) for info in addr_infos
            ]
            if all(refusals):
                raise refused_by_egress(refusals[0])
            found = zip(addr_infos, refusals, strict=True)
            addr_infos[:] = [info for info, refusal in found if not refusal]
        return super()._wrap_create_connection(
            *args,
            addr_infos=addr_infos,
            req=req,
            timeout=timeout,
            client_error=client_error,
            **kwargs,
        )


async def _checked(
    opening: Coroutine[object, None, ResponseHandler], req: Destination
) -> ResponseHandler:
    protocol = await opening
    if not req.is_checked:
        # An aiohttp that connects in another way must not open the gate.
        protocol.close()
        raise refused_by_egress("the installed aiohttp is not supported")
    return protocol


def _connection(loop: asyncio.AbstractEventLoop, keepalive_timeout: float) -> ResponseHandler:
    return StrictResponseHandler(loop, keepalive_timeout)
