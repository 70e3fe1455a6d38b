"""The real exchange, by every way, and the scripted one: same scenes, same outcomes."""

import asyncio
from collections import deque
from contextlib import AsyncExitStack

import pytest
from tests.conformance.worlds import Scene, Way, World, in_words, outcome, playing, traveller
from tests.servers.echo import JSON_SAMPLE, EchoServer
from tests.servers.faults import FaultServer

from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPConnectionError, HTTPDecodeError, HTTPFailure
from railhttp.model.options import RequestOptions

BYTES = Scene("/bytes/100", lambda route: route.reply(body=b"a" * 100))
SLOW = Scene("/stall-before-head", lambda route: route.hang(), "faults")
STALLED = Scene("/stall-in-body", lambda route: route.hang("body", after=b"part"), "faults")
HOP = Scene("/redirect/1", lambda route: route.reply(302, headers={"Location": "/get"}))
LANDING = Scene("/get", lambda route: route.reply(body=b"there"))
TWO_HOPS = Scene(
    "/redirect/2",
    lambda route: route.reply(302, headers={"Location": "/redirect/1"}),
    redirects_to=Scene(HOP.path, HOP.play, redirects_to=LANDING),
)
NO_ONE = Scene("/", lambda route: route.fail(ConnectionRefusedError(), "connect"), "nobody")


@pytest.mark.parametrize("status", [200, 204, 304, 404, 418, 503])
async def test_statuses(world: World, status: int) -> None:
    scene = Scene(f"/status/{status}", lambda route: route.reply(status))
    assert await outcome(world, scene, "POST") == f"{status} with 0 bytes"


@pytest.mark.parametrize(
    ("method", "size"), [("GET", 100), ("POST", 100), ("OPTIONS", 100), ("HEAD", 0)]
)
async def test_bodies(world: World, method: str, size: int) -> None:
    assert await outcome(world, BYTES, method) == f"200 with {size} bytes"


async def test_header_fields_and_documents(world: World) -> None:
    scene = Scene("/json", lambda route: route.reply(json={"name": "café", "numbers": [1, 2, 3]}))
    async with playing(world, scene) as (client, url), client:
        response = (await client.get(url)).unwrap()
    assert response.headers["content-type"].startswith("application/json")
    assert response.content_type == "application/json"
    document = response.json()
    assert isinstance(document, dict)
    assert document["name"] == "café"
    assert (response.url, response.method, response.attempts) == (url, "GET", 1)
    assert 0 < response.elapsed < 60


@pytest.mark.parametrize(
    ("scene", "method", "options", "expected"),
    [
        pytest.param(
            Scene("/reset-before-head", lambda route: route.fail(ConnectionResetError()), "faults"),
            "POST",
            {},
            "HTTPConnectionError disconnected, maybe sent, attempts 1",
            id="reset before the head",
        ),
        pytest.param(
            Scene("/reset-before-head", lambda route: route.fail(ConnectionResetError()), "faults"),
            "GET",
            {},
            "HTTPConnectionError disconnected, maybe sent, attempts 3",
            id="reset before the head of what may be repeated",
        ),
        pytest.param(
            Scene(
                "/short-body",
                lambda route: route.fail(
                    HTTPConnectionError("the response ended early", kind="truncated"),
                    "body",
                    after=b"part",
                ),
                "faults",
            ),
            "POST",
            {},
            "HTTPConnectionError truncated, answered, attempts 1",
            id="a body that ends too early",
        ),
        pytest.param(
            BYTES,
            "POST",
            {
                "data": deque([b"a", "no bytes"])
            },  # unlike a deque, a list is checked before it is sent
            "HTTPInvalidRequestError data, maybe sent, attempts 1",
            id="a body that cannot be sent",
        ),
        pytest.param(
            SLOW,
            "POST",
            {"read_timeout": 0.02},
            "HTTPTimeoutError read, maybe sent, attempts 1",
            id="no head in time",
        ),
        pytest.param(
            SLOW,
            "POST",
            {"timeout": 0.02},
            "HTTPTimeoutError total, maybe sent, attempts 1",
            id="no time left for the head",
        ),
        pytest.param(
            SLOW,
            "POST",
            {"attempt_timeout": 0.02},
            "HTTPTimeoutError read, maybe sent, attempts 1",
            id="no head within the attempt",
        ),
        pytest.param(
            STALLED,
            "POST",
            {"read_timeout": 0.02},
            "HTTPTimeoutError read, answered, attempts 1",
            id="silence in the body",
        ),
        pytest.param(
            STALLED,
            "POST",
            {"timeout": 0.02},
            "HTTPTimeoutError total, answered, attempts 1",
            id="no time left for the body",
        ),
        pytest.param(TWO_HOPS, "GET", {"allow_redirects": False}, "302 with 0 bytes", id="no hop"),
        pytest.param(
            TWO_HOPS,
            "GET",
            {"max_redirects": 1},
            "HTTPConnectionError redirect, answered, attempts 1",
            id="too many redirects",
        ),
    ],
)
async def test_outcomes(
    world: World, scene: Scene, method: str, options: RequestOptions, expected: str
) -> None:
    assert await outcome(world, scene, method, options) == expected


