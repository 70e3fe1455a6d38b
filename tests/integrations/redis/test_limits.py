"""One rate and one retry budget for a fleet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from math import ceil

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.integrations.redis.turns import Turns, most_within
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp import HTTPConnectionError, HTTPRetryExhaustedError
from railhttp.integrations.redis import RedisStore
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.resilience import RateLimiter, RetryPolicy

PROCESSES = 3


async def succeed() -> str:
    return "fine"


@pytest.fixture
async def fleets(redis: RedisServer) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
            )
            for _ in range(PROCESSES)
        ]


@pytest.mark.parametrize("lease", [0.0, 0.05, 0.2])
async def test_a_fleet_keeps_the_rate_within_the_stated_bound(
    fleets: list[RedisStore], lease: float
) -> None:
    rate, burst = 200.0, 20
    turns: list[tuple[float, float]] = []
    limiters = [
        RateLimiter(rate, burst, max_queue=1000, store=Turns(fleet, lease, turns))
        for fleet in fleets
    ]
    await asyncio.gather(*(limiter.execute(succeed) for limiter in limiters for _ in range(80)))
    assert len(turns) == 240
    for window in (0.1, 0.3, 0.5):
        bound = burst + rate * window + PROCESSES * ceil(rate * lease)
        assert most_within(window, turns) <= bound


async def test_a_lease_saves_most_scripts(redis: RedisServer, fleets: list[RedisStore]) -> None:
    limiter = RateLimiter(10, 1000, name="a", store=fleets[0].rates(lease=60))
    before = redis.scripts()
    for _ in range(500):
        await limiter.execute(succeed)
    assert redis.scripts() - before < 100
    exact = RateLimiter(1000, 1000, name="b", store=fleets[0].rates(lease=0))
    before = redis.scripts()
    for _ in range(100):
        await exact.execute(succeed)
    assert redis.scripts() - before >= 100


async def test_turns_that_are_not_used_are_given_back(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    def full_at() -> float:
        return float(redis.ask("GET", "test:rate:").partition(b'"full_at":')[2].split(b"}")[0])

    exact = RateLimiter(10, 1000, store=fleets[0].rates(lease=0))
    await asyncio.gather(*(exact.execute(succeed) for _ in range(500)))  # full in 50 seconds
    leased = RateLimiter(10, 1000, store=fleets[1].rates(lease=0.5))
    before = full_at()
    await leased.execute(succeed)  # takes five turns, and uses one
    await until(lambda: full_at() == pytest.approx(before + 0.1, abs=0.001))


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
