"""A process of a fleet, for tests that kill it: `python -m …redis.process URL WHAT`."""

import asyncio
import json
import os
import signal
import sys

from tests.integrations.redis.turns import Turns

from railhttp import CircuitBreaker
from railhttp.integrations.redis import RedisStore
from railhttp.resilience import RateLimiter


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def probe(fleet: RedisStore) -> None:
    """Take the slot of the probe, and die in the call."""
    breaker = CircuitBreaker(3, 0.2, name="h", probe_lease=1.0, store=fleet.breakers())

    async def call() -> None:
        die()

    await breaker.call(call)


async def refresh(fleet: RedisStore) -> None:
    """Take the lease of the tokens, and die while they are refreshed."""
    store = fleet.tokens(key="secret", lease=1.0)
    await store.load()
    await store.load()
    die()


async def lease(fleet: RedisStore) -> None:
    """Take turns of a rate, and die before they are used."""

    async def call() -> None:
        """Take no time."""

    await RateLimiter(100, 20, store=fleet.rates(lease=0.2)).execute(call)
    die()


async def call_a_thousand_times(fleet: RedisStore) -> None:
    """Print between which times each call was admitted."""
    turns: list[tuple[float, float]] = []
    limiter = RateLimiter(2000, 100, max_queue=2000, store=Turns(fleet, 0.05, turns))

    async def call() -> None:
        """Take no time."""

    await asyncio.gather(*(limiter.execute(call) for _ in range(1000)))
    print(json.dumps(turns))


WHAT = {
    "probe": probe,
    "refresh": refresh,
    "lease": lease,
    "call": call_a_thousand_times,
}


async def main(url: str, what: str) -> None:
    async with RedisStore.connect(url, prefix="test", timeout=60.0) as fleet:
        await WHAT[what](fleet)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
