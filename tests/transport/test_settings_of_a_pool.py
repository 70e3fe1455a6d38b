"""The defaults of a pool, its cookies, and its names in a forked process."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp.abc import AbstractStreamWriter
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPValidationError,
)
from railhttp.transport.names import NameResolver
from railhttp.transport.resolver import FunctionResolver

CONFIG: Final = HTTPClientConfig(timeout=60.0, trust_env=False)


def test_a_pool_and_its_config_have_the_same_defaults() -> None:
    config = ConnectionPool().config
    assert config == ConnectionPoolConfig()
    assert (config.max_connections, config.max_connections_per_host) == (10, 10)
    assert (config.max_keepalive_connections, config.keepalive_timeout) == (5, 15.0)
    assert (config.timeout, config.ttl_dns_cache) == (30.0, 300)
    assert (config.force_close, config.verify_ssl) == (False, True)
    for pool in (ConnectionPool(), ConnectionPool.from_config(ConnectionPoolConfig())):
        assert pool.cookie_jar is not None
        assert not pool.has_own_route


async def resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1", "::1"][: 1 + port // 1000]


def test_each_setting_of_a_pool_is_that_of_its_config() -> None:
    settings: dict[str, Any] = {
        "max_connections": 7,
        "max_keepalive_connections": 6,
        "max_connections_per_host": 4,
        "timeout": 3.0,
        "ttl_dns_cache": 2,
        "force_close": True,
        "verify_ssl": False,
        "keepalive_timeout": 9.0,
        "resolver": resolve,
        "unix_socket": "/run/api.sock",
    }
    pool = ConnectionPool(**settings)
    assert {name: getattr(pool.config, name) for name in settings} == settings
    assert pool.has_own_route
    assert ConnectionPool.from_config(ConnectionPoolConfig(**settings)).config == pool.config


async def test_a_resolver_may_be_asked_without_a_port() -> None:
    found = await FunctionResolver(resolve).resolve("a.test")
    assert [(one["hostname"], one["host"], one["port"]) for one in found] == [
        ("a.test", "127.0.0.1", 0)
    ]
    both = await FunctionResolver(resolve).resolve("a.test", 1000)
    assert [(one["host"], one["port"]) for one in both] == [("127.0.0.1", 1000), ("::1", 1000)]
    assert {one["port"] for one in await NameResolver(1).resolve("127.0.0.1")} == {0}


FORKS: Final = """
import asyncio, os, sys
from railhttp.transport.names import NameResolver

async def look_up():
    async with asyncio.timeout(60):
        return await NameResolver(0).resolve("127.0.0.1", 80)

asyncio.run(look_up())  # starts a thread, which a forked process does not have
child = os.fork()
if child == 0:
    os._exit(0 if asyncio.run(look_up()) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="Windows has no fork")
def test_names_are_looked_up_in_a_forked_process_too() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], check=False, timeout=100)
    assert done.returncode == 0


async def test_the_head_of_a_stream_has_no_body_yet(faults: FaultServer) -> None:
    async with HTTPClient(CONFIG) as client, client.stream("GET", faults.url()) as stream:
        assert stream.head.body == b""
        assert b"".join([piece async for piece in stream]) == b"ok"


class Ending(aiohttp.Payload):
    """A payload that ends the body itself."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return "abc"

    async def write(self, writer: AbstractStreamWriter) -> None:
        await writer.write(b"ab")
        await writer.write_eof(self._value)


@pytest.mark.parametrize("end", [b"", b"c"])
async def test_a_payload_may_end_its_body_with_bytes_or_without(
    echo: EchoServer, end: bytes
) -> None:
    async with HTTPClient(CONFIG) as client:
        document = (await client.post(echo.url(), data=Ending(end))).unwrap().json()
    assert isinstance(document, dict)
    assert document["body"] == "ab" + end.decode()


async def test_a_request_for_no_cookies_gets_and_sends_none() -> None:
    reply = answer(b"", "Set-Cookie: a=1")
    pool = ConnectionPool(trust_env=False, cookie_jar=False)
    async with ScriptedServer(sends(reply)) as server, HTTPClient(CONFIG, pool) as client:
        for _ in range(2):
            (await client.get(server.url())).unwrap()
        assert [seen.all("cookie") for seen in server.received] == [[], []]
        await client.get(server.url(), cookies={"b": "2"})
        assert server.received[-1].header("cookie") == "b=2"


async def test_cookies_of_the_jar_come_first_and_those_of_the_call_replace_them() -> None:
    reply = answer(b"", "Set-Cookie: a=1", "Set-Cookie: b=1")
    async with ScriptedServer(sends(reply)) as server, HTTPClient(CONFIG) as client:
        await client.get(server.url())
        await client.get(server.url(), cookies={"c": "3", "a": "2"})
        await client.get(server.url(), cookies={"a": "2", "b": "2"})
        seen = [one.header("cookie") for one in server.received]
    assert seen == ["", "b=1; c=3; a=2", "a=2; b=2"]


def test_an_error_tells_a_missing_certificate_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    for name, reason in (("none.pem", "No such file"), ("empty.pem", ".*PEM")):
        with pytest.raises(HTTPValidationError, match=f"cert: cannot be loaded: {reason}"):
            HTTPClient(CONFIG, cert=tmp_path / name)
