"""Idle connections: how long they are kept, and which of them makes room for a new one."""

import math
import socket
from asyncio.trsock import TransportSocket
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.helpers import weakref_handle
from typing_extensions import override

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.fair_connector import FairConnector

SURPLUS_SECONDS: Final = 1.0
"""Seconds for which a host keeps more idle connections than `max_keepalive_connections`."""
_SHORTEST: Final = 0.001


class IdleConnector(FairConnector):
    """A connector whose idle connections count towards `max_connections`.

    aiohttp counts only those in use, so 40 hosts leave 40 connections open at a limit of 10. It
    has no limit on the idle connections of a host either.
    """

    __slots__ = ("_due", "_max_keepalive")

    def __init__(self, max_keepalive: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._max_keepalive = max_keepalive
        self._due: float = math.inf  # when the next idle connection has to be closed

    @property
    def idle_count(self) -> int:
        """The number of idle connections to all hosts."""
        return sum(map(len, self._conns.values()))

    def make_room(self, key: ConnectionKey) -> None:
        """Close idle connections until a new one, which has its place already, fits in the limits.

        The least recently used ones go first. They are aborted, because closing TLS properly would
        keep their descriptors open until the server responds.
        """
        own = self._conns.get(key)
        while own and len(self._acquired_per_host[key]) + len(own) > self._limit_per_host:
            own.popleft()[0].abort()
        excess = len(self._acquired) + self.idle_count - self._limit
        for _ in range(excess):
            used = [idle for idle in self._conns.values() if idle]
            if not used:
                return
            min(used, key=_last_use).popleft()[0].abort()

    def abandon(self) -> None:
        """End all connections without their event loop, which is closed."""
        idle = [protocol for entries in self._conns.values() for protocol, _ in entries]
        for protocol in (*idle, *self._acquired):
            transport = protocol.transport
            sock = None if transport is None else transport.get_extra_info("socket")
            # uvloop has closed its sockets, and their descriptors may belong to others by now.
            if isinstance(sock, TransportSocket):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        with suppress(RuntimeError):  # waiting callers cannot be woken any more
            self._close()

    def take_back(self, connection: StrictResponseHandler, *, reusable: bool) -> None:
        """Hand a connection to a waiting caller or keep it; close it unless it is reusable."""
        if self._closed:
            return
        key = connection.key
        connection.has_served = True
        if reusable and not self._force_close and connection.is_reusable():
            connection.rest()
            if self._waiters and self._hand_over(key, connection):
                return
            if self._max_keepalive:
                self.give_up(key, connection)
                self._keep(key, connection)
                if self._waiters:
                    self._release_waiter()
                return
        self._release_acquired(key, connection)
        connection.close()

    @override
    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        if isinstance(protocol, StrictResponseHandler):
            protocol.key = key
            self.take_back(protocol, reusable=not should_close)
        else:
            super()._release(key, protocol, should_close=True)

    def _keep(self, key: ConnectionKey, protocol: StrictResponseHandler) -> None:
        idle, now, limit = self._conns[key], monotonic(), protocol.reuse_limit
        idle.append((protocol, now))
        if len(idle) > self._max_keepalive:
            limit = min(limit, SURPLUS_SECONDS)
        if now + limit < self._due:
            self._clean_up_at(now + limit, now)

    def _clean_up_at(self, due: float, now: float) -> None:
        self._due = due
        if self._cleanup_handle is not None:
            self._cleanup_handle.cancel()
            self._cleanup_handle = None
        if due < math.inf:
            # A weak reference, so that a forgotten session is collected, and warns.
            self._cleanup_handle = weakref_handle(
                self, "_cleanup", max(due - now, _SHORTEST), self._loop, math.inf
            )

    @override
    def _cleanup(self) -> None:
        now, due = monotonic(), math.inf
        for key, idle in tuple(self._conns.items()):
            surplus = len(idle) - self._max_keepalive
            kept = deque[tuple[ResponseHandler, float]]()
            for number, (protocol, since) in enumerate(idle):
                limit = _reuse_limit(protocol)
                if number < surplus:
                    limit = min(limit, SURPLUS_SECONDS)
                if protocol.is_connected() and now < since + limit:
                    due = min(due, since + limit)
                    kept.append((protocol, since))
                else:
                    protocol.close()
            if kept:
                self._conns[key] = kept
            else:
                del self._conns[key]
        self._clean_up_at(due, now)


def _reuse_limit(protocol: ResponseHandler) -> float:
    return protocol.reuse_limit if isinstance(protocol, StrictResponseHandler) else 0.0


def _last_use(idle: deque[tuple[ResponseHandler, float]]) -> float:
    return idle[0][1]
