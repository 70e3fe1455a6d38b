"""What comes back: statuses, header fields, codings, and the limit on a body."""

import json

import pytest
from tests.servers.connection import Connection
from tests.servers.echo import JSON_SAMPLE, EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import Listener
from tests.servers.misbehaviour.encodings import BOMB_SIZE, TEXT

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPResponseTooLargeError,
)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_codings_are_undone(client: HTTPClient, echo: EchoServer, coding: str) -> None:
    response = (await client.get(echo.url(f"/{coding}"))).unwrap()
    assert response.json() == JSON_SAMPLE
    assert response.headers["Content-Encoding"] == coding
    assert response.content_length not in {None, len(response.body)}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gzip-members", TEXT),
        ("/gzip-twice", TEXT),
        ("/deflate-raw", TEXT),
        ("/gzip-empty", b""),
        ("/unknown-encoding", b"squeezed"),
        ("/trailers", b"ok"),
        ("/body-until-close", b"ok"),
        ("/early-hints", b"ok"),
        ("/continue-then-ok", b"ok"),
    ],
)
async def test_unusual_but_right(
    client: HTTPClient, faults: FaultServer, path: str, body: bytes
) -> None:
    assert (await client.get(faults.url(path))).unwrap().body == body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_a_truncated_coding_is_no_whole_body(
    client: HTTPClient, faults: FaultServer, coding: str
) -> None:
    failure = (await client.post(faults.url(f"/{coding}-truncated"))).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == ("truncated", Delivery.ANSWERED)


@pytest.mark.parametrize("path", ["/gzip-corrupt", "/gzip-bad-checksum", "/zstd-corrupt"])
async def test_a_corrupt_coding_cannot_be_decoded(
    client: HTTPClient, faults: FaultServer, path: str
) -> None:
    failure = (await client.post(faults.url(path))).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert (failure.where, failure.delivery) == ("Content-Encoding", Delivery.ANSWERED)


@pytest.mark.parametrize("path", ["/bytes/10000", "/stream/1000"])
async def test_a_body_may_be_as_large_as_the_limit(echo: EchoServer, path: str) -> None:
    async with _client(10**6) as client:
        body = (await client.get(echo.url(path))).unwrap().body
    for limit, fits in ((len(body), True), (len(body) - 1, False)):
        async with _client(limit) as client:
            result = await client.get(echo.url(path))
            if fits:
                assert result.unwrap().body == body
            else:
                failure = result.failure()
                assert isinstance(failure, HTTPResponseTooLargeError)
                assert (failure.limit, failure.delivery) == (limit, Delivery.ANSWERED)
                assert failure.attempts == 1


@pytest.mark.parametrize("path", ["/gzip-bomb", "/br-bomb", "/zstd-bomb", "/endless-body"])
async def test_a_bomb_does_not_explode(faults: FaultServer, path: str) -> None:
    async with _client(BOMB_SIZE // 100) as client:
        failure = (await client.get(faults.url(path))).failure()
    assert isinstance(failure, HTTPResponseTooLargeError)


def _client(limit: int) -> HTTPClient:
    return HTTPClient(HTTPClientConfig(trust_env=False, max_response_bytes=limit))


async def test_repeated_fields_are_kept(client: HTTPClient, faults: FaultServer) -> None:
    headers = (await client.get(faults.url("/repeated-set-cookie"))).unwrap().headers
    cookies = headers.getall("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["a", "b", "c"]
    assert "31 Dec 2100" in cookies[1]


async def test_a_response_says_whose_it_is(client: HTTPClient, echo: EchoServer) -> None:
    response = (await client.get(echo.url("/redirect/2?status=303"))).unwrap()
    assert (response.url, response.method, response.attempts) == (echo.url("/get"), "GET", 1)
    assert (response.http_version, response.content_type) == ("1.1", "application/json")
    assert 0 < response.elapsed < 60


class OldServer(Listener):
    """Speaks HTTP/1.0, where the connection's end is the body's."""

    async def handle(self, connection: Connection) -> None:
        await connection.read_head()
        await connection.send(b"HTTP/1.0 200 OK\r\n\r\nold")


async def test_http_1_0_is_understood(client: HTTPClient) -> None:
    async with OldServer() as server:
        response = (await client.get(server.url())).unwrap()
    assert (response.http_version, response.body) == ("1.0", b"old")


@pytest.mark.parametrize("path", ["/bytes/100", "/gzip", "/json"])
async def test_a_head_has_no_body_and_keeps_its_connection(
    client: HTTPClient, echo: EchoServer, path: str
) -> None:
    for _ in range(2):
        response = (await client.head(echo.url(path))).unwrap()
        assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body(client: HTTPClient, echo: EchoServer, status: int) -> None:
    for _ in range(2):
        response = (await client.get(echo.url(f"/status/{status}"))).unwrap()
        assert (response.status, response.body) == (status, b"")


async def test_a_switch_of_protocols_that_nobody_asked_for(
    client: HTTPClient, faults: FaultServer
) -> None:
    failure = (await client.post(faults.url("/unasked-101"))).failure()
    assert (failure.label, failure.message) == ("protocol", "unexpected status 101")


@pytest.mark.parametrize(
    "path", ["/bad-json", "/invalid-utf8-json", "/deep-json", "/huge-int-json", "/empty-json"]
)
async def test_a_body_that_is_no_json_is_an_answer_all_the_same(
    client: HTTPClient, faults: FaultServer, path: str
) -> None:
    response = (await client.get(faults.url(path))).unwrap()
    with pytest.raises(HTTPDecodeError) as caught:
        response.json()
    assert (caught.value.url, caught.value.content_type) == (response.url, "application/json")


@pytest.mark.parametrize(
    ("path", "text"),
    [("/invalid-charset", "ok"), ("/invalid-utf8", "caf\N{REPLACEMENT CHARACTER}")],
)
async def test_any_body_has_a_text(
    client: HTTPClient, faults: FaultServer, path: str, text: str
) -> None:
    assert (await client.get(faults.url(path))).unwrap().text == text


async def test_json_needs_no_content_type(client: HTTPClient, faults: FaultServer) -> None:
    for path in ("/json-as-html", "/no-content-type"):
        assert (await client.get(faults.url(path))).unwrap().json() == json.loads('{"a": 1}')
