"""A body is read in the same way whether it has a length, chunks or a coding."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Final

import pytest
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.transport.connection import StrictResponseHandler

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
BODY: Final = bytes(range(256)) * 4
CHUNKED: Final = "Transfer-Encoding: chunked"


def client_of(**settings: float) -> HTTPClient:
    config = HTTPClientConfig(timeout=60.0, trust_env=False, **settings)  # type: ignore[arg-type]
    return HTTPClient(config, retry_policy=ONCE)


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def keeps(*responses: bytes, pause: float = 0.0) -> Play:
    """Send a response for each request of a connection, in the given pieces."""

    async def play(connection: Connection, _: Received) -> None:
        for response in responses:
            for at in range(0, len(response), 700 if pause else len(response)):
                await connection.send(response[at : at + (700 if pause else len(response))])
                await asyncio.sleep(pause)
            await connection.read_head()

    return play


WAYS: Final[dict[str, bytes]] = {
    "a length": answer(BODY),
    "chunks": head(CHUNKED) + chunked(BODY[:300], BODY[300:301], BODY[301:]),
    "gzip": answer(gzip.compress(BODY), "Content-Encoding: gzip"),
    "gzip in chunks": head(CHUNKED, "Content-Encoding: gzip") + chunked(gzip.compress(BODY)),
    "identity": answer(BODY, "Content-Encoding: identity"),
    "an unknown coding": answer(BODY, "Content-Encoding: unheard-of"),
    "identity and chunks": head("Transfer-Encoding: identity", CHUNKED) + chunked(BODY),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pause", [0.0, 0.01])
@pytest.mark.parametrize("limit", [len(BODY), len(BODY) - 1])
async def test_a_body_may_be_as_large_as_the_limit_and_no_larger(
    way: str, pause: float, limit: int
) -> None:
    async with (
        ScriptedServer(keeps(WAYS[way], pause=pause)) as server,
        client_of(max_response_bytes=limit) as client,
    ):
        result = await client.get(server.url())
        if limit == len(BODY):
            assert result.unwrap().body == BODY
        else:
            failure = result.failure()
            assert isinstance(failure, HTTPResponseTooLargeError)
            assert (failure.limit, failure.delivery) == (limit, Delivery.ANSWERED)
            assert failure.message == f"the body is larger than {limit} bytes"
            assert (failure.method, failure.url) == ("GET", server.url())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options",
    [RequestOptions(), RequestOptions(read_bufsize=1)],  # with it, reading pauses after two bytes
    ids=repr,
)
async def test_a_connection_is_used_again_after_a_body_of_any_kind(
    way: str, options: RequestOptions
) -> None:
    async with ScriptedServer(keeps(*[WAYS[way]] * 3)) as server, client_of() as client:
        for _ in range(2):
            assert (await client.get(server.url(), **options)).unwrap().body == BODY
        async with client.stream("GET", server.url(), **options) as stream:
            assert b"".join([piece async for piece in stream]) == BODY
        assert client.pool.gauges.open == 1
        assert len(server.received) == 1  # the others came on its connection


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pause", [0.0, 0.01])
async def test_a_stream_gives_its_connection_back_with_the_last_byte(
    way: str, pause: float
) -> None:
    async with (
        ScriptedServer(keeps(WAYS[way], pause=pause)) as server,
        client_of() as client,
        client.stream("GET", server.url()) as stream,
    ):
        assert b"".join([piece async for piece in stream]) == BODY
        assert client.pool.gauges.idle == 1


@pytest.mark.parametrize(
    ("method", "response", "is_read"),
    [
        ("GET", head("Transfer-Encoding: gzip", CHUNKED) + chunked(BODY), False),
        ("GET", head("Transfer-Encoding: gzip, chunked") + chunked(BODY), False),
        ("HEAD", head("Transfer-Encoding: gzip, chunked"), True),
        ("HEAD", head("Content-Encoding: gzip", "Content-Length: 9"), True),
        ("GET", b"HTTP/1.1 204 \r\nTransfer-Encoding: gzip\r\n\r\n", True),
    ],
)
async def test_a_transfer_coding_is_refused_where_a_body_has_it(
    method: str, response: bytes, is_read: bool
) -> None:
    async with ScriptedServer(sends(response)) as server, client_of() as client:
        if is_read:
            assert (await client.request(method, server.url())).body == b""
            return
        with pytest.raises(HTTPConnectionError) as caught:
            await client.request(method, server.url())
        assert (caught.value.kind, caught.value.delivery) == ("protocol", Delivery.ANSWERED)
        await until(lambda: server.connections == 0)


@pytest.mark.parametrize("body", [BODY, gzip.compress(BODY)[:-1] + b"x"])
@pytest.mark.parametrize("coding", ["gzip", ", ".join(["gzip"] * 6)])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_body_that_does_not_have_its_coding_is_a_failure(
    body: bytes, coding: str, streamed: bool
) -> None:
    async def streams(method: str, url: str) -> bytes:
        async with client.stream(method, url) as stream:
            return b"".join([piece async for piece in stream])

    reply = answer(body, f"Content-Encoding: {coding}")
    async with ScriptedServer(sends(reply)) as server, client_of() as client:
        with pytest.raises(HTTPDecodeError) as caught:
            await (streams if streamed else client.request)("GET", server.url())
        assert caught.value.where == "Content-Encoding"
        await until(lambda: client.pool.gauges.open == client.pool.gauges.idle)


async def test_a_read_timeout_counts_from_piece_to_piece() -> None:
    async def slow(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 4"))
        for byte in (b"a", b"b", b"c", b"d"):
            await asyncio.sleep(0.2)
            await connection.send(byte)

    async def silent(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 4") + b"x")
        await connection.until_gone()

    async with ScriptedServer(slow, silent) as server, client_of() as client:
        (await client.get(server.url(), read_timeout=30.0)).unwrap()
        failure = (await client.get(server.url(), read_timeout=0.05)).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit, failure.delivery) == ("read", 0.05, Delivery.ANSWERED)


async def test_a_consumer_may_take_its_time_also_if_the_loop_reads_twice_before_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """uvloop may read several times in one turn."""
    received = StrictResponseHandler.data_received

    def receive_twice(connection: StrictResponseHandler, data: bytes) -> None:
        received(connection, data[:-1])
        received(connection, data[-1:])

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 6") + b"abc")
        await ready.wait()
        await connection.send(b"def")

    monkeypatch.setattr(StrictResponseHandler, "data_received", receive_twice)
    ready = asyncio.Event()
    async with (
        ScriptedServer(play) as server,
        client_of() as client,
        client.stream("GET", server.url(), read_timeout=0.1) as stream,
    ):
        await asyncio.sleep(0.3)
        ready.set()
        assert b"".join([piece async for piece in stream]) == b"abcdef"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_a_response_says_how_it_came(version: str, coding: str | None) -> None:
    fields = [] if coding is None else [f"Content-Encoding: {coding}"]
    body = BODY if coding is None else gzip.compress(BODY)
    reply = answer(body, *fields, "X-Id: 7", status="203 Other")
    reply = reply.replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    async with ScriptedServer(sends(reply)) as server, client_of() as client:
        response = await client.request("PUT", server.url("/a?b"))
        assert (response.status, response.headers["x-id"], response.body) == (203, "7", BODY)
        assert (response.http_version, response.attempts) == (version, 1)
        assert (response.method, response.url) == ("PUT", server.url("/a?b"))
        assert 0 <= response.elapsed < 60


@pytest.mark.parametrize("fields", [[], ["Content-Encoding: gzip"]])
async def test_the_body_of_a_redirect_that_is_followed_is_not_looked_at(fields: list[str]) -> None:
    moved = answer(b"x" * 5000, *fields, "Location: /to", status="302 Found")
    async with (
        ScriptedServer(sends(moved), sends(answer(b"ok"))) as server,
        client_of(max_response_bytes=100) as client,
    ):
        assert (await client.get(server.url())).unwrap().body == b"ok"


@pytest.mark.parametrize("fields", [[], ["Content-Encoding: gzip"]])
async def test_the_body_of_a_redirect_that_is_not_followed_is_read(fields: list[str]) -> None:
    body = gzip.compress(BODY) if fields else BODY
    moved = answer(body, *fields, "Location: /to", status="302 Found")
    async with ScriptedServer(sends(moved)) as server, client_of() as client:
        response = await client.request("GET", server.url(), allow_redirects=False)
        assert (response.status, response.body) == (302, BODY)


# --- an upload that is still under way


async def endless(seen: list[bytes]) -> AsyncIterator[bytes]:
    while True:
        seen.append(b"x")
        yield b"x" * 1000
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("status", ["300 Other", "404 Not Found", "500 Broken"])
async def test_an_upload_that_a_response_makes_needless_is_cancelled(status: str) -> None:
    sent: list[bytes] = []

    async def refuse(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"no", status=status))
        await connection.until_gone()

    async with ScriptedServer(refuse, reads_body=False) as server, client_of() as client:
        response = await client.request("PUT", server.url(), data=endless(sent))
        assert (response.status, response.body) == (int(status[:3]), b"no")
        assert client.pool.gauges.open == 0
        number = len(sent)
        await asyncio.sleep(0.05)
        assert len(sent) <= number + 1


async def test_an_upload_that_fails_while_it_is_given_up_spoils_no_refusal() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        try:
            await asyncio.Event().wait()
        finally:
            failed.set()
            raise ZeroDivisionError

    async def refuse(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"no", status="413 Content Too Large"))
        await connection.until_gone()

    failed = asyncio.Event()
    async with (
        ScriptedServer(refuse, reads_body=False) as server,
        client_of() as client,
        client.stream("PUT", server.url(), data=body()) as stream,
    ):
        await failed.wait()
        assert stream.status == 413
        assert b"".join([piece async for piece in stream]) == b"no"


async def test_after_a_success_the_rest_of_an_upload_is_sent() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await answered.wait()
        yield b"last"

    async def early(connection: Connection, _: Received) -> None:
        await connection.reader.readuntil(b"first\r\n")
        await connection.send(answer(b"ok"))
        answered.set()
        seen.append(await connection.reader.readuntil(b"0\r\n\r\n"))
        await connection.until_gone()

    answered, seen = asyncio.Event(), list[bytes]()
    async with ScriptedServer(early, reads_body=False) as server, client_of() as client:
        assert (await client.put(server.url(), data=body())).unwrap().body == b"ok"
        await until(lambda: seen)
        assert b"last" in seen[0]
        assert client.pool.gauges.idle == 1


async def test_after_a_success_the_rest_is_sent_also_if_the_wait_for_a_100_has_ended() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await answered.wait()
        yield b"last"

    async def early(connection: Connection, _: Received) -> None:
        await connection.reader.readuntil(b"first\r\n")  # without a 100: the client lost patience
        await connection.send(answer(b"ok"))
        seen.append(await connection.reader.readuntil(b"0\r\n\r\n"))
        await connection.until_gone()

    answered, seen = asyncio.Event(), list[bytes]()
    async with (
        ScriptedServer(early, reads_body=False) as server,
        client_of(expect_continue_timeout=0.01) as client,
    ):
        expecting = {"Expect": "100-continue"}
        async with client.stream("PUT", server.url(), headers=expecting, data=body()) as stream:
            answered.set()
            assert b"".join([piece async for piece in stream]) == b"ok"
        await until(lambda: seen)
        assert b"last" in seen[0]
        assert client.pool.gauges.idle == 1


async def test_an_upload_that_fails_after_the_response_began_fails_the_call() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await answered.wait()
        for _ in range(20):  # turns in which the response is read
            await asyncio.sleep(0.005)
        raise ZeroDivisionError

    async def early(connection: Connection, _: Received) -> None:
        await connection.reader.readuntil(b"first\r\n")
        await connection.send(answer(b"ok"))
        answered.set()
        await connection.until_gone()

    answered = asyncio.Event()
    async with ScriptedServer(early, reads_body=False) as server, client_of() as client:
        failure = (await client.put(server.url(), data=body())).failure()
        assert isinstance(failure.__cause__, ZeroDivisionError)
        assert client.pool.gauges.open == 0
