"""Real processes, and what is left of one that is killed in any state."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.integrations.redis.turns import link_of, most_within
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp import CircuitBreaker, HTTPCircuitOpenError
from railhttp.auth import Tokens
from railhttp.integrations.redis import RedisStore
from railhttp.policy.breaker_states import HalfOpen
from railhttp.resilience import RateLimiter

PROGRAM: Final = "tests.integrations.redis.process"
ROOT: Final = Path(__file__).parents[3]


@pytest.fixture
async def fleet(redis: RedisServer) -> AsyncIterator[RedisStore]:
    async with RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) as store:
        yield store


async def run(redis: RedisServer, what: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, redis.url, what, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode()


async def succeed() -> str:
    return "fine"


async def fail() -> str:
    raise ConnectionError


async def test_the_slot_of_a_prober_that_was_killed_is_free_after_its_lease(
    redis: RedisServer, fleet: RedisStore
) -> None:
    breaker = CircuitBreaker(3, 0.2, name="h", probe_lease=1.0, store=fleet.breakers())
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await breaker.call(fail)
    await until(lambda: not breaker.is_refusing)
    code, _ = await run(redis, "probe")
    assert code == -signal.SIGKILL
    await until(lambda: breaker.state == "half_open")
    state = fleet.breakers().peek("h")
    assert isinstance(state, HalfOpen)
    while breaker.state != "closed":
        try:
            await breaker.call(succeed)
        except HTTPCircuitOpenError:
            await asyncio.sleep(0.02)
    assert link_of(fleet).now() >= state.slots[0].until


async def test_the_lease_of_a_process_that_was_killed_while_refreshing_ends(
    redis: RedisServer, fleet: RedisStore
) -> None:
    store = fleet.tokens(key="secret", lease=1.0)
    await store.save(Tokens("a", "r"))
    code, _ = await run(redis, "refresh")
    assert code == -signal.SIGKILL
    (lease,) = redis.keys("test:lease:*") or [""]
    dead = redis.ask("GET", lease)
    assert await store.load() == Tokens("a", "r")
    (lease,) = redis.keys("test:lease:*")
    assert redis.ask("GET", lease) != dead
    await store.save(Tokens("b", "s"))


async def test_turns_of_a_process_that_was_killed_come_back_with_time(
    redis: RedisServer, fleet: RedisStore
) -> None:
    code, _ = await run(redis, "lease")
    assert code == -signal.SIGKILL
    limiter = RateLimiter(100, 20, max_wait=30.0, store=fleet.rates(lease=0))
    await asyncio.gather(*(limiter.execute(succeed) for _ in range(20)))


async def test_ten_processes_with_a_thousand_calls_each_keep_the_bound(redis: RedisServer) -> None:
    ended = await asyncio.gather(*(run(redis, "call") for _ in range(10)))
    assert {code for code, _ in ended} == {0}
    turns = [turn for _, output in ended for turn in json.loads(output)]
    assert len(turns) == 10_000
    for window in (0.1, 0.5, 1.0, 2.0):
        assert most_within(window, turns) <= 100 + 2000 * window + 10 * 2000 * 0.05