@pytest.mark.parametrize("world", ["plain", "tls", "proxy", "tunnel", "scripted"], indirect=True)
async def test_a_refused_connection_is_always_safe_to_repeat(world: World) -> None:
    expected: dict[Way, str] = {
        "proxy": "502 with 0 bytes",  # the response of the proxy itself
        "tunnel": "HTTPConnectionError proxy, not sent, attempts 3",
        # The server of a script has accepted the connection; it can only break it off.
        "served": "HTTPConnectionError disconnected, maybe sent, attempts 1",
    }
    usual = "HTTPConnectionError connect, not sent, attempts 3"
    assert await outcome(world, NO_ONE, "POST") == expected.get(world.way, usual)


async def test_redirects_lead_to_their_end(world: World) -> None:
    async with playing(world, TWO_HOPS) as (client, url), client:
        response = (await client.get(url)).unwrap()
    assert response.url == url.replace("/redirect/2", "/get")
    assert response.status == 200


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    config = HTTPClientConfig(max_response_bytes=99)
    async with playing(world, BYTES, config) as (client, url), client:
        failure = (await client.get(url)).failure()
    assert in_words(failure) == "HTTPResponseTooLargeError response too large, answered, attempts 1"


async def test_a_stream_gives_the_body_piece_by_piece(world: World) -> None:
    async with playing(world, BYTES) as (client, url), client, client.stream("GET", url) as chunks:
        assert len(b"".join([chunk async for chunk in chunks])) == 100


async def test_chunks_are_put_together(world: World) -> None:
    lines = [b"line 0\n", b"line 1\n", b"line 2\n"]
    scene = Scene("/stream/3", lambda route: route.reply(body=lines))
    async with playing(world, scene) as (client, url), client:
        assert (await client.get(url)).unwrap().body == b"".join(lines)
        async with client.stream("GET", url) as response:
            assert [line async for line in response.aiter_lines()] == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_content_codings_are_undone(world: World, coding: str) -> None:
    scene = Scene(f"/{coding}", lambda route: route.reply(json=JSON_SAMPLE))
    async with playing(world, scene) as (client, url), client:
        assert (await client.get(url)).unwrap().json() == JSON_SAMPLE


@pytest.mark.parametrize(
    ("path", "error", "expected"),
    [
        (
            "/gzip-corrupt",
            HTTPDecodeError("not gzip", where="Content-Encoding"),
            "HTTPDecodeError decode, answered, attempts 1",
        ),
        (
            "/gzip-truncated",
            HTTPConnectionError("the response ended early", kind="truncated"),
            "HTTPConnectionError truncated, answered, attempts 1",
        ),
    ],
)
async def test_a_coding_that_cannot_be_undone(
    world: World, path: str, error: HTTPFailure, expected: str
) -> None:
    scene = Scene(path, lambda route: route.fail(error, "body"), "faults")
    # The server of a script sends no content codings; it can only break the body off.
    broken_off = "HTTPConnectionError truncated, answered, attempts 1"
    expected = broken_off if world.way == "served" else expected
    assert await outcome(world, scene, "POST") == expected


async def test_cookies_of_a_call_are_sent(world: World) -> None:
    scene = Scene("/cookies", lambda route: route.reply(json={"a": "1"}))
    async with playing(world, scene) as (client, url), client:
        assert (await client.get(url, cookies={"a": "1"})).unwrap().json() == {"a": "1"}


async def test_cookies_of_an_answer_are_kept(wire: World) -> None:
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(EchoServer(ssl_context=wire.server_tls))
        client = await stack.enter_async_context(await traveller(wire, stack))
        (await client.get(echo.url("/cookies/set", a=1))).unwrap()
        assert (await client.get(echo.url("/cookies"))).unwrap().json() == {"a": "1"}


# Not through the forwarding proxy, which closes the connection after each response.
@pytest.mark.parametrize("wire", ["plain", "tls", "tunnel"], indirect=True)
async def test_connections_are_kept_unless_something_went_wrong(wire: World) -> None:
    async with AsyncExitStack() as stack:
        faults = await stack.enter_async_context(FaultServer(ssl_context=wire.server_tls))
        client = await stack.enter_async_context(await traveller(wire, stack))
        for path in ("/ok", "/ok", "/stall-in-body", "/ok", "/ok"):
            await client.post(faults.url(path), read_timeout=0.05)
        assert [request.connection for request in faults.received] == [1, 1, 1, 2, 2]


async def test_a_stream_that_is_left_early_leaves_the_client_usable(world: World) -> None:
    async with playing(world, BYTES) as (client, url), client:
        async with client.stream("GET", url):
            pass
        assert (await client.get(url)).unwrap().status == 200


async def test_a_cancellation_passes_at_once(world: World) -> None:
    async with playing(world, SLOW) as (client, url), client:
        call = asyncio.create_task(client.get(url))
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_stopping_ends_what_is_under_way(world: World) -> None:
    async with playing(world, SLOW) as (client, url):
        await client.start()
        call = asyncio.create_task(client.get(url))
        await asyncio.sleep(0.02)
        await client.stop()
        failure = (await call).failure()
    assert in_words(failure) == "HTTPConnectionError closed, maybe sent, attempts 1"


async def test_before_its_start_and_after_its_stop_a_client_is_closed(world: World) -> None:
    async with playing(world, BYTES) as (client, url):
        before = (await client.get(url)).failure()
        async with client:
            assert (await client.get(url)).unwrap().status == 200
        after = (await client.get(url)).failure()
        async with client:
            assert (await client.get(url)).unwrap().status == 200
    assert in_words(before) == in_words(after)
    assert in_words(before) == "HTTPConnectionError closed, not sent, attempts 0"
