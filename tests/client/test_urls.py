"""URLs on the wire: what was given is sent, byte for byte (RFC 3986, sections 2.2 and 6.2.2)."""

from typing import Final

import pytest
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient
from railhttp.model.options import Query
from railhttp.railway import next_link, run

OK: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TARGETS: Final = (
    "/a%3Bb%2Cc?x=%3A%2F",
    "/a;b,c?x=:/",
    "/%7e~%7E?%41=%7e&&=",
    "/a%2fb%2Fc",
    "/a?",
    "/a??/=?",
    "/a/../b/./c",
    "//a//b/",
    "/!$&'()*+,;=:@?!$&'()*+,;=:@/?",
    "/?sig=ab%2Bc%2fd%3D&t=2026-01-01T00%3A00:00Z",
)


@pytest.mark.parametrize("target", TARGETS)
async def test_a_target_is_sent_as_it_was_given(target: str) -> None:
    async with ScriptedServer(sends(OK)) as server, HTTPClient() as client:
        for _ in range(2):  # the second one comes from the cache of plain requests
            assert (await client.get(server.url(target))).unwrap().url == server.url(target)
        (await client.get(server.url(target), headers={"X": "y"})).unwrap()
        (await client.get(server.url(target), params={"p": "a b"})).unwrap()
    more = "" if target.endswith("?") and target.count("?") == 1 else "&" if "?" in target else "?"
    assert [request.target for request in server.received] == [target] * 3 + [
        f"{target}{more}p=a+b"
    ]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_base_url_and_a_path_are_sent_as_they_were_given(target: str) -> None:
    async with (
        ScriptedServer(sends(OK)) as server,
        HTTPClient(base_url=server.url("/v%31;a")) as client,
    ):
        (await client.get(target)).unwrap()
    assert server.received[0].target == f"/v%31;a/{target.lstrip('/')}"


async def test_a_path_that_leaves_the_base_is_never_sent() -> None:
    async with (
        ScriptedServer(sends(OK)) as server,
        HTTPClient(base_url=server.url("/v1")) as client,
    ):
        failure = (await client.get("users/%2e%2e/../admin")).failure()
    assert (failure.label, server.received) == ("path", [])


@pytest.mark.parametrize(
    ("target", "params", "sent"),
    [
        ("/a?", "x=%3a%7E&y=b c", "/a?x=%3a%7E&y=b%20c"),
        ("/a?x=%3A", "y=%2f", "/a?x=%3A&y=%2f"),
        ("/a?", "", "/a?"),
        ("/a?", {}, "/a?"),
        ("/a?", {"x": None}, "/a?"),
        ("/a?x=%3a", {"y": "%2F é"}, "/a?x=%3a&y=%252F+%C3%A9"),
    ],
)
async def test_params_are_appended_and_change_nothing_else(
    target: str, params: Query, sent: str
) -> None:
    async with ScriptedServer(sends(OK)) as server, HTTPClient() as client:
        (await client.get(server.url(target), params=params)).unwrap()
    assert server.received[0].target == sent


async def test_a_stream_and_the_next_page_are_asked_for_as_they_were_given() -> None:
    page = OK.replace(b"200 OK", b'200 OK\r\nLink: <../%7e;b?x=%3A>; rel="next"')
    async with ScriptedServer(sends(page), sends(OK)) as server, HTTPClient() as client:
        async with client.stream("GET", server.url("/v1%3B/a?x=%7E")) as response:
            following = next_link(response.head)
        assert following is not None
        (await run(following(client))).unwrap()
    assert [request.target for request in server.received] == ["/v1%3B/a?x=%7E", "/%7e;b?x=%3A"]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/a%3Bb%2Cc?x=%3A%2F", "/a%3Bb%2Cc?x=%3A%2F"),
        ("/%7e~?%41=%7E", "/%7e~?%41=%7E"),
        ("/a?", "/a?"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("?c d", "/from/here?c%20d"),
        ("../a%2e/./b", "/a%2e/b"),
    ],
)
async def test_a_location_is_sent_as_the_server_wrote_it(location: str, target: str) -> None:
    moved = OK.replace(b"200 OK", f"302 Found\r\nLocation: {location}".encode())
    async with ScriptedServer(sends(moved), sends(OK)) as server, HTTPClient() as client:
        (await client.get(server.url("/from/here"))).unwrap()
    assert server.received[1].target == target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://origin.test", "http://origin.test/"),
        ("http://origin.test?x", "http://origin.test/?x"),
        ("http://ORIGIN.test:80/%7e?", "http://origin.test/%7e?"),
        ("http://origin.test:8080/a%3b#top", "http://origin.test:8080/a%3b"),
    ],
)
async def test_a_proxy_receives_the_absolute_form_with_its_slash(url: str, target: str) -> None:
    """RFC 9112, section 3.2.2: an empty path is written as a slash."""
    async with ScriptedServer(sends(OK)) as proxy, HTTPClient() as client:
        (await client.get(url, proxy=proxy.url(""))).unwrap()
    assert proxy.received[0].target == target


async def test_cookies_belong_to_the_path_that_is_sent() -> None:
    cookie = OK.replace(b"200 OK", b"200 OK\r\nSet-Cookie: sid=7; Path=/a%2Fb")
    async with ScriptedServer(sends(cookie), sends(OK)) as server, HTTPClient() as client:
        for target in ("/a%2Fb/set", "/a%2Fb?", "/a%2fb", "/a/b"):
            (await client.get(server.url(target))).unwrap()
    assert [r.header("cookie") for r in server.received] == ["", "sid=7", "", ""]


async def test_default_credentials_reach_their_origin_whatever_its_case() -> None:
    """The name has a letter of no script: IDNA alone would leave the case of the other labels."""
    async with ScriptedServer(sends(OK)) as server:
        base, headers = "http://API.☃.example/", {"Authorization": "t"}
        async with HTTPClient(base_url=base, headers=headers) as client:
            for url in ("/x", "http://api.☃.EXAMPLE/x", "http://api.xn--n3h.example/x"):
                (await client.get(url, proxy=server.url(""))).unwrap()
    assert [request.header("authorization") for request in server.received] == ["t"] * 3
