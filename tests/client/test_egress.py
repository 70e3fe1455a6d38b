"""The egress gate on real sockets: every way to a connection passes it, and none leaks an address.

Nothing here connects to an address that is not loopback: names resolve by a function of the test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp import (
    BaseURLHTTPClient,
    ConnectionPool,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HTTPValidationError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.egress import Egress
from railhttp.testing import ScriptedTransport
from railhttp.transport.connector import KeepaliveConnector

LOOPBACK: Final = Egress(allow=["127.0.0.0/8"])
CONFIG: Final = HTTPClientConfig(timeout=5.0, trust_env=False)
PRIVATE: Final = "10.20.30.40"
NAMES: Final = {
    "here.test": ["127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": [PRIVATE, "127.0.0.1", "169.254.169.254"],
    "private.test": [PRIVATE],
    "nat64.test": ["64:ff9b::10.20.30.40"],
    "zone.test": ["fe80::1%1"],
}


async def resolve(host: str, port: int) -> list[str]:
    return NAMES[host]


def client_of(egress: Egress = LOOPBACK) -> HTTPClient:
    return HTTPClient(CONFIG, egress=egress, resolver=resolve)


def assert_rejected(failure: HTTPFailure, *addresses: str) -> None:
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == ("rejected", Delivery.NOT_SENT)
    for address in (PRIVATE, "127.0.0.1", "169.254.169.254", *addresses):
        assert address not in f"{failure} {failure!r} {failure.url} {failure.__cause__!r}"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_a_public_client_does_not_reach_this_machine(faults: FaultServer, host: str) -> None:
    url = faults.url().replace("127.0.0.1", host)
    async with HTTPClient(CONFIG, egress=Egress.public()) as client:
        assert_rejected((await client.get(url)).failure(), "::1", "::ffff")
    assert faults.connections == 0


async def test_a_call_with_words_of_aiohttp_passes_the_gate(faults: FaultServer) -> None:
    async with client_of(Egress.public()) as client:
        for url in (faults.url(), "http://private.test/"):
            result = await client.get(url, skip_auto_headers=["User-Agent"], server_hostname="h")
            assert_rejected(result.failure())
    async with client_of() as client:
        assert (await client.get(faults.url(), skip_auto_headers=["User-Agent"])).unwrap().ok
    assert len(faults.received) == 1


@pytest.mark.parametrize("name", ["private.test", "nat64.test", "zone.test", "here.test"])
async def test_a_name_is_refused_for_its_addresses(name: str) -> None:
    async with client_of(Egress.public()) as client:
        assert_rejected((await client.get(f"http://{name}/")).failure(), *NAMES[name])


@pytest.mark.parametrize("name", ["here.test", "mapped.test", "mixed.test"])
async def test_of_several_addresses_those_that_pass_are_used(
    faults: FaultServer, name: str
) -> None:
    async with client_of() as client:
        response = await client.get(f"http://{name}:{faults.port}/ok")
        assert response.unwrap().body == b"ok"


async def test_a_refused_connection_is_no_refusal_of_the_gate() -> None:
    with refused_port() as port:
        async with client_of() as client:
            failure = (await client.get(f"http://mixed.test:{port}/")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "connect"
    assert isinstance(failure.__cause__, ConnectionRefusedError)


async def test_a_name_in_allow_may_have_any_address(faults: FaultServer) -> None:
    async with client_of(Egress(allow=["here.test"])) as client:
        assert (await client.get(f"http://here.test:{faults.port}/ok")).unwrap().ok
        assert_rejected((await client.get(f"http://mixed.test:{faults.port}/ok")).failure())


@pytest.mark.parametrize(
    "egress",
    [
        Egress(allow=["127.0.0.0/8"], ports={443}),
        Egress(allow=["127.0.0.0/8"], schemes={"https"}),
        Egress(allow=["127.0.0.0/8"], deny=["here.test"]),
        Egress(allow=["here.test"], deny=["127.0.0.1"]),
    ],
    ids=repr,
)
async def test_ports_schemes_and_deny_hold_too(faults: FaultServer, egress: Egress) -> None:
    async with client_of(egress) as client:
        assert_rejected((await client.get(f"http://here.test:{faults.port}/ok")).failure())
    assert faults.connections == 0


async def test_a_name_that_changes_its_address_is_checked_again(faults: FaultServer) -> None:
    answers = iter([["127.0.0.1"], [PRIVATE], ["127.0.0.1"]])

    async def rebind(host: str, port: int) -> list[str]:
        return next(answers)

    pool = ConnectionPool(force_close=True, trust_env=False, resolver=rebind)
    async with HTTPClient(pool=pool, egress=LOOPBACK) as client:
        url = f"http://rebind.test:{faults.port}/ok"
        assert (await client.get(url)).unwrap().ok
        assert_rejected((await client.get(url)).failure())
        assert (await client.get(url)).unwrap().ok


@pytest.mark.parametrize("target", ["http://private.test/", f"http://{PRIVATE}/"])
async def test_a_redirect_passes_the_gate(echo: EchoServer, target: str) -> None:
    async with client_of() as client:
        url = echo.url("/redirect-to", url=target)
        assert_rejected((await client.get(url)).failure())


async def test_a_post_that_was_redirected_is_not_called_unsent(echo: EchoServer) -> None:
    async with client_of() as client:
        url = echo.url("/redirect-to", url="http://private.test/")
        failure = (await client.post(url)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == ("rejected", Delivery.ANSWERED)


Opener: TypeAlias = Callable[[HTTPClient, str, Path], Awaitable[object]]


async def stream(client: HTTPClient, url: str, path: Path) -> None:
    async with client.stream("GET", url):
        pass


async def events(client: HTTPClient, url: str, path: Path) -> None:
    async with client.sse(url, reconnect=True):
        pass


async def download(client: HTTPClient, url: str, path: Path) -> None:
    raise (await client.download(url, path)).failure()


async def upload(client: HTTPClient, url: str, path: Path) -> None:
    raise (await client.post_multipart(url, {"file": b"1"})).failure()


@pytest.mark.parametrize("opener", [stream, events, download, upload])
async def test_streams_events_downloads_and_uploads_pass_the_gate(
    opener: Opener, tmp_path: Path
) -> None:
    async with client_of() as client:
        with pytest.raises(HTTPConnectionError) as caught:
            await opener(client, "http://private.test/", tmp_path / "file")
    assert_rejected(caught.value)


async def test_a_refusal_is_not_retried() -> None:
    seen = []

    async def count(host: str, port: int) -> list[str]:
        seen.append(host)
        return [PRIVATE]

    policy = RetryPolicy(max_attempts=5, reraise=True)
    async with HTTPClient(CONFIG, None, policy, egress=LOOPBACK, resolver=count) as client:
        assert_rejected((await client.get("http://private.test/")).failure())
    assert seen == ["private.test"]


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    async with ConnectionPool(trust_env=False, resolver=resolve) as pool:
        yield pool


@pytest.mark.parametrize("words_of_aiohttp", [RequestOptions(), RequestOptions(max_headers=50)])
async def test_a_kept_connection_of_a_shared_pool_is_not_used(
    faults: FaultServer, pool: ConnectionPool, words_of_aiohttp: RequestOptions
) -> None:
    url = f"http://here.test:{faults.port}/ok"
    free, gated = HTTPClient(pool=pool), HTTPClient(pool=pool, egress=Egress.public())
    assert (await free.get(url, **words_of_aiohttp)).unwrap().ok
    assert_rejected((await gated.get(url, **words_of_aiohttp)).failure())
    assert (await free.get(url, **words_of_aiohttp)).unwrap().ok
    assert len({seen.connection for seen in faults.received}) == 1


async def test_connections_that_passed_a_gate_are_kept(
    faults: FaultServer, pool: ConnectionPool
) -> None:
    for egress in (LOOPBACK, Egress(allow=["127.0.0.0/8"])):  # equal, though not the same
        client = HTTPClient(pool=pool, egress=egress)
        assert (await client.get(f"http://here.test:{faults.port}/ok")).unwrap().ok
    assert len({seen.connection for seen in faults.received}) == 1


async def test_a_client_with_a_gate_may_be_started_again(faults: FaultServer) -> None:
    client = client_of()
    for _ in range(2):
        async with client:
            assert (await client.get(faults.url())).unwrap().ok


async def test_a_client_with_a_gate_keeps_cookies(echo: EchoServer) -> None:
    async with client_of() as client:
        await client.get(echo.url("/cookies/set", a="1"))
        assert (await client.get(echo.url("/cookies"))).unwrap().json() == {"a": "1"}


async def test_tls_is_verified_for_the_name_behind_the_gate(tls: TlsContexts) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server, client_of() as client:
        response = await client.get(f"https://127.0.0.1:{server.port}/ok", ssl_context=tls.client)
        assert response.unwrap().ok
        failure = (
            await client.get(f"https://here.test:{server.port}/ok", ssl_context=tls.client)
        ).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "tls"


@pytest.mark.parametrize(
    "build",
    [
        lambda: HTTPClient(HTTPClientConfig(proxy="http://127.0.0.1:1"), egress=LOOPBACK),
        lambda: HTTPClient(pool=ConnectionPool(proxy="http://127.0.0.1:1"), egress=LOOPBACK),
        lambda: HTTPClient(HTTPClientConfig(unix_socket="/run/api.sock"), egress=LOOPBACK),
        lambda: HTTPClient(exchange=ScriptedTransport(), egress=LOOPBACK),
        lambda: BaseURLHTTPClient(
            config=HTTPClientConfig(proxy="http://127.0.0.1:1"), egress=LOOPBACK
        ),
    ],
)
def test_what_passes_the_gate_by_is_refused_when_the_client_is_built(
    build: Callable[[], object],
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        build()
    assert caught.value.field == "egress"


@pytest.mark.parametrize(
    "pool",
    [
        ConnectionPool(unix_socket="/nowhere/api.sock"),
        ConnectionPool(proxy="http://127.0.0.1:1"),
        ConnectionPool(proxy="socks5h://127.0.0.1:1"),
    ],
)
async def test_a_pool_that_replaces_another_does_not_pass_the_gate_by(
    faults: FaultServer, pool: ConnectionPool
) -> None:
    async with client_of() as client:
        client.pool = pool
        await client.start()
        assert_rejected((await client.get(faults.url())).failure())
    assert faults.connections == 0


async def test_a_proxy_of_a_call_or_of_the_environment_is_rejected(
    proxy: ProxyServer, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of() as client:
        assert_rejected((await client.get(faults.url(), proxy=proxy.url())).failure())
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with HTTPClient(egress=LOOPBACK) as client:
        assert_rejected((await client.get(faults.url())).failure())
        assert (await client.get(faults.url("/ok"), proxy="")).unwrap().ok
    assert proxy.received == []


async def test_a_base_url_client_has_the_gate_too() -> None:
    async with BaseURLHTTPClient(
        "http://private.test", config=CONFIG, egress=LOOPBACK, resolver=resolve
    ) as client:
        with pytest.raises(HTTPConnectionError) as caught:
            await client.get("/x")
    assert_rejected(caught.value)


async def test_an_aiohttp_that_connects_in_another_way_does_not_open_the_gate(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(KeepaliveConnector, "_wrap_create_connection")
    async with client_of() as client:
        assert_rejected((await client.get(faults.url("/ok"))).failure())
    assert faults.received == []
