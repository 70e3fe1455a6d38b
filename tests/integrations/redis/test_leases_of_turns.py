"""Leases of a shared rate limit: a process takes some turns, and returns the unused ones."""

import asyncio
from typing import Final

import pytest
from tests.integrations.redis.turns import link_of
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.link import Link, Reply
from railhttp.pipeline.policies.store import STORE_WAIT, StoreWait
from railhttp.policy.rate_limit import RateRule
from railhttp.testing import ManualClock

PATIENCE: Final = 60.0
RULE: Final = RateRule(10, burst=100)
"""Ten turns per second, so that each one lasts 0.1 s."""


def full_at(server: RedisServer) -> float:
    """Return the time of the server at which all turns are available again."""
    return float(server.ask("GET", "test:rate:o").partition(b'"full_at":')[2].split(b"}")[0])


def connect(url: str, clock: ManualClock) -> RedisStore:
    return RedisStore.connect(url, prefix="test", timeout=PATIENCE, clock=clock)


@pytest.mark.parametrize(("lease", "taken"), [(0.5, 5), (0.51, 6), (0.01, 1)])
async def test_a_process_takes_the_turns_of_its_lease_rounded_up(
    redis: RedisServer, lease: float, taken: int
) -> None:
    async with connect(redis.url, ManualClock()) as fleet:
        store = fleet.rates(lease)
        before = redis.scripts()
        for _ in range(taken):
            assert await store.apply("o", RULE.take, 0) is None
        assert redis.scripts() - before == 1
        assert full_at(redis) == pytest.approx(link_of(fleet).now() + taken / 10, abs=5)
        await store.apply("o", RULE.take, 0)
        assert redis.scripts() - before == 2


async def test_turns_are_given_back_when_their_lease_ends(redis: RedisServer) -> None:
    clock = ManualClock()
    async with connect(redis.url, clock) as fleet:
        store = fleet.rates(0.5)
        await store.apply("o", RULE.take, 0)
        taken = full_at(redis)
        assert clock.next_timer == 0.5
        await clock.advance(0.5)
        await until(lambda: full_at(redis) == pytest.approx(taken - 0.4))
        before = redis.scripts()
        await store.apply("o", RULE.take, 0)  # those that were given back are used no more
        assert redis.scripts() == before + 1
        assert full_at(redis) == pytest.approx(taken + 0.1)


async def test_turns_that_were_all_used_are_not_given_back(redis: RedisServer) -> None:
    clock = ManualClock()
    async with connect(redis.url, clock) as fleet:
        store = fleet.rates(0.2)
        for _ in range(2):
            await store.apply("o", RULE.take, 0)
        before = redis.scripts()
        await clock.advance(1)
    assert redis.scripts() == before


async def test_many_calls_take_their_turns_together(redis: RedisServer) -> None:
    async with connect(redis.url, ManualClock()) as fleet:
        store = fleet.rates(2.0)
        before = redis.scripts()
        waits = await asyncio.gather(*(store.apply("o", RULE.take, 0) for _ in range(20)))
        assert waits == [None] * 20
        assert redis.scripts() - before == 1


async def test_a_call_that_finds_others_waiting_asks_the_server(redis: RedisServer) -> None:
    async with connect(redis.url, ManualClock()) as fleet:
        store = fleet.rates(2.0)
        await store.apply("o", RULE.take, 0)
        taken = full_at(redis)
        assert await store.apply("o", RULE.take, 1) == 0.0
        assert full_at(redis) == taken


async def test_the_wait_of_a_call_for_turns_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()

    async def run(*_: object) -> Reply:
        await clock.advance(1)
        return Reply(done=True, value=b"")

    monkeypatch.setattr(Link, "run", run)
    fleet = connect("redis://cache", clock)
    link_of(fleet).up = True
    waits = StoreWait()
    token = STORE_WAIT.set(waits)
    assert await fleet.rates(5.0).apply("o", RULE.take, 0) is None
    STORE_WAIT.reset(token)
    assert waits.seconds == 1.0
