"""The turns of a rate limit, with the times between which a store decided about them.

The times are those by which a store decides. A bound on them does not depend on how late a busy
machine starts a call.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable
from typing import TypeVar

from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.link import Link
from railhttp.protocols import StateStore

E = TypeVar("E")
D = TypeVar("D")


def link_of(fleet: RedisStore) -> Link:
    """Return the connection of a store, which knows the time of the server."""
    link = vars(fleet)["_link"]
    assert isinstance(link, Link)
    return link


class Turns:
    """A store for rate limiters that notes when each call was admitted."""

    def __init__(
        self, fleet: RedisStore, lease: float, admitted: list[tuple[float, float]]
    ) -> None:
        self._store: StateStore[float] = fleet.rates(lease)
        self._link = link_of(fleet)
        self._admitted = admitted

    def peek(self, key: str) -> float | None:
        return self._store.peek(key)

    async def apply(
        self, key: str, decide: Callable[[float | None, E, float], tuple[float | None, D]], event: E
    ) -> D:
        asked = self._link.now()
        decision = await self._store.apply(key, decide, event)
        if decision is None:  # the call begins
            self._admitted.append((asked, self._link.now()))
        return decision


def most_within(seconds: float, turns: Iterable[tuple[float, float]]) -> int:
    """Return how many turns were certainly decided within some seconds, at most."""
    ends: list[float] = []
    most = 0
    for asked, ended in sorted(turns, reverse=True):
        insort(ends, ended)
        most = max(most, bisect_right(ends, asked + seconds))
    return most
