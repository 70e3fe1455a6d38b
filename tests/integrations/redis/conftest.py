"""One Redis server for all tests of a module, emptied for each; and a proxy in front of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.servers.redis import PROGRAMS, RedisProxy, RedisServer, redis_proxy, redis_server


@pytest.fixture(scope="module", params=PROGRAMS or [""])
def module_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), request.param or None) as server:
        yield server


@pytest.fixture
def redis(module_server: RedisServer) -> RedisServer:
    module_server.ask("FLUSHALL")
    module_server.ask("CONFIG", "RESETSTAT")
    return module_server


@pytest.fixture
def mortal_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of this test alone, which may kill it."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def slow_redis(redis: RedisServer) -> AsyncIterator[RedisProxy]:
    async with redis_proxy(redis) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def rare_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no store read its copies again, so that the scripts of a slow test can be counted."""
    monkeypatch.setattr("railhttp.integrations.redis.link.STEADY", 600.0)
