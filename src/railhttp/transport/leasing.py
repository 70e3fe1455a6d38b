"""How a request gets a connection when none is idle: it opens one, or queues for a place."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TypeAlias

from aiohttp import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientProxyConnectionError,
    ClientTimeout,
)
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from yarl import URL

from railhttp.model.memo import Memo
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState
from railhttp.policy.egress import Egress
from railhttp.transport.connection import Arrival, StrictResponseHandler
from railhttp.transport.connector import KeepaliveConnector
from railhttp.transport.destination import Destination
from railhttp.transport.waiter import Waiter

Leased: TypeAlias = tuple[StrictResponseHandler, Arrival | None]
"""A connection, and the response if the request was sent when its turn in the queue came."""


@dataclass(slots=True, eq=False, repr=False)
class Address:
    """The destination of a request, and its first bytes, which the `repr` must not show.

    Attributes:
        key: The destination, as aiohttp's connector names it.
        head: The request line and the header fields, encoded.
        proxy: The proxy to go through, if any.
        credentials: The `Proxy-Authorization` of a tunnel, or an empty string.
        closes: Whether the head asks for the connection to be closed afterwards.
    """

    key: ConnectionKey
    head: bytes
    proxy: URL | None
    credentials: str
    closes: bool


@dataclass(slots=True, eq=False)
class Leasing:
    """Leases connections of a connector that pass the gate `egress`."""

    _connector: KeepaliveConnector
    _egress: Egress | None
    _starvations: Memo[ConnectionKey, Callable[[], str]] = field(init=False)

    def __post_init__(self) -> None:
        starvation = self._connector.starvation
        self._starvations = Memo(lambda key: partial(starvation, key), size=64)

    def leased(
        self, request: Request, address: Address, attempt: AttemptState
    ) -> Awaitable[Leased]:
        """Return a connection: queue for a place in the pool, and open one if none is idle.

        The `connect_timeout` of the request limits both together.
        """
        key, limit = address.key, request.options.connect_timeout
        self._connector.share_with(key)
        if self._connector.is_full(key):
            leasing: Awaitable[Leased] = self._in_turn(request, address, attempt)
        else:
            leasing = self._opened(request, address, attempt)
        return leasing if limit is None else _within(limit, attempt, leasing)

    async def _in_turn(self, request: Request, address: Address, attempt: AttemptState) -> Leased:
        connector, key = self._connector, address.key
        attempt.starvation = self._starvations[key]
        waiter = Waiter(request, address.head, attempt)
        turn = connector.queue_up(key, waiter)
        try:
            given = await turn
        except BaseException:
            if waiter.connection is not None:
                connector.take_back(waiter.connection, reusable=False)
            else:
                connector.leave(key, turn)
                waiter.ended(admitted=False)
            raise
        if not isinstance(given, ResponseHandler):
            assert waiter.connection is not None  # noqa: S101  # narrows: it sent the request
            return waiter.connection, given
        waiter.ended(admitted=True)
        if isinstance(given, StrictResponseHandler):
            if given.is_unused() and not given.has_unread():
                given.is_idle = False
                return given, None
            given.abort()
        connector.give_up(key, given)
        if (idle := connector.take_idle(key)) is not None:
            return idle, None
        return await self._opened(request, address, attempt)

    def _opened(
        self, request: Request, address: Address, attempt: AttemptState
    ) -> Awaitable[Leased]:
        options, wire = request.options, request.options.wire
        destination = Destination(
            request.target.site.origin,
            address.proxy,
            options.ssl_context,
            address.credentials,
            attempt,
            self._egress,
            wire,
        )
        sock_connect = None if wire is None else wire.sock_connect
        timeout = _timeout(options.connect_timeout, options.read_timeout, sock_connect)
        # What a coroutine keeps, it keeps for every connection that is being opened.
        opening = self._connector.connect(destination, traces=[], timeout=timeout)
        return self._established(opening, address)

    async def _established(self, opening: Awaitable[Connection], address: Address) -> Leased:
        try:
            connection = await opening
        except ClientConnectorDNSError as error:
            if address.proxy is None:
                raise
            raise ClientProxyConnectionError(address.key, error.os_error) from error
        protocol = connection.protocol
        if not isinstance(protocol, StrictResponseHandler):
            raise ClientConnectionError("the connection is closed")
        # The caller owns the place in the pool from now on. Without this, the finaliser of
        # `connection` would close what it uses.
        connection._protocol = None
        protocol.key = address.key
        return protocol, None


async def _within(limit: float, attempt: AttemptState, leasing: Awaitable[Leased]) -> Leased:
    try:
        async with asyncio.timeout(limit):
            return await leasing
    except TimeoutError:
        if attempt.starvation is None:
            raise
        raise TimeoutError(attempt.starvation()) from None


@lru_cache(maxsize=256)
def _timeout(
    connect: float | None, read: float | None, sock_connect: float | None
) -> ClientTimeout:
    # With its default threshold aiohttp rounds times above 5 s up to a whole second.
    return ClientTimeout(
        connect=connect, sock_read=read, sock_connect=sock_connect, ceil_threshold=math.inf
    )
