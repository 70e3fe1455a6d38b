"""One rate and one retry budget for a fleet."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from math import ceil

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE, until
from tests.servers.redis import RedisServer

from railhttp import HTTPConnectionError, HTTPRetryExhaustedError
from railhttp.integrations.redis import RedisStore
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.resilience import RateLimiter, RetryPolicy

PROCESSES = 3


@pytest.fixture
async def fleets(redis: RedisServer) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
            )
            for _ in range(PROCESSES)
        ]


def most_in_any(window: float, starts: list[float]) -> int:
    starts = sorted(starts)
    return max(sum(one <= start <= one + window for start in starts) for one in starts)


async def watch(lags: list[float]) -> None:
    """Record how late the loop is."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.002)
        lags.append(time.monotonic() - before - 0.002)


@pytest.mark.parametrize("lease", [0.0, 0.05, 0.2])
async def test_a_fleet_keeps_the_rate_within_the_stated_bound(
    fleets: list[RedisStore], lease: float
) -> None:
    rate, burst = 200.0, 20
    limiters = [
        RateLimiter(rate, burst, max_queue=1000, store=fleet.rates(lease)) for fleet in fleets
    ]
    starts: list[float] = []

    async def call() -> None:
        starts.append(time.monotonic())

    lags = [0.0]
    watching = asyncio.ensure_future(watch(lags))
    await asyncio.gather(*(limiter.execute(call) for limiter in limiters for _ in range(80)))
    watching.cancel()
    assert len(starts) == 240
    for window in (0.1, 0.3, 0.5):
        slack = 0.03 + 2 * max(lags)  # between the decision and the start of the call
        bound = burst + rate * (window + slack) + PROCESSES * ceil(rate * lease)
        assert most_in_any(window, starts) <= bound


async def test_a_lease_saves_most_scripts(redis: RedisServer, fleets: list[RedisStore]) -> None:
    async def call() -> None:
        """Take no time."""

    limiter = RateLimiter(1000, 1000, name="a", store=fleets[0].rates(lease=0.1))
    before = redis.scripts()
    for _ in range(500):
        await limiter.execute(call)
    assert redis.scripts() - before <= 50
    exact = RateLimiter(1000, 1000, name="b", store=fleets[0].rates(lease=0))
    before = redis.scripts()
    for _ in range(100):
        await exact.execute(call)
    assert redis.scripts() - before >= 100


async def test_turns_that_are_not_used_are_given_back(fleets: list[RedisStore]) -> None:
    async def call() -> None:
        """Take no time."""

    here = RateLimiter(100, 20, max_wait=0.0, store=fleets[0].rates(lease=0.2))
    await here.execute(call)  # takes all twenty
    await asyncio.sleep(0.6)
    there = RateLimiter(100, 20, max_wait=0.0, store=fleets[1].rates(lease=0))
    await asyncio.gather(*(there.execute(call) for _ in range(19)))


async def test_a_fleet_has_one_retry_budget(fleets: list[RedisStore]) -> None:
    budget = RetryBudget(capacity=14, refill=0.0)
    attempts: list[int] = []

    async def lose() -> None:
        attempts.append(1)
        raise HTTPConnectionError("lost", kind="disconnected")

    for fleet in fleets[:2]:
        policy = RetryPolicy(2, base_delay=0.001, budget=budget, store=fleet.budgets())
        with pytest.raises((HTTPConnectionError, HTTPRetryExhaustedError)):
            await policy.execute(lose)
    assert len(attempts) == 3


async def test_repayments_are_seen_at_once_here_and_soon_elsewhere(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    here, there = (fleet.budgets() for fleet in fleets[:2])
    budget = RetryBudget(capacity=100, refill=0.0)
    assert await here.apply("o", budget.charge, 50)
    before = redis.scripts()
    for _ in range(20):
        await here.apply("o", budget.repay, 1)

    def held(tokens: Tokens | None) -> float | None:
        return tokens.held if tokens else None

    assert held(here.peek("o")) == 70
    await until(lambda: held(there.peek("o")) == 70)
    assert redis.scripts() - before == 1
