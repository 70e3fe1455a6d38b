"""Places and connections of a pool pass from caller to caller, one step at a time."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.client_reqrep import ConnectionKey
from tests.transport.pools import WatchedPool, key_of

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.waiter import Turn

A, B, C = key_of("a"), key_of("b"), key_of("c")


class Pool(WatchedPool):
    """A pool, and connections that were given back."""

    def idle(self, key: ConnectionKey = A) -> StrictResponseHandler:
        """Return a connection that was given back."""
        connection = self.used(key)
        self.connector.take_back(connection, reusable=True)
        return connection


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(max_connections=1)
    yield pool
    await pool.connector.close()


def given(turn: Turn) -> object:
    """Return the connection or the place that a caller was given; None while it waits."""
    return turn.result() if turn.done() and not turn.cancelled() else None


async def test_python_can_specialize_the_look_ups_of_connections_and_of_their_connector(
    pool: Pool,
) -> None:
    # With thirty attributes in its dict, the look-ups of an object are general ones
    # (benchmarks/README.md).
    assert len(vars(pool.idle())) < 30
    assert len(vars(pool.connector)) < 30


async def test_a_connection_goes_to_the_caller_that_has_waited_longest(pool: Pool) -> None:
    connection = pool.used(A)
    turns = [pool.connector.queue_up(A) for _ in range(3)]
    assert pool.connector.gauges == (1, 0, 3, 1)
    pool.connector.take_back(connection, reusable=True)
    assert [given(turn) for turn in turns] == [connection, None, None]
    assert pool.connector.gauges == (1, 0, 2, 1)


async def test_a_connection_that_its_caller_cannot_take_goes_to_the_next(pool: Pool) -> None:
    connection = pool.used(A)
    turns = [pool.connector.queue_up(A) for _ in range(2)]
    pool.connector.take_back(connection, reusable=True)
    pool.connector.leave(A, turns[0])
    assert given(turns[1]) is connection
    pool.connector.leave(A, turns[1])
    assert connection.is_connected()
    assert pool.connector.gauges == (1, 1, 0, 1)


async def test_a_connection_that_is_not_reusable_leaves_an_empty_place(pool: Pool) -> None:
    connection = pool.used(A)
    turn = pool.connector.queue_up(A)
    pool.connector.take_back(connection, reusable=False)
    place = given(turn)
    assert place is not None
    assert place is not connection
    assert not connection.is_connected()
    assert pool.connector.gauges == (1, 0, 0, 1)
    pool.connector.leave(A, turn)
    assert pool.connector.gauges == (0, 0, 0, 1)


async def test_a_connection_that_closes_is_handed_to_nobody(pool: Pool) -> None:
    connection = pool.used(A)
    turn = pool.connector.queue_up(A)
    connection.force_close()
    pool.connector.take_back(connection, reusable=True)
    place = given(turn)
    assert place is not None
    assert place is not connection


async def test_an_empty_place_that_its_caller_cannot_take_goes_to_the_next(pool: Pool) -> None:
    connection = pool.used(A)
    turns = [pool.connector.queue_up(key) for key in (A, B)]
    pool.connector.take_back(connection, reusable=False)
    assert [given(turn) is not None for turn in turns] == [True, False]
    pool.connector.leave(A, turns[0])
    assert given(turns[1]) is not None
    assert pool.connector.gauges == (1, 0, 0, 1)


async def test_a_caller_of_another_host_gets_the_place_and_not_the_connection(pool: Pool) -> None:
    connection = pool.used(A)
    turn = pool.connector.queue_up(B)
    pool.connector.take_back(connection, reusable=True)
    place = given(turn)
    assert place is not None
    assert place is not connection
    assert connection.is_connected()
    pool.connector.make_room(B)  # for the connection that the caller opens in its place
    assert not connection.is_connected()
    pool.connector.leave(B, turn)
    assert pool.connector.gauges == (0, 0, 0, 1)


async def test_callers_that_leave_the_queue_are_passed_over(pool: Pool) -> None:
    connection = pool.used(A)
    turns = [pool.connector.queue_up(A) for _ in range(4)]
    pool.connector.leave(A, turns[0])
    assert pool.connector.gauges.waiting == 3
    turns[1].cancel()
    assert pool.connector.gauges.waiting == 2  # at once, before its caller runs
    pool.connector.take_back(connection, reusable=True)
    assert given(turns[2]) is connection
    assert not turns[3].done()
    pool.connector.leave(A, turns[3])
    pool.connector.leave(A, turns[3])  # a second time does nothing
    assert pool.connector.gauges.waiting == 0


async def test_while_callers_wait_and_the_pool_is_full_nothing_is_idle_for_others() -> None:
    pool = Pool(max_connections=2)
    busy, idle = pool.used(B), pool.idle(A)
    idle._unread = bool  # nothing has come
    more = pool.used(B)
    turn = pool.connector.queue_up(A)
    assert pool.connector.take_idle(A) is None
    pool.connector.leave(A, turn)
    pool.connector.take_back(more, reusable=False)
    assert pool.connector.take_idle(A) is idle
    for one in (busy, idle):
        pool.connector.take_back(one, reusable=False)
    await pool.connector.close()


async def test_of_idle_connections_the_newest_that_is_unused_is_taken() -> None:
    pool = Pool(max_connections=10)
    connections = [pool.idle() for _ in range(3)]
    for connection in connections:
        connection._unread = bool
    connections[2]._unread = lambda: True  # its server has sent something
    assert pool.connector.take_idle(A) is connections[1]
    assert [connection.is_connected() for connection in connections] == [True, True, False]
    assert pool.connector.gauges == (2, 1, 0, 10)
    pool.connector.take_back(connections[1], reusable=True)
    assert pool.connector.gauges == (2, 2, 0, 10)
    await pool.connector.close()


async def test_room_is_made_by_the_connection_that_was_idle_for_longest() -> None:
    pool = Pool(max_connections=3, max_connections_per_host=2)
    first, second, third = pool.idle(A), pool.idle(B), pool.idle(A)
    connection = pool.used(C)
    pool.connector.make_room(C)
    assert [one.is_connected() for one in (first, second, third)] == [False, True, True]
    assert pool.connector.gauges == (3, 2, 0, 3)
    pool.connector.take_back(connection, reusable=False)
    await pool.connector.close()


async def test_room_is_made_within_the_limit_of_a_host() -> None:
    pool = Pool(max_connections=10, max_connections_per_host=2)
    first, second, other = pool.idle(A), pool.idle(A), pool.idle(B)
    connection = pool.used(A)  # the third of its host
    pool.connector.make_room(A)
    assert [one.is_connected() for one in (first, second, other)] == [False, True, True]
    pool.connector.make_room(A)
    assert second.is_connected()
    pool.connector.take_back(connection, reusable=False)
    await pool.connector.close()


async def test_a_connection_in_use_never_makes_room() -> None:
    pool = Pool(max_connections=1)
    connections = [pool.used(key) for key in (A, B, C)]
    pool.connector.make_room(C)
    assert all(connection.is_connected() for connection in connections)
    for connection in connections:
        pool.connector.take_back(connection, reusable=False)
    await pool.connector.close()


@pytest.mark.parametrize(
    ("limit", "per_host", "bound"),
    [
        (2, 9, "its limit is 2 (`max_connections`)"),
        (9, 2, "its limit per host is 2 (`max_connections_per_host`)"),
    ],
)
async def test_a_caller_that_waits_learns_which_limit_holds_and_who_has_the_places(
    limit: int, per_host: int, bound: str
) -> None:
    pool = Pool(max_connections=limit, max_connections_per_host=per_host)
    connections = [pool.used(A), pool.used(A)]
    message = f"no free connection in the pool: {bound}; held: 2 by a:80"
    assert pool.connector.starvation(A) == message
    for connection in connections:
        pool.connector.take_back(connection, reusable=False)
    await pool.connector.close()


async def test_who_holds_most_places_comes_first_and_four_hosts_are_too_many() -> None:
    pool = Pool(max_connections=9)
    keys = [A, B, B, B, C, C, key_of("d")]
    connections = [pool.used(key) for key in keys]
    assert pool.connector.starvation(A).endswith("held: 3 by b:80, 2 by c:80, 1 by d:80")
    for connection in connections:
        pool.connector.take_back(connection, reusable=False)
    await pool.connector.close()
