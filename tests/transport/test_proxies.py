"""The choice of a proxy by environment, pool and call, and the credentials it receives."""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

import pytest
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port
from tests.servers.proxy import ProxyServer
from tests.servers.scripted import Play, ScriptedServer, sends
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPInvalidRequestError,
    RequestOptions,
)
from railhttp.resilience import RetryPolicy
from railhttp.transport.connector import USER_AGENT

TOTAL: Final = HTTPClientConfig(trust_env=False, total=True)
VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_http_goes_through_the_proxy_of_the_environment(
    faults: FaultServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy.url())
    async with HTTPClient() as client:
        assert (await client.get(faults.url("/ok", a=1))).unwrap().body == b"ok"
    assert [seen.target for seen in proxy.received] == [faults.url("/ok", a=1)]
    assert [seen.target for seen in faults.received] == ["/ok?a=1"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_https_goes_through_a_tunnel(
    tls: TlsContexts, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy.url())
    async with FaultServer(ssl_context=tls.trusted) as server, HTTPClient() as client:
        result = await client.get(server.url(), ssl_context=tls.client)
        assert result.unwrap().body == b"ok"
        assert [(seen.method, seen.target) for seen in proxy.received] == [
            ("CONNECT", f"127.0.0.1:{server.port}")
        ]


@pytest.mark.parametrize(
    ("no_proxy", "passes"),
    [
        ("127.0.0.1", False),
        ("127.0.0.0/8", False),
        ("127.0.0.1:{port}", False),
        ("*", False),
        ("other.example, 127.0.0.1", False),
        ("127.0.0.1:1", True),
        ("10.0.0.0/8", True),
        ("localhost", True),
        ("", True),
    ],
)
async def test_no_proxy_names_what_is_asked_directly(
    faults: FaultServer,
    proxy: ProxyServer,
    monkeypatch: pytest.MonkeyPatch,
    no_proxy: str,
    passes: bool,
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url())
    monkeypatch.setenv("NO_PROXY", no_proxy.format(port=faults.port))
    async with HTTPClient() as client:
        assert (await client.get(faults.url())).unwrap().body == b"ok"
    assert (len(proxy.received) == 1) is passes


async def test_the_environment_is_read_once_at_the_start(
    faults: FaultServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with HTTPClient() as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        await client.get(faults.url())
    assert proxy.received == []


async def test_a_pool_is_warmed_up_through_the_proxy_of_the_environment(
    faults: FaultServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    async with ConnectionPool(timeout=60.0) as pool:
        await pool.warm_up([faults.url()])
    assert [(seen.method, seen.target) for seen in proxy.received] == [("HEAD", faults.url())]


async def test_the_session_goes_through_the_proxy_of_the_pool(
    faults: FaultServer, proxy: ProxyServer
) -> None:
    async with ConnectionPool(proxy=proxy.url(), timeout=60.0) as pool:
        async with pool.session.get(faults.url()) as response:
            assert await response.read() == b"ok"
        await pool.warm_up([faults.url()])
    assert [seen.method for seen in proxy.received] == ["GET", "HEAD"]


async def test_the_environment_can_be_ignored(
    faults: FaultServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        await client.get(faults.url())
    assert proxy.received == []


@pytest.mark.parametrize(
    ("make", "proxied"),
    [
        (ConnectionPool, True),
        (lambda: ConnectionPool(trust_env=False), False),
        (lambda: ConnectionPool.from_config(ConnectionPoolConfig()), True),
        (lambda: ConnectionPool.from_config(ConnectionPoolConfig(), trust_env=False), False),
    ],
)
async def test_a_pool_reads_the_environment_unless_told_not_to(
    faults: FaultServer,
    proxy: ProxyServer,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], ConnectionPool],
    proxied: bool,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    async with HTTPClient(HTTPClientConfig(timeout=5.0), make()) as client:
        assert (await client.get(faults.url("/ok"))).unwrap().ok
    assert bool(proxy.received) is proxied


async def test_a_proxy_in_the_environment_that_is_none(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://ann:s3cret@proxy.example")
    async with HTTPClient() as client:
        failure = (await client.get(faults.url())).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.delivery) == ("HTTP_PROXY", Delivery.NOT_SENT)
    assert "s3cret" not in str(failure)


# An option of aiohttp takes another way to the same address.
WORDS: Final = (RequestOptions(), RequestOptions(max_headers=50))


@pytest.mark.parametrize("words", WORDS)
async def test_the_call_comes_before_the_config_and_that_before_the_environment(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch, words: RequestOptions
) -> None:
    async with ProxyServer() as first, ProxyServer() as second, ProxyServer() as third:
        monkeypatch.setenv("HTTP_PROXY", third.url())
        async with HTTPClient(HTTPClientConfig(proxy=second.url())) as client:
            for given in (first.url(), None, ""):
                options: RequestOptions = {**words, "proxy": given}
                await client.get(faults.url(), **options)
            await client.get(faults.url(), **words)
        async with HTTPClient() as client:
            await client.get(faults.url(), **words)
        seen = [len(server.received) for server in (first, second, third)]
    assert (seen, len(faults.received)) == ([1, 2, 1], 5)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("password", ["s3cret", "wrong", ""])
@pytest.mark.parametrize("words", WORDS)
async def test_a_proxy_with_a_password(
    tls: TlsContexts, scheme: str, password: str, words: RequestOptions
) -> None:
    context = tls.trusted if scheme == "https" else None
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        FaultServer(ssl_context=context) as server,
        HTTPClient() as client,
    ):
        user = f"ann:{password}@" if password else ""
        through = proxy.url().replace("http://", f"http://{user}")
        options: RequestOptions = {**words, "proxy": through, "ssl_context": tls.client}
        result = await client.get(server.url(), **options)
        if password == "s3cret":
            assert result.unwrap().body == b"ok"
            wanted = b64encode(b"ann:s3cret").decode()
            assert proxy.received[0].header("proxy-authorization") == f"Basic {wanted}"
            assert server.received[0].all("proxy-authorization") == []
        elif scheme == "https":
            failure = result.failure()
            assert (failure.label, failure.delivery) == ("proxy", Delivery.NOT_SENT)
        else:
            assert result.failure().message == "status 407"
        assert len(server.received) == (password == "s3cret")


@pytest.mark.parametrize(
    ("scheme", "proxied", "asked", "origin_sees"),
    [
        ("https", True, "CONNECT", []),
        ("http", True, "GET", []),  # the proxy removes it
        ("https", False, None, []),
        ("http", False, None, []),
    ],
)
async def test_a_proxy_authorization_field_is_for_the_proxy_alone(
    tls: TlsContexts, scheme: str, proxied: bool, asked: str | None, origin_sees: list[str]
) -> None:
    fields = {"Proxy-Authorization": f"Basic {b64encode(b'ann:s3cret').decode()}"}
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        FaultServer(ssl_context=tls.trusted if scheme == "https" else None) as server,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        # This field takes precedence over the user in the proxy's URL.
        through = proxy.url().replace("http://", "http://bob:wrong@") if proxied else ""
        result = await client.get(
            server.url(), proxy=through, headers=fields, ssl_context=tls.client
        )
        assert result.unwrap().body == b"ok"
        assert [seen.method for seen in proxy.received] == ([asked] if asked else [])
        assert server.received[0].all("proxy-authorization") == origin_sees


OWN: Final[dict[str, RequestOptions]] = {
    "field": {"headers": {"Proxy-Authorization": f"Basic {b64encode(b'ann:s3cret').decode()}"}},
    "option": {"proxy_auth": ("ann", "s3cret")},
}


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("chosen", ["call", "client", "environment"])
@pytest.mark.parametrize("secure", [False, True])
async def test_credentials_for_a_proxy_survive_a_redirect_through_the_same_proxy(
    faults: FaultServer,
    tls: TlsContexts,
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    chosen: str,
    secure: bool,
) -> None:
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        FaultServer(ssl_context=tls.trusted if secure else None) as target,
    ):
        if chosen == "environment":
            monkeypatch.setenv("ALL_PROXY", proxy.url())
        config = HTTPClientConfig(proxy=proxy.url() if chosen == "client" else None)
        options: RequestOptions = {**OWN[own], "ssl_context": tls.client}
        if chosen == "call":
            options["proxy"] = proxy.url()
        async with HTTPClient(config) as client:
            url = faults.url("/redirect-to", url=target.url("/ok"))
            assert (await client.get(url, **options)).unwrap().body == b"ok"
        assert len(proxy.received) == 2
        for seen in (*faults.received, *target.received):
            assert seen.all("proxy-authorization") == []


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("to", ["no proxy", "another proxy"])
async def test_credentials_for_a_proxy_reach_no_other_server(
    faults: FaultServer,
    tls: TlsContexts,
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    to: str,
) -> None:
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        ProxyServer() as other,
        FaultServer(ssl_context=tls.trusted) as target,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        if to == "another proxy":
            monkeypatch.setenv("HTTPS_PROXY", other.url())
        async with HTTPClient() as client:
            url = faults.url("/redirect-to", url=target.url("/ok"))
            options: RequestOptions = {**OWN[own], "ssl_context": tls.client}
            assert (await client.get(url, **options)).unwrap().body == b"ok"
        assert len(proxy.received) == 1
        assert len(other.received) == (to == "another proxy")
        for seen in (*faults.received, *target.received, *other.received):
            assert seen.all("proxy-authorization") == []


async def test_a_tunnel_serves_only_the_credentials_that_opened_it(tls: TlsContexts) -> None:
    right, wrong = (b64encode(pair).decode() for pair in (b"ann:s3cret", b"ann:wrong"))
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        FaultServer(ssl_context=tls.trusted) as server,
        HTTPClient(HTTPClientConfig(proxy=proxy.url())) as client,
    ):
        labels = []
        for credentials in (right, right, wrong):
            result = await client.get(
                server.url(),
                headers={"Proxy-Authorization": f"Basic {credentials}"},
                ssl_context=tls.client,
            )
            labels.append(result.swap().map(lambda failure: failure.label).value_or("ok"))
        assert labels == ["ok", "ok", "proxy"]
        heard = [seen.header("proxy-authorization") for seen in proxy.received]
        assert heard.count(f"Basic {right}") == 1  # the second request reused the tunnel


