"""A queue for places in the pool: first come, first served."""

import asyncio
from typing import cast

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.tracing import Trace
from typing_extensions import override


class _Waiter(asyncio.Future[None]):
    """A caller that waits for a place.

    Once it has its place, it stands in for the connection in aiohttp's set of acquired ones, so
    that the place counts as taken before the connection exists. aiohttp closes everything in that
    set when the session is closed, so it has the attributes that are used then.
    """

    transport = None
    closed = None

    def close(self) -> None:
        """Do nothing: the connection does not exist yet."""


class FairConnector(TCPConnector):
    """A connector that hands a free place to the caller that has waited longest.

    aiohttp only wakes that caller. A newer caller that runs first takes the place, so a few busy
    callers can starve all others
    (tests/transport/test_pool.py::test_whoever_waits_for_a_connection_has_a_turn). And if the
    woken caller is cancelled before it runs, no other one is woken
    (test_pool.py::test_a_turn_that_is_not_taken_goes_to_the_next). Here the place belongs to the
    waiting caller from the moment it is free.
    """

    @override
    async def _wait_for_available_connection(self, key: ConnectionKey, traces: list[Trace]) -> None:
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
            raise
        finally:
            self._waiters[key].pop(waiter, None)
            if not self._waiters[key]:
                del self._waiters[key]
        # The caller acquires its connection before any other task runs, so the place stays its own.
        self._acquired.discard(place)
        self._acquired_per_host[key].discard(place)

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
