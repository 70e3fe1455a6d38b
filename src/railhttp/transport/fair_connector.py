"""Who gets a place in the pool that comes free."""

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import TCPConnector
from typing_extensions import override

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.tracing import Trace


class _Waiter(asyncio.Future[None]):
    """Whoever waits for a place; once it is theirs, it stands there in place of a connection."""

    transport = None
    closed = None

    def close(self) -> None:
        """Do nothing: there is no connection yet."""


class FairConnector(TCPConnector):
    """A connector whose places go to those who wait, in the order in which they came.

    A place that comes free belongs to whoever waits longest, from that moment. aiohttp only wakes
    them: then whoever asks before they run takes it, so that a few callers keep all others out
    (tests/transport/test_pool.py::test_whoever_waits_for_a_connection_has_a_turn); and where they
    are cancelled before they run, nobody hears of it
    (test_pool.py::test_a_turn_that_is_not_taken_goes_to_the_next).
    """

    @override
    async def _wait_for_available_connection(
        self, key: "ConnectionKey", traces: "list[Trace]"
    ) -> None:
        waiter = _Waiter(loop=self._loop)
        place = cast("ResponseHandler", waiter)  # all that is asked of a place, it has
        self._waiters[key][waiter] = None
        try:
            for trace in traces:
                await trace.send_connection_queued_start()
            await waiter
            for trace in traces:
                await trace.send_connection_queued_end()
        except BaseException:
            self._leave(key, waiter)
            if place in self._acquired:
                self._release_acquired(key, place)
            raise
        self._leave(key, waiter)
        self._acquired.discard(place)  # whoever waited takes it before anybody else runs
        self._acquired_per_host[key].discard(place)

    def _leave(self, key: "ConnectionKey", waiter: _Waiter) -> None:
        waiters = self._waiters.get(key)
        if waiters is not None:
            waiters.pop(waiter, None)
            if not waiters:
                del self._waiters[key]

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
                    self._waiters[key] = self._waiters.pop(key)  # next time, another host's turn
                    return
