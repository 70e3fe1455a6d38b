"""Cookies: those of the jar, those of a call, and where neither goes."""

import asyncio
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from tests.servers.echo import EchoServer
from tests.servers.proxy import ProxyServer
from tests.servers.registry import head
from tests.servers.scripted import ScriptedServer, sends
from tests.servers.tls import TlsContexts
from yarl import URL

from railhttp import HTTPClient, HTTPClientConfig, RequestOptions
from railhttp.testing import ManualClock
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


@pytest.mark.parametrize(
    "options",
    [
        RequestOptions(ssl_context=False),
        RequestOptions(max_headers=50),  # an option of aiohttp
        RequestOptions(proxy="of the test"),
        RequestOptions(proxy="of the test", max_headers=50),
    ],
    ids=repr,
)
async def test_cookies_are_sent_whatever_else_a_call_has(
    client: HTTPClient, echo: EchoServer, proxy: ProxyServer, options: RequestOptions
) -> None:
    if "proxy" in options:
        options = {**options, "proxy": proxy.url()}
    await client.get(echo.url("/cookies/set", a="1"), **options)
    options = {**options, "cookies": {"b": "2"}}
    seen = (await client.get(echo.url("/cookies"), **options)).unwrap().json()
    assert seen == {"a": "1", "b": "2"}


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
"""What servers and callers put into cookies, none of which may be rewritten."""


def setting(cookie: str) -> ScriptedServer:
    """A server that sets one cookie with each answer."""
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


async def sent_after(
    client: HTTPClient, *fields: bytes, first: str = "/", then: str = "/"
) -> list[str]:
    """The `Cookie` fields of a request after a response with some `Set-Cookie` fields."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: 0", *(b"Set-Cookie: " + one for one in fields)]
    response = b"\r\n".join([*lines, b"", b""])
    async with ScriptedServer(sends(response)) as server:
        await client.get(server.url(first))
        await client.get(server.url(then))
        return server.received[1].all("cookie")


@pytest.mark.parametrize(
    "value", [b"caf\xe9", b"caf\xc3\xa9", b"\xff\xfe", b'"\xe9 \xe8"', b"a\tb", b"\xa0"]
)
async def test_a_cookie_goes_back_in_the_bytes_in_which_it_came(
    client: HTTPClient, value: bytes
) -> None:
    (header,) = await sent_after(client, b"a=" + value, b"b=1")
    assert header.encode("latin-1") == b"a=" + value + b"; b=1"


async def test_a_name_may_be_latin_1_too(client: HTTPClient) -> None:
    (header,) = await sent_after(client, b"\xe9=1", b"\xe8=2; Max-Age=9")
    assert header.encode("latin-1") == b"\xe9=1; \xe8=2"


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ([b"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], []),
        ([b"a=1", b"a=; Expires=Thu, 01-Jan-70 00:00:00 GMT"], []),
        ([b"a=1; Expires=05 Apr 2037 6:7:8"], ["a=1"]),
        ([b"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=x"], []),
        ([b"a=1; Secure", b"b=2"], ["b=2"]),
        ([b"a=1; DOMAIN=127.0.0.1"], ["a=1"]),
        ([b"a=1; Domain=0.0.1"], []),
        ([b"a=2; Path=/", b"a=1; Path=/cart", b"a=3; Path=/other"], ["a=1; a=2"]),
        ([b"a=1; Path=/cart/a b"], []),
        ([b"a=1; Path=/cart/a"], []),
        ([b"a=1; Path=/cart/a%2Fb"], ["a=1"]),
        ([b"a=" + b"1" * 5000, b"b=2"], ["b=2"]),
    ],
)
async def test_what_is_sent_back(
    client: HTTPClient, fields: list[bytes], header: list[str]
) -> None:
    sent = await sent_after(client, *fields, first="/cart/a%2Fb", then="/cart/a%2Fb")
    assert sent == header


async def test_paths_are_compared_as_they_are_sent(client: HTTPClient) -> None:
    field = b"a=1; Path=/a%20b"
    assert await sent_after(client, field, then="/a%20b/c") == ["a=1"]
    assert await sent_after(client, field, then="/a") == []


async def test_a_calls_cookie_takes_the_place_of_all_of_its_name(client: HTTPClient) -> None:
    response = head("Set-Cookie: a=1; Path=/", "Set-Cookie: a=2; Path=/b", "Content-Length: 0")
    async with ScriptedServer(sends(response)) as server:
        await client.get(server.url("/b"))
        await client.get(server.url("/b"), cookies={"a": "3"})
        assert server.received[1].header("cookie") == "a=3"


async def test_a_cookie_expires_by_the_clock_of_the_client() -> None:
    clock = ManualClock(wall=1_700_000_000.0)
    client = HTTPClient(HTTPClientConfig(trust_env=False), clock=clock)
    async with setting("a=1; Max-Age=60") as server, client:
        for pause in (0.0, 59.0, 59.0, 60.0):
            await clock.advance(pause)
            async with asyncio.timeout(10):
                (await client.get(server.url("/"))).unwrap()
        assert [one.header("cookie") for one in server.received] == ["", "a=1", "a=1", ""]


async def test_http_leaves_the_cookies_of_https_alone(client: HTTPClient, tls: TlsContexts) -> None:
    secure = head("Set-Cookie: a=1; Secure", "Set-Cookie: __Host-b=2; Secure; Path=/")
    plain = head("Set-Cookie: a=3", "Set-Cookie: c=4; Secure", "Set-Cookie: __Secure-d=5")
    async with (
        ScriptedServer(sends(secure), ssl_context=tls.trusted) as https,
        ScriptedServer(sends(plain)) as http,
    ):
        for server in (https, http, http, https):
            await client.get(server.url("/"), ssl_context=tls.client)
        assert http.received[1].all("cookie") == []
        assert https.received[1].header("cookie") == "a=1; __Host-b=2"