async def test_a_proxy_hears_who_opens_a_tunnel(tls: TlsContexts, proxy: ProxyServer) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server, HTTPClient() as client:
        await client.get(server.url(), proxy=proxy.url(), ssl_context=tls.client)
    assert proxy.received[0].header("user-agent") == USER_AGENT


async def test_a_proxy_that_is_spoken_to_over_tls(tls: TlsContexts, faults: FaultServer) -> None:
    async with ProxyServer(ssl_context=tls.trusted) as proxy, HTTPClient() as client:
        result = await client.get(faults.url(), proxy=proxy.url(), ssl_context=tls.client)
        assert result.unwrap().body == b"ok"


async def test_a_redirect_looks_for_its_own_proxy(
    faults: FaultServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    monkeypatch.setenv("NO_PROXY", "localhost")
    async with HTTPClient() as client:
        assert (await client.get(faults.url("/redirect-other-origin"))).unwrap().body == b"ok"
    assert [seen.path for seen in proxy.received] == ["/redirect-other-origin"]


async def test_a_tunnel_to_nowhere(proxy: ProxyServer) -> None:
    with refused_port() as port:
        async with HTTPClient(HTTPClientConfig(proxy=proxy.url())) as client:
            tunnelled = (await client.get(f"https://127.0.0.1:{port}/")).failure()
            plain = (await client.post(f"http://127.0.0.1:{port}/")).failure()
    assert (tunnelled.label, tunnelled.delivery) == ("proxy", Delivery.NOT_SENT)
    assert plain.message == "status 502"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://127.0.0.1:9/"])
async def test_a_proxy_whose_name_is_unknown_is_what_is_blamed(url: str) -> None:
    async with HTTPClient(HTTPClientConfig(proxy="http://no-such-proxy.invalid:3128")) as client:
        failure = (await client.get(url, timeout=5.0)).failure()
    assert (failure.label, failure.delivery) == ("proxy", Delivery.NOT_SENT)
    assert failure.message.startswith("cannot connect to the proxy")


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Yes", "204 Empty", "299 Odd"])
@pytest.mark.parametrize("fields", ["", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_any_2xx_opens_a_tunnel(tls: TlsContexts, status: str, fields: str) -> None:
    """RFC 9110, section 9.3.6: with any 2xx the tunnel begins right after the blank line."""

    established = f"HTTP/1.1 {status}\r\n{fields}\r\n".encode()
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        ProxyServer(established=established) as proxy,
        HTTPClient() as client,
    ):
        result = await client.get(server.url(), proxy=proxy.url(), ssl_context=tls.client)
        assert result.unwrap().body == b"ok"


@pytest.mark.parametrize(
    ("status", "requests"), [(407, 1), (403, 1), (404, 1), (502, 3), (503, 3), (504, 3), (302, 1)]
)
async def test_a_refused_tunnel_names_its_status_and_only_an_overload_is_tried_again(
    tls: TlsContexts, status: int, requests: int
) -> None:
    refusal = f"HTTP/1.1 {status} No\r\nContent-Length: 4\r\n\r\nbody".encode()
    retry = RetryPolicy(max_attempts=3, base_delay=0.001)
    async with (
        ScriptedServer(sends(refusal)) as proxy,
        HTTPClient(TOTAL, retry_policy=retry) as client,
    ):
        options = RequestOptions(proxy=proxy.url(), ssl_context=tls.client)
        failure = (await client.get("https://origin.test/", **options)).failure()
    assert str(status) in str(failure)
    assert len(proxy.received) == requests
    assert {request.target for request in proxy.received} == {"origin.test:443"}


async def silence(connection: Connection, _: Received) -> None:
    await connection.until_gone()


@pytest.mark.parametrize("play", [silence, sends(b"HTTP/1.1 403 No\r\n\r\n")])
async def test_a_connection_that_became_no_tunnel_is_closed(play: Play) -> None:
    async with ScriptedServer(play) as proxy, HTTPClient(TOTAL) as client:
        options = RequestOptions(proxy=proxy.url(), connect_timeout=0.1)
        await client.get("https://origin.test/", **options)
        await until(lambda: proxy.received and not proxy.connections)


@pytest.mark.parametrize("own", [True, False])
async def test_every_tls_connection_offers_http_1_1(tls: TlsContexts, own: bool) -> None:
    chosen = []

    async def play(connection: Connection, _: Received) -> None:
        chosen.append(connection.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    tls.trusted.set_alpn_protocols(["h2", "http/1.1"])
    config = HTTPClientConfig(pool=ConnectionPoolConfig(verify_ssl=False))
    async with (
        ScriptedServer(play, ssl_context=tls.trusted) as server,
        HTTPClient(config) as client,
    ):
        (await client.get(server.url(), ssl_context=tls.client if own else None)).unwrap()
    assert chosen == ["http/1.1"]
