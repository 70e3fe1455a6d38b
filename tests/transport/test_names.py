"""Host names: looked up in threads of our own, remembered, and forgotten after a failure."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any, Final
from unittest.mock import patch

import pytest
from tests.patience import until
from tests.servers.echo import EchoServer
from tests.servers.listener import refused_port, unanswered_port

from railhttp import HTTPClient, HTTPClientConfig, RetryPolicy
from railhttp.transport.names import MAX_THREADS, NameResolver

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)


class Names:
    """Stands in for the name servers: a name has an address, or its look-up hangs."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.asked: list[str] = []
        self.free = threading.Event()

    # The signature is that of `socket.getaddrinfo`.
    def __call__(self, host: str, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        self.asked.append(host)
        if host not in self.addresses:
            self.free.wait(60)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        address = (self.addresses[host], port or 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    with patch.object(socket, "getaddrinfo", names):
        yield names
        names.free.set()


@pytest.fixture
def config() -> HTTPClientConfig:
    return HTTPClientConfig(timeout=20.0, trust_env=False, max_connections=50)


async def test_names_that_hang_keep_nothing_else_waiting(
    names: Names, config: HTTPClientConfig, echo: EchoServer
) -> None:
    names.addresses["quick.test"] = "127.0.0.1"
    loop = asyncio.get_running_loop()
    async with HTTPClient(config, retry_policy=ONCE) as client:
        calls = [
            asyncio.create_task(client.get(f"http://hang{number % 20}.test/", timeout=10.0))
            for number in range(40)
        ]
        await until(lambda: len(names.asked) == 20)
        assert (await client.get(echo.url(host="quick.test"))).unwrap().ok
        assert await loop.run_in_executor(None, threading.get_ident) > 0
        names.free.set()
        assert {(await call).failure().label for call in calls} == {"dns"}
    assert sorted(set(names.asked)) == sorted(names.asked)  # each name occupied one thread
    assert MAX_THREADS > 20


async def test_a_name_that_hangs_ends_within_the_time_of_each_call(
    names: Names, config: HTTPClientConfig
) -> None:
    async with HTTPClient(config, retry_policy=ONCE) as client:
        failures = [
            (await client.get("http://hang.test/", connect_timeout=0.05)).failure()
            for _ in range(3)
        ]
        assert [failure.label for failure in failures] == ["connect"] * 3
        assert names.asked == ["hang.test"]


async def test_stopping_does_not_wait_for_a_name(names: Names, config: HTTPClientConfig) -> None:
    async with HTTPClient(config, retry_policy=ONCE) as client:
        call = asyncio.create_task(client.get("http://hang.test/"))
        await until(lambda: names.asked)
        await client.stop()
        assert (await call).failure().label == "closed"


async def test_a_host_that_moved_is_found_at_once(
    names: Names, config: HTTPClientConfig, echo: EchoServer
) -> None:
    names.addresses["moving.test"] = "127.0.0.1"
    async with HTTPClient(config, retry_policy=ONCE) as client:
        url = echo.url(host="moving.test")
        for _ in range(2):
            assert (await client.get(url, headers={"Connection": "close"})).unwrap().ok
        assert names.asked == ["moving.test"]
        names.addresses["moving.test"] = "127.0.0.2"
        with refused_port() as port:
            failure = (await client.get(f"http://moving.test:{port}/")).failure()
        assert failure.label == "connect"
        names.addresses["moving.test"] = "127.0.0.1"
        assert (await client.get(url)).unwrap().ok
        assert names.asked == ["moving.test"] * 2


async def test_a_host_that_does_not_respond_is_looked_up_again(
    names: Names, config: HTTPClientConfig, echo: EchoServer
) -> None:
    names.addresses["moving.test"] = "127.0.0.1"
    async with HTTPClient(config, retry_policy=ONCE) as client:
        url, closing = echo.url(host="moving.test"), {"Connection": "close"}
        assert (await client.get(url, headers=closing)).unwrap().ok
        with unanswered_port() as port:
            call = client.get(f"http://moving.test:{port}/", connect_timeout=0.05)
            assert (await call).failure().label == "connect"
        assert names.asked == ["moving.test"]
        assert (await client.get(url, headers=closing)).unwrap().ok
        assert names.asked == ["moving.test"] * 2


async def test_addresses_are_used_in_turn(config: HTTPClientConfig) -> None:
    pairs = [("127.0.0.1", 80), ("127.0.0.2", 80)]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", pair) for pair in pairs]
    with patch.object(socket, "getaddrinfo", lambda *_, **__: found):
        resolver = NameResolver(ttl=300)
        orders = [[one["host"] for one in await resolver.resolve("a.test", 80)] for _ in range(4)]
    assert orders[0] == orders[1] == ["127.0.0.1", "127.0.0.2"]
    assert orders[2] == ["127.0.0.2", "127.0.0.1"]
