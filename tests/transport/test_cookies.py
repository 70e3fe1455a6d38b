"""Cookies of the jar and of a call, and the URLs that receive neither."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from tests.servers.echo import EchoServer
from tests.servers.registry import head
from tests.servers.scripted import ScriptedServer, sends
from tests.servers.tls import TlsContexts
from yarl import URL

from railhttp import HTTPClient, HTTPClientConfig, RequestOptions
from railhttp.transport.cookie_jar import CookieJar
from railhttp.types import JSON


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


VALUES = ["b=c==", '{"a":1,"b":2}', "x@y", "", "a b", '"quoted"', '"a\\"b"', "[1]", "%20"]
"""Values that servers and callers put into cookies; none may be rewritten."""


def setting(cookie: str) -> ScriptedServer:
    """A server that sets one cookie with each response."""
    return ScriptedServer(sends(head(f"Set-Cookie: {cookie}", "Content-Length: 0")))


@pytest.mark.parametrize("value", [*VALUES, "café"])
async def test_a_cookie_goes_back_as_it_came(client: HTTPClient, value: str) -> None:
    async with setting(f"a={value}; Path=/") as server:
        for _ in range(2):
            await client.get(server.url("/"))
        sent = server.received[1].header("cookie").encode("latin-1")
        assert sent == f"a={value}".encode()


@pytest.mark.parametrize("value", VALUES)
async def test_a_calls_cookie_is_sent_as_it_is(client: HTTPClient, value: str) -> None:
    async with setting("b=1") as server:
        await client.get(server.url("/"), cookies={"a": value})
        assert server.received[0].header("cookie") == f"a={value}"


@pytest.mark.parametrize("name", ["path", "version", "Expires", "$x", "__Host-a"])
async def test_a_cookie_may_have_the_name_of_an_attribute(client: HTTPClient, name: str) -> None:
    async with setting(f"{name.removeprefix('__Host-')}=1") as server:
        await client.get(server.url("/"), cookies={name: "2"})
        assert server.received[0].header("cookie") == f"{name}=2"
        await client.get(server.url("/"))
        assert server.received[1].header("cookie") == f"{name.removeprefix('__Host-')}=1"


@pytest.mark.parametrize("value", ["a;b", " a", "a ", "\t", "é", "\x7f"])
async def test_a_calls_cookie_that_would_arrive_as_another(client: HTTPClient, value: str) -> None:
    failure = (await client.get("http://127.0.0.1:1/", cookies={"a": value})).failure()
    assert (failure.label, failure.attempts) == ("cookies", 0)


@pytest.mark.parametrize(
    ("url", "cookie", "taken"),
    [
        ("http://evil.com/", "a=1; Domain=com", False),
        ("http://evil.com/", "a=1; Domain=.com", False),
        ("http://evil.com/", "a=1; Domain=evil.com", True),
        ("http://a.evil.com/", "a=1; Domain=.evil.com", True),
        ("http://evil.com/", "a=1; Domain=bank.com", False),
        ("http://localhost/", "a=1; Domain=localhost", True),
        ("http://10.0.0.1/", "a=1; Domain=10.0.0.1", True),
        ("http://10.0.0.1/", "a=1; Domain=0.1", False),
        ("http://evil.co.uk/", "a=1; Domain=co.uk", True),  # the jar has no list of public suffixes
        ("https://h.com/", "__Secure-a=1; Secure", True),
        ("https://h.com/", "__secure-a=1", False),
        ("http://h.com/", "__Secure-a=1; Secure", False),
        ("https://h.com/", "__Host-a=1; Secure; Path=/", True),
        ("https://h.com/", "__Host-a=1; Secure", False),
        ("https://h.com/", "__Host-a=1; Path=/", False),
        ("https://h.com/", "__HOST-a=1; Secure; Path=/b", False),
        ("https://h.com/", "__Host-a=1; Secure; Path=/; Domain=h.com", False),
        ("http://h.com/", "__Host-a=1; Secure; Path=/", False),
        ("https://h.com/", 'a="; __Host-b=1; c="', False),
    ],
)
async def test_what_a_server_may_set(url: str, cookie: str, taken: bool) -> None:
    jar = CookieJar()
    jar.update_cookies_from_headers([cookie, "other=1"], URL(url))
    expected = {cookie.partition("=")[0], "other"} if taken else {"other"}
    assert {morsel.key for morsel in jar} == expected
