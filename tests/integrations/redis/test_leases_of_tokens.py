"""How long a process holds the lease of tokens, and what processes of other versions must share."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis import Redis
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.patience import until
from tests.servers.redis import RedisProxy, RedisServer

from railhttp.auth import Tokens
from railhttp.integrations.redis import RedisStore, StoreDown
from railhttp.model.clock import Clock
from railhttp.model.events import WhenDown
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.testing import ManualClock

KEY: Final = "0123456789abcdef0123456789abcdef"


@asynccontextmanager
async def connected(
    url: str, when_down: WhenDown = "local", clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[RedisStore]:
    async with RedisStore.connect(
        url, prefix="test", timeout=PATIENCE, when_down=when_down, clock=clock
    ) as fleet:
        yield fleet


def renewals(server: RedisServer) -> int:
    """Return how often a lease was extended."""
    lines = server.ask("INFO", "commandstats").decode().splitlines()
    found = [line for line in lines if line.startswith("cmdstat_pexpire:")]
    return int(found[0].split("calls=")[1].split(",")[0]) if found else 0


def is_renewed(server: RedisServer, number: int) -> bool:
    return renewals(server) == number


def left(server: RedisServer) -> int:
    """Return the milliseconds until the lease ends."""
    return int(server.ask("PTTL", server.keys("test:lease:*")[0])[1:])


async def test_a_lease_is_extended_three_times_as_often_as_it_ends_for_half_a_minute(
    redis: RedisServer,
) -> None:
    clock = ManualClock()
    async with connected(redis.url, clock=clock) as fleet:
        store = fleet.tokens(key=KEY, lease=6.0)
        await store.save(Tokens("a", "r"))
        await store.load()
        for number in range(1, 16):
            await until(lambda: clock.next_timer is not None)
            await clock.advance(1.99)
            assert renewals(redis) == number - 1
            await clock.advance(0.01)
            await until(partial(is_renewed, redis, number))
        assert 3000 < left(redis) <= 6000
        await clock.advance(60)
        assert await fleet.tokens(key=KEY, name="ann").load() is None
        assert renewals(redis) == 15
    assert clock.slept == [2.0] * 15


async def test_a_process_that_has_saved_new_tokens_extends_no_lease(redis: RedisServer) -> None:
    clock = ManualClock()
    async with connected(redis.url, clock=clock) as fleet:
        store = fleet.tokens(key=KEY, lease=3.0)
        await store.save(Tokens("a", "r"))
        await store.load()
        await until(lambda: clock.next_timer is not None)
        await store.save(Tokens("b", "s"))
        await clock.advance(60)
        assert await fleet.tokens(key=KEY, name="ann").load() is None
    assert (renewals(redis), clock.slept) == (0, [1.0])


async def test_without_tokens_there_is_no_lease_to_extend(redis: RedisServer) -> None:
    clock = ManualClock()
    async with connected(redis.url, clock=clock) as fleet:
        assert await fleet.tokens(key=KEY).load() is None
        await clock.settle()
    assert clock.slept == []


async def test_a_lease_lasts_five_seconds_unless_told_otherwise(redis: RedisServer) -> None:
    async with connected(redis.url, clock=ManualClock()) as fleet:
        store = fleet.tokens(key=KEY)
        await store.save(Tokens("a", "r"))
        await store.load()
        assert 2000 < left(redis) <= 5000


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.05), (0.5, 0.1), (1.0, 0.15)])
async def test_while_another_process_refreshes_the_lease_is_looked_at_ten_times_a_second(
    redis: RedisServer, chance: float, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    monkeypatch.setattr(clock, "uniform", lambda: chance)
    async with connected(redis.url) as first, connected(redis.url, clock=clock) as second:
        here, there = first.tokens(key=KEY), second.tokens(key=KEY)
        await here.save(Tokens("a", "r"))
        await here.load()
        await there.load()
        waiting = asyncio.ensure_future(there.load())
        await until(lambda: clock.slept)
        await here.save(Tokens("b", "s"))
        await clock.advance(1)
        assert await waiting == Tokens("b", "s")
    assert clock.slept == pytest.approx([pause])


def secret_of(name: str) -> bytes:
    """Derive the key of the tokens of a name, as each version of the package does."""
    salt = f"railhttp:test:{name}".encode()
    return hashlib.scrypt(KEY.encode(), salt=salt, n=16_384, r=8, p=1, dklen=48)


async def test_processes_of_another_version_share_the_tokens(redis: RedisServer) -> None:
    secret, nonce = secret_of("default"), b"twelve bytes"
    place = f"test:tokens:default:{secret[32:].hex()}"
    document = b'{"type":"tokens","access_token":"a","refresh_token":"r"}'
    with Redis.from_url(redis.url) as client:
        client.set(place, nonce + AESGCM(secret[:32]).encrypt(nonce, document, None))
        async with connected(redis.url) as fleet:
            store = fleet.tokens(key=KEY)
            assert await store.load() == Tokens("a", "r")
            assert await fleet.tokens(key=KEY.encode()).load() == Tokens("a", "r")
            await store.load()
            assert redis.keys("test:lease:*") == [f"test:lease:default:{secret[32:].hex()}"]
            await store.save(Tokens("a", "r"))
        found = client.get(place)
    assert isinstance(found, bytes)
    assert AESGCM(secret[:32]).decrypt(found[:12], found[12:], None) == document
    assert found[:12] != nonce


@pytest.mark.parametrize("document", [b"{}", b"[", b'{"type":"rate"}'])
async def test_a_document_of_another_form_is_no_token(redis: RedisServer, document: bytes) -> None:
    secret, nonce = secret_of("default"), b"twelve bytes"
    with Redis.from_url(redis.url) as client:
        place = f"test:tokens:default:{secret[32:].hex()}"
        client.set(place, nonce + AESGCM(secret[:32]).encrypt(nonce, document, None))
    async with connected(redis.url) as fleet:
        assert await fleet.tokens(key=KEY).load() is None


@pytest.mark.parametrize("when_down", ["refuse", "raise"])
async def test_tokens_that_could_not_be_saved_are_used_here_and_sent_later(
    redis: RedisServer, slow_redis: RedisProxy, when_down: WhenDown
) -> None:
    async with connected(redis.url) as other, connected(slow_redis.url, when_down) as fleet:
        store, elsewhere = fleet.tokens(key=KEY), other.tokens(key=KEY)
        slow_redis.refusing = True
        slow_redis.reset()
        with pytest.raises(StoreDown):
            await store.save(Tokens("a", "r"))
        assert await store.load() == Tokens("a", "r")
        assert await elsewhere.load() is None
        slow_redis.refusing = False
        await until(lambda: redis.keys("test:tokens:*"))
        assert await other.tokens(key=KEY).load() == Tokens("a", "r")
