"""Real processes, and what is left of one that is killed in any state."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.servers.redis import RedisServer

from railhttp import CircuitBreaker, HTTPCircuitOpenError
from railhttp.auth import Tokens
from railhttp.integrations.redis import RedisStore
from railhttp.resilience import RateLimiter

PROGRAM: Final = Path(__file__).with_name("process.py")


@pytest.fixture
async def fleet(redis: RedisServer) -> AsyncIterator[RedisStore]:
    async with RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) as store:
        yield store


async def run(redis: RedisServer, what: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), redis.url, what, stdout=asyncio.subprocess.PIPE
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
    await asyncio.sleep(0.25)
    code, _ = await run(redis, "probe")
    assert code == -signal.SIGKILL
    with pytest.raises(HTTPCircuitOpenError):
        await breaker.call(succeed)
    await asyncio.sleep(1.0)
    assert await breaker.call(succeed) == "fine"
    assert breaker.state == "closed"


async def test_the_lease_of_a_process_that_was_killed_while_refreshing_ends(
    redis: RedisServer, fleet: RedisStore
) -> None:
    store = fleet.tokens(key="secret", lease=1.0)
    await store.save(Tokens("a", "r"))
    code, _ = await run(redis, "refresh")
    assert code == -signal.SIGKILL
    began = time.monotonic()
    assert await store.load() == Tokens("a", "r")
    assert 0.3 < time.monotonic() - began < 3.0
    await store.save(Tokens("b", "s"))


async def test_turns_of_a_process_that_was_killed_come_back_with_time(
    redis: RedisServer, fleet: RedisStore
) -> None:
    code, _ = await run(redis, "lease")
    assert code == -signal.SIGKILL
    limiter = RateLimiter(100, 20, store=fleet.rates(lease=0))
    began = time.monotonic()
    await asyncio.gather(*(limiter.execute(succeed) for _ in range(20)))
    assert time.monotonic() - began < 1.0


async def test_ten_processes_with_a_thousand_calls_each_keep_the_bound(redis: RedisServer) -> None:
    ended = await asyncio.gather(*(run(redis, "call") for _ in range(10)))
    assert {code for code, _ in ended} == {0}
    starts = sorted(float(word) for _, output in ended for word in output.split())
    assert len(starts) == 10_000
    slack = 0.5  # a busy machine starts a call late
    for window in (0.5, 1.0, 2.0):
        bound = 100 + 2000 * (window + slack) + 10 * 2000 * 0.05
        first = 0
        for last, start in enumerate(starts):
            while starts[first] < start - window:
                first += 1
            assert last - first + 1 <= bound
