"""Shares the state of policies between processes, on Redis; needs the extra `redis`.

    fleet = RedisStore.connect("redis://cache:6379/0", prefix="shop")
    async with fleet:
        breaker = CircuitBreaker(name="stock", store=fleet.breakers(quorum=2))
        limiter = RateLimiter(rate=100, burst=20, store=fleet.rates())
        policy = RetryPolicy(store=fleet.budgets())

The policies decide in the process, on a local copy of the state. A script on the server replaces
the state if it is still the known one, and publishes it to the other processes.
"""

from railhttp.integrations.redis.fleet import RedisStore
from railhttp.integrations.redis.link import StoreDown
from railhttp.integrations.redis.tokens import SharedTokens
from railhttp.model.events import WhenDown

__all__ = ["RedisStore", "SharedTokens", "StoreDown", "WhenDown"]
