"""Tokens of a fleet: encrypted, and refreshed by one process at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.servers.redis import RedisProxy, RedisServer

from railhttp import HTTPValidationError
from railhttp.auth import Tokens
from railhttp.integrations.redis import RedisStore, SharedTokens, StoreDown

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def fleets(redis: RedisServer) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
            )
            for _ in range(3)
        ]


class TokenServer:
    """Rotates refresh tokens, and revokes all if one is used twice."""

    def __init__(self) -> None:
        self.current = "refresh-0"
        self.refreshes = 0

    async def refresh(self, token: str) -> Tokens:
        assert token == self.current, "a refresh token was used twice"
        self.refreshes += 1
        self.current = f"refresh-{self.refreshes}"
        await asyncio.sleep(0.05)
        return Tokens(f"access-{self.refreshes}", self.current)


async def replaced(store: SharedTokens, server: TokenServer, refused: str) -> str:
    """Return an access token that was not refused, as `OAuth2Refresh` does."""
    tokens = await store.load()
    assert tokens is not None
    if tokens.access_token in {"", refused}:
        tokens = await store.load()
        assert tokens is not None
    if tokens.access_token in {"", refused}:
        tokens = await server.refresh(tokens.refresh_token)
        await store.save(tokens)
    return tokens.access_token


async def test_what_one_process_saves_the_others_load(fleets: list[RedisStore]) -> None:
    here, there = (fleet.tokens(key=KEY) for fleet in fleets[:2])
    assert await here.load() is None
    await here.save(Tokens("access", "refresh"))
    assert await there.load() == Tokens("access", "refresh")
    assert await here.load() == Tokens("access", "refresh")


async def test_of_all_processes_whose_token_is_refused_one_refreshes(
    fleets: list[RedisStore],
) -> None:
    server = TokenServer()
    stores = [fleet.tokens(key=KEY) for fleet in fleets]
    await stores[0].save(Tokens("", server.current))
    for refused in ("", "access-1", "access-2"):
        got = await asyncio.gather(*(replaced(store, server, refused) for store in stores))
        assert len(set(got)) == 1
    assert server.refreshes == 3


async def test_the_lease_of_a_process_that_saves_ends(fleets: list[RedisStore]) -> None:
    here, there = (fleet.tokens(key=KEY) for fleet in fleets[:2])
    await here.save(Tokens("a", "r"))
    await here.load()
    assert await there.load() == Tokens("a", "r")
    waiting = asyncio.ensure_future(there.load())
    await asyncio.sleep(0.3)
    assert not waiting.done(), "the other process refreshes"
    await here.save(Tokens("b", "s"))
    assert await waiting == Tokens("b", "s")


async def test_a_process_that_lives_keeps_its_lease_while_it_refreshes(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    store = fleets[0].tokens(key=KEY, lease=6.0)
    await store.save(Tokens("a", "r"))
    await store.load()
    left = 6000
    while True:
        await asyncio.sleep(0.2)
        before = left
        left = int(redis.ask("PTTL", redis.keys("test:lease:*")[0])[1:])
        if left > before:  # it was extended
            break


async def test_the_server_sees_no_token_and_no_key(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    await fleets[0].tokens(key=KEY).save(Tokens("access-secret", "refresh-secret"))
    keys = redis.ask("KEYS", "*").decode()
    assert "tokens" in keys
    assert KEY not in keys
    name = next(line for line in keys.splitlines() if "test:tokens:" in line)
    stored = redis.ask("GET", name)
    assert b"secret" not in stored


async def test_another_key_or_name_finds_nothing(fleets: list[RedisStore]) -> None:
    await fleets[0].tokens(key=KEY).save(Tokens("access", "refresh"))
    assert await fleets[1].tokens(key="another").load() is None
    assert await fleets[1].tokens(key=KEY, name="ann").load() is None


async def test_what_somebody_else_wrote_is_no_token(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    await fleets[0].tokens(key=KEY).save(Tokens("access", "refresh"))
    keys = redis.ask("KEYS", "test:tokens:*").decode().splitlines()
    redis.ask("SET", next(line for line in keys if line.startswith("test:")), "forged")
    assert await fleets[1].tokens(key=KEY).load() is None


def test_a_key_is_needed() -> None:
    fleet = RedisStore.connect("redis://cache")
    tokens: Callable[..., SharedTokens] = fleet.tokens
    for arguments in ({"key": ""}, {"key": KEY, "lease": 0.0}):
        with pytest.raises(HTTPValidationError):
            tokens(**arguments)
    assert KEY not in repr(fleet.tokens(key=KEY))


async def test_new_tokens_outlive_an_outage(redis: RedisServer, slow_redis: RedisProxy) -> None:
    async with RedisStore.connect(slow_redis.url, prefix="test", timeout=PATIENCE) as fleet:
        store = fleet.tokens(key=KEY)
        await store.save(Tokens("a", "r"))
        slow_redis.refusing = True
        slow_redis.reset()
        assert await store.load() == Tokens("a", "r")
        await store.save(Tokens("b", "s"))
        assert await store.load() == Tokens("b", "s")
        slow_redis.refusing = False
        async with RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) as other:
            fresh = other.tokens(key=KEY)
            for _ in range(500):
                if await fresh.load() == Tokens("b", "s"):
                    break
                fresh = other.tokens(key=KEY)
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("the tokens do not arrive")


@pytest.mark.parametrize("when_down", ["refuse", "raise"])
async def test_otherwise_an_outage_is_an_error(slow_redis: RedisProxy, when_down: str) -> None:
    fleet = RedisStore.connect(
        slow_redis.url,
        prefix="test",
        timeout=PATIENCE,
        when_down=when_down,  # type: ignore[arg-type]  # of two of its values
    )
    async with fleet:
        store = fleet.tokens(key=KEY)
        slow_redis.refusing = True
        slow_redis.reset()
        with pytest.raises(StoreDown):
            await store.load()
        with pytest.raises(StoreDown):
            await store.save(Tokens("a", "r"))
