"""A queue for places in the pool: first come, first served, and no host takes every place."""

from time import monotonic
from typing import Any, Final

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.tracing import Trace
from typing_extensions import override

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.waiter import Turn, Waiter

_MOST_NAMED: Final = 3


class _Place(ResponseHandler):
    """An empty place in the pool, given to a caller that waited.

    It stands in for the connection in aiohttp's set of acquired ones, so that the place counts as
    taken before the connection exists. aiohttp closes everything in that set when the session is
    closed, which does nothing here.
    """

    @property
    @override
    def closed(self) -> None:
        """Nothing has to be waited for."""
        return


class FairConnector(TCPConnector):
    """A connector that hands a free place to the caller that has waited longest.

    aiohttp only wakes that caller. A newer caller that runs first takes the place, so a few busy
    callers can starve all others
    (tests/transport/test_pool.py::test_whoever_waits_for_a_connection_has_a_turn). And if the
    woken caller is cancelled before it runs, no other one is woken
    (test_pool.py::test_a_turn_that_is_not_taken_goes_to_the_next). Here the place belongs to the
    waiting caller from the moment it is free, with its connection if that goes to the same host.
    """

    # With thirty attributes in its dict, as aiohttp's class has, the look-ups of an object are
    # general ones (benchmarks/README.md). So four of those have a slot here, too.
    __slots__ = (
        *("_acquired", "_acquired_per_host", "_conns", "_waiters"),
        *("_first_host", "_shared_with"),
    )

    # The arguments are aiohttp's.
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._first_host: tuple[str, int | None] | None = None
        self._shared_with: ConnectionKey | None = None

    def share_with(self, key: ConnectionKey) -> None:
        """Note the host of a call: from the second host on, each may hold four fifths of the pool.

        So a host that does not respond leaves places to the others.
        """
        if key is self._shared_with:
            return
        self._shared_with = key
        host = (key.host, key.port)
        if self._first_host is None:
            self._first_host = host
        elif host != self._first_host and self._limit > 1:
            most = self._limit - max(1, self._limit // 5)
            self._limit_per_host = min(self._limit_per_host, most)

    def queue_up(self, key: ConnectionKey, waiter: Waiter | None = None) -> Turn:
        """Queue for a place; whoever cannot wait for it to the end must `leave` the queue.

        Returns:
            The connection in the place, which the caller owns and must check, or an empty place.
            The caller must either use the connection, or `give_up` the place and take it before any
            other task runs. If `waiter` has sent the request already, its response.
        """
        # Awaiting a plain future costs a third less than one of a subclass
        # (benchmarks: the default pool of 10).
        turn: Turn = self._loop.create_future()
        # aiohttp's futures have no result, and lead to None.
        self._waiters[key][turn] = waiter  # type: ignore[index,assignment]
        return turn

    def leave(self, key: ConnectionKey, turn: Turn) -> None:
        """Give back the place of a caller that was cancelled, or take it out of the queue."""
        if not turn.cancelled() and turn.done():
            given = turn.result()
            if type(given) is _Place:
                self._release_acquired(key, given)
            elif isinstance(given, ResponseHandler):
                self._release(key, given)
        elif queue := self._waiters.get(key):
            queue.pop(turn, None)  # type: ignore[arg-type]  # as above
            if not queue:
                del self._waiters[key]

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
        held = self._acquired_per_host[key]
        held.discard(place)
        if not held:
            del self._acquired_per_host[key]

    @override
    def _release_acquired(self, key: ConnectionKey, proto: ResponseHandler) -> None:
        if not self._closed:  # closing has emptied all places
            self.give_up(key, proto)
            if self._waiters:
                self._release_waiter()

    @override
    async def _wait_for_available_connection(self, key: ConnectionKey, traces: list[Trace]) -> None:
        for trace in traces:
            await trace.send_connection_queued_start()
        turn = self.queue_up(key)
        try:
            given = await turn
        except BaseException:
            self.leave(key, turn)
            raise
        assert isinstance(given, ResponseHandler)  # noqa: S101  # narrows; there is no waiter
        self.give_up(key, given)
        if type(given) is not _Place:
            # aiohttp looks for an idle connection next.
            self._conns[key].append((given, monotonic()))
        for trace in traces:
            await trace.send_connection_queued_end()

    def _hand_over(self, key: ConnectionKey, connection: StrictResponseHandler) -> bool:
        """Hand a connection to the longest waiting caller, unless others wait for another host."""
        if len(self._waiters) > 1 or (waiting := self._next_turn(key)) is None:
            return False
        turn, waiter = waiting
        if waiter is None or not waiter.begin(connection, turn):
            turn.set_result(connection)
        return True

    @override
    def _release_waiter(self) -> None:
        for key in tuple(self._waiters):
            if self._available_connections(key) > 0 and (waiting := self._next_turn(key)):
                place = _Place(self._loop)
                self._acquired.add(place)
                self._acquired_per_host[key].add(place)
                waiting[0].set_result(place)
                if key in self._waiters:
                    # Move this host to the end, so that the next place goes to another host.
                    self._waiters[key] = self._waiters.pop(key)
                return

    def _next_turn(self, key: ConnectionKey) -> tuple[Turn, Waiter | None] | None:
        """Take the caller that has waited longest out of the queue of a host, if one waits."""
        queue = self._waiters.get(key)
        while queue:
            waiting = queue.popitem(last=False)
            if not queue:
                del self._waiters[key]
            if not waiting[0].done():
                return waiting  # type: ignore[return-value]  # only `queue_up` adds to a queue
        return None


def _name(key: ConnectionKey) -> str:
    return f"{key.host}:{key.port}"
