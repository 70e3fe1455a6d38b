"""A queue for places in the pool: first come, first served, and no host takes every place."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final, cast

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.tracing import Trace
from typing_extensions import override

_MOST_NAMED: Final = 3


class _Waiter(asyncio.Future[None]):
    """A caller that waits for a place, which comes empty or with a `connection`.

    Once it has an empty place, it stands in for the connection in aiohttp's set of acquired ones,
    so that the place counts as taken before the connection exists. aiohttp closes everything in
    that set when the session is closed, so it has the attributes that are used then.
    """

    connection: ResponseHandler | None = None
    transport = None
    closed = None

    def close(self) -> None:
        """Do nothing: the connection does not exist yet."""

    abort = close


class FairConnector(TCPConnector):
    """A connector that hands a free place to the caller that has waited longest.

    aiohttp only wakes that caller. A newer caller that runs first takes the place, so a few busy
    callers can starve all others
    (tests/transport/test_pool.py::test_whoever_waits_for_a_connection_has_a_turn). And if the
    woken caller is cancelled before it runs, no other one is woken
    (test_pool.py::test_a_turn_that_is_not_taken_goes_to_the_next). Here the place belongs to the
    waiting caller from the moment it is free, with its connection if that goes to the same host.
    """

    _first_host: tuple[str, int | None] | None = None

    def share_with(self, key: ConnectionKey) -> None:
        """Note the host of a call: from the second host on, each may hold four fifths of the pool.

        So a host that does not respond leaves places to the others.
        """
        host = (key.host, key.port)
        if self._first_host is None:
            self._first_host = host
        elif host != self._first_host and self._limit > 1:
            most = self._limit - max(1, self._limit // 5)
            self._limit_per_host = min(self._limit_per_host, most)

    async def wait_for_turn(
        self, key: ConnectionKey, traces: Sequence[Trace] = ()
    ) -> ResponseHandler | None:
        """Wait for a place; return the connection in it, which the caller owns, or None.

        The caller must check the connection. Without one, it must take the place before any other
        task runs.
        """
        waiter = _Waiter(loop=self._loop)
        place = cast("ResponseHandler", waiter)  # it has the attributes that aiohttp uses
        self._waiters[key][waiter] = None
        try:
            for trace in traces:
                await trace.send_connection_queued_start()
            await waiter
            for trace in traces:
                await trace.send_connection_queued_end()
        except BaseException:
            if place in self._acquired:
                self._release_acquired(key, place)
            elif waiter.connection is not None:
                self._release(key, waiter.connection)
            raise
        finally:
            self._waiters[key].pop(waiter, None)
            if not self._waiters[key]:
                del self._waiters[key]
        if waiter.connection is None:
            self.give_up(key, place)
        return waiter.connection

    def starvation(self, key: ConnectionKey) -> str:
        """Return why a caller has to wait for a connection."""
        if len(self._acquired) >= self._limit:
            bound = f"its limit is {self._limit} (`max_connections`)"
        else:
            bound = f"its limit per host is {self._limit_per_host} (`max_connections_per_host`)"
        held = sorted(
            ((len(places), _name(host)) for host, places in self._acquired_per_host.items()),
            reverse=True,
        )
        hosts = ", ".join(f"{count} by {name}" for count, name in held[:_MOST_NAMED] if count)
        return f"no free connection in the pool: {bound}; held: {hosts}"

    def give_up(self, key: ConnectionKey, place: ResponseHandler) -> None:
        """Empty a place without waking a caller: the present one takes it at once."""
        self._acquired.discard(place)
        self._acquired_per_host[key].discard(place)

    @override
    async def _wait_for_available_connection(self, key: ConnectionKey, traces: list[Trace]) -> None:
        connection = await self.wait_for_turn(key, traces)
        if connection is not None:
            # aiohttp looks for an idle connection next.
            self._conns[key].append((connection, monotonic()))
            self.give_up(key, connection)

    def _hand_over(self, key: ConnectionKey, connection: ResponseHandler) -> bool:
        """Hand a connection to the longest waiting caller, unless others wait for another host."""
        waiters = self._waiters.get(key)
        if not waiters or len(self._waiters) > 1:
            return False
        while waiters:
            waiter, _ = waiters.popitem(last=False)
            if not waiter.done():
                cast("_Waiter", waiter).connection = connection  # all waiters are of this class
                waiter.set_result(None)
                return True
        return False

    @override
    def _release_waiter(self) -> None:
        for key, waiters in self._waiters.items():
            if self._available_connections(key) <= 0:
                continue
            while waiters:
                waiter, _ = waiters.popitem(last=False)
                if not waiter.done():
                    place = cast("ResponseHandler", waiter)
                    self._acquired.add(place)
                    self._acquired_per_host[key].add(place)
                    waiter.set_result(None)
                    # Move this host to the end, so that the next place goes to another host.
                    self._waiters[key] = self._waiters.pop(key)
                    return


def _name(key: ConnectionKey) -> str:
    return f"{key.host}:{key.port}"
