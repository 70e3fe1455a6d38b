"""Cookies: those of the jar, those of a call, and where neither goes."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from tests.servers.echo import EchoServer
from tests.servers.tls import TlsContexts
from yarl import URL

from railhttp import JSON, HTTPClient, HTTPClientConfig, RequestOptions


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        yield client


async def cookies_seen(client: HTTPClient, url: str, **options: str) -> JSON:
    given: RequestOptions = {"cookies": options} if options else {}
    return (await client.get(url, **given)).unwrap().json()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_a_server_sets_comes_back(
    client: HTTPClient, echo: EchoServer, host: str
) -> None:
    await client.get(echo.url("/cookies/set", host=host, a="1", b="2"))
    assert await cookies_seen(client, echo.url("/cookies", host=host)) == {"a": "1", "b": "2"}


async def test_another_host_does_not_see_it(client: HTTPClient, echo: EchoServer) -> None:
    await client.get(echo.url("/cookies/set", a="1"))
    assert await cookies_seen(client, echo.url("/cookies", host="localhost")) == {}


async def test_the_jar_can_be_left_out(echo: EchoServer) -> None:
    async with HTTPClient(HTTPClientConfig(trust_env=False, cookie_jar=False)) as client:
        await client.get(echo.url("/cookies/set", a="1"))
        assert await cookies_seen(client, echo.url("/cookies")) == {}
        assert await cookies_seen(client, echo.url("/cookies"), mine="2") == {"mine": "2"}


async def test_a_calls_cookies_are_for_that_call(client: HTTPClient, echo: EchoServer) -> None:
    await client.get(echo.url("/cookies/set", a="1"))
    url = echo.url("/cookies")
    assert await cookies_seen(client, url, mine="2", a="3") == {"a": "3", "mine": "2"}
    assert await cookies_seen(client, url) == {"a": "1"}


async def test_a_redirect_sets_cookies_on_its_way(client: HTTPClient, echo: EchoServer) -> None:
    await client.get(echo.url("/redirect-to", url=echo.url("/cookies/set", a="1")))
    assert await cookies_seen(client, echo.url("/cookies")) == {"a": "1"}


async def test_a_calls_cookies_stay_with_their_origin(client: HTTPClient, echo: EchoServer) -> None:
    here, there = echo.url("/cookies"), echo.url("/cookies", host="localhost")
    assert await cookies_seen(client, echo.url("/redirect-to", url=here), mine="1") == {"mine": "1"}
    assert await cookies_seen(client, echo.url("/redirect-to", url=there), mine="1") == {}


async def test_another_port_is_another_origin_for_a_calls_cookies(
    client: HTTPClient, echo: EchoServer
) -> None:
    async with EchoServer() as other:
        url = echo.url("/redirect-to", url=other.url("/cookies"))
        assert await cookies_seen(client, url, mine="1") == {}


async def test_a_secure_cookie_stays_on_tls(
    client: HTTPClient, echo: EchoServer, tls: TlsContexts
) -> None:
    client.pool.session.cookie_jar.update_cookies(
        SimpleCookie("a=1; Secure"), URL("https://127.0.0.1/")
    )
    assert await cookies_seen(client, echo.url("/cookies")) == {}
    async with EchoServer(ssl_context=tls.trusted) as secure:
        result = await client.get(secure.url("/cookies"), ssl_context=tls.client)
        assert result.unwrap().json() == {"a": "1"}


async def test_a_cookie_header_of_ones_own(client: HTTPClient, echo: EchoServer) -> None:
    result = await client.get(echo.url("/cookies"), headers={"Cookie": "mine=1"})
    assert result.unwrap().json() == {"mine": "1"}


async def test_a_cookie_header_of_ones_own_comes_before_the_jar(
    client: HTTPClient, echo: EchoServer
) -> None:
    await client.get(echo.url("/cookies/set", a="1"))
    result = await client.get(echo.url("/cookies"), headers={"Cookie": "mine=1"})
    assert result.unwrap().json() == {"mine": "1", "a": "1"}
