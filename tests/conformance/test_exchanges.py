"""The real exchange and the scripted one, side by side: the same scenes, the same outcomes."""

import asyncio

import pytest
from tests.conformance.worlds import WORLDS, Scene, World, in_words, outcome, playing

from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.options import RequestOptions

pytestmark = pytest.mark.parametrize("world", WORLDS)

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
    assert 0 < response.elapsed < 5


@pytest.mark.parametrize(
    ("scene", "method", "options", "expected"),
    [
        pytest.param(
            NO_ONE,
            "POST",
            {},
            "HTTPConnectionError connect, not sent, attempts 3",
            id="refused, which is always safe to repeat",
        ),
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
                    HTTPConnectionError("the answer broke off", kind="truncated"),
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
            {"data": [b"a", "no bytes"]},
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


async def test_redirects_lead_to_their_end(world: World) -> None:
    async with playing(world, TWO_HOPS) as (client, url), client:
        response = (await client.get(url)).unwrap()
    assert response.url == url.replace("/redirect/2", "/get")
    assert response.status == 200


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    config = HTTPClientConfig(max_response_bytes=99)
    async with playing(world, BYTES, config) as (client, url), client:
        failure = (await client.get(url)).failure()
    assert in_words(failure) == "HTTPResponseTooLargeError , answered, attempts 1"


async def test_a_stream_gives_the_body_piece_by_piece(world: World) -> None:
    async with playing(world, BYTES) as (client, url), client, client.stream("GET", url) as chunks:
        assert len(b"".join([chunk async for chunk in chunks])) == 100


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
    assert in_words(before) == "HTTPConnectionError closed, not sent, attempts 1"
