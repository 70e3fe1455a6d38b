"""Streams: chunks as they come, and how they end."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import pytest
import uvloop
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends
from typing_extensions import override

from railhttp import (
    ConnectionPoolConfig,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPStatusError,
    HTTPTimeoutError,
    RequestContext,
    RetryPolicy,
)
from railhttp.pipeline.clock import SystemClock
from railhttp.pipeline.policies.breaker import CircuitBreaker

T = TypeVar("T")


async def collect(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def test_chunks_come_as_they_are_sent(client: HTTPClient) -> None:
    arrived = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 6") + b"one")
        await arrived.wait()
        await connection.send(b"two")

    async with ScriptedServer(play) as server, client.stream("GET", server.url()) as chunks:
        seen = []
        async for chunk in chunks:
            seen.append(chunk)
            arrived.set()
    assert seen == [b"one", b"two"]


async def test_what_has_gathered_is_received_in_large_pieces(client: HTTPClient) -> None:
    if isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("uvloop cannot be told how much to receive")
    size = 16 * 2**20

    buffers_are_full = threading.Event()

    def serve(listener: socket.socket) -> None:  # in a thread: it sends while the loop is busy
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            rest = memoryview(head(f"Content-Length: {size}") + bytes(size))
            peer.setblocking(False)
            with suppress(BlockingIOError):
                while rest:
                    rest = rest[peer.send(rest) :]
            buffers_are_full.set()
            peer.setblocking(True)
            peer.sendall(rest)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = asyncio.create_task(asyncio.to_thread(serve, listener))
        sizes = []
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        async with client.stream("GET", url) as chunks:
            async for chunk in chunks:
                sizes.append(len(chunk))
                buffers_are_full.wait()  # a consumer that lets much gather
                time.sleep(0.002)  # noqa: ASYNC251  # the kernel moves on what it holds
        await served
    assert sum(sizes) == size
    assert max(sizes) > 256 * 1024  # which is the most that asyncio receives of its own accord


@pytest.mark.parametrize("gathered", [16384, 16385, 16386])  # 16384: more make aiohttp pause
async def test_many_chunks_that_gathered_are_followed_by_the_rest(
    client: HTTPClient, gathered: int
) -> None:
    paused = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * gathered)
        await paused.wait()
        await connection.send(b"1\r\ny\r\n" * 50)
        await connection.send(b"1\r\nz\r\n" * 50 + b"0\r\n\r\n")

    async with ScriptedServer(play) as server, client.stream("GET", server.url()) as chunks:
        await asyncio.sleep(0.1)  # a consumer that is busy
        asyncio.get_running_loop().call_later(0.1, paused.set)
        body = b"".join(await collect(chunks))
    assert body == b"x" * gathered + b"y" * 50 + b"z" * 50


async def test_the_head_is_there_before_the_body(client: HTTPClient, echo: EchoServer) -> None:
    async with client.stream("GET", echo.url("/stream/2")) as response:
        assert response.status == 200
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.head.url == echo.url("/stream/2")
        assert b"".join(await collect(response.aiter_bytes())) == b"line 0\nline 1\n"


async def test_an_error_status_is_streamed_like_any_other(client: HTTPClient) -> None:
    server = ScriptedServer(sends(answer(b"no such page", status="404 Not Found")))
    async with server, client.stream("GET", server.url()) as response:
        with pytest.raises(HTTPStatusError) as caught:
            response.raise_for_status()
        assert await collect(response) == [b"no such page"]
    assert caught.value.status == 404


async def test_a_good_status_raises_nothing(client: HTTPClient, echo: EchoServer) -> None:
    async with client.stream("GET", echo.url("/json")) as response:
        response.raise_for_status()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_content_codings_are_undone(
    client: HTTPClient, echo: EchoServer, coding: str
) -> None:
    async with client.stream("GET", echo.url(f"/{coding}")) as chunks:
        body = b"".join(await collect(chunks))
    assert HttpResponse(200, body=body).json() == {
        "name": "café",
        "numbers": [1, 2, 3],
        "none": None,
    }


class LeaveError(Exception):
    """What the caller raises."""


async def leave_by_break(client: HTTPClient, url: str) -> None:
    async with client.stream("GET", url) as chunks:
        async for _ in chunks:
            break


async def leave_by_exception(client: HTTPClient, url: str) -> None:
    async def leave(error: LeaveError) -> None:
        async with client.stream("GET", url) as chunks:
            await anext(chunks)
            raise error

    mine = LeaveError()
    with pytest.raises(LeaveError) as caught:
        await leave(mine)
    assert caught.value is mine
    assert caught.value.__cause__ is None


async def leave_by_cancellation(client: HTTPClient, url: str) -> None:
    reading = asyncio.Event()

    async def read() -> None:
        async with client.stream("GET", url) as chunks:
            async for _ in chunks:
                reading.set()
                await asyncio.sleep(0)

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def leave_unread(client: HTTPClient, url: str) -> None:
    async with client.stream("GET", url):
        pass


@pytest.mark.parametrize(
    "leave", [leave_by_break, leave_by_exception, leave_by_cancellation, leave_unread]
)
async def test_leaving_early_frees_the_connection_at_once(
    faults: FaultServer, leave: Callable[[HTTPClient, str], Awaitable[None]]
) -> None:
    async with nothing_left():
        config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), timeout=5.0)
        async with HTTPClient(config) as client:
            for _ in range(2):
                await leave(client, faults.url("/endless-body"))
            assert (await client.get(faults.url("/ok"))).unwrap().text == "ok"


async def test_a_body_that_was_read_leaves_its_connection_open(
    client: HTTPClient, faults: FaultServer
) -> None:
    for _ in range(2):
        async with client.stream("GET", faults.url("/ok")) as chunks:
            await collect(chunks)
    assert [request.connection for request in faults.received] == [1, 1]


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/short-body", {"truncated"}),
        ("/reset-in-body", {"truncated", "disconnected"}),
        ("/reset-in-chunks", {"truncated", "disconnected"}),
        ("/truncated-chunk", {"truncated"}),
        ("/missing-final-chunk", {"truncated"}),
        ("/bad-chunk-then-close", {"protocol", "truncated"}),
        ("/gzip-truncated", {"truncated"}),
        ("/unasked-101", {"protocol"}),
        ("/close-before-head", {"disconnected"}),
    ],
)
async def test_a_body_that_breaks_off_is_a_typed_failure(
    client: HTTPClient, faults: FaultServer, path: str, kinds: set[str]
) -> None:
    with pytest.raises(HTTPConnectionError) as caught:
        async with client.stream("POST", faults.url(path)) as chunks:
            await collect(chunks)
    assert caught.value.kind in kinds
    assert caught.value.method == "POST"


async def test_a_corrupt_body_is_a_decode_error(client: HTTPClient, faults: FaultServer) -> None:
    with pytest.raises(HTTPDecodeError) as caught:
        async with client.stream("GET", faults.url("/gzip-corrupt")) as chunks:
            await collect(chunks)
    assert caught.value.delivery is Delivery.ANSWERED


async def test_more_codings_than_honest_servers_use_are_a_decode_error(
    client: HTTPClient,
) -> None:
    async with nothing_left():
        server = ScriptedServer(sends(answer(b"a", f"Content-Encoding: {', '.join(6 * ['gzip'])}")))
        async with server:
            with pytest.raises(HTTPDecodeError):
                async with client.stream("GET", server.url()):
                    pass


async def test_a_failure_inside_the_body_is_not_tried_again(
    client: HTTPClient, faults: FaultServer
) -> None:
    with pytest.raises(HTTPConnectionError):
        async with client.stream("GET", faults.url("/short-body")) as chunks:
            await collect(chunks)
    assert len(faults.received) == 1


@pytest.mark.parametrize("path", ["/stall-in-body", "/stall-after-head", "/stall-in-chunks"])
async def test_silence_ends_a_body(client: HTTPClient, faults: FaultServer, path: str) -> None:
    with pytest.raises(HTTPTimeoutError) as caught:
        async with client.stream("GET", faults.url(path), read_timeout=0.05) as chunks:
            await collect(chunks)
    assert (caught.value.phase, caught.value.limit) == ("read", 0.05)


async def test_silence_is_bounded_by_the_clients_timeout_where_nobody_says_otherwise(
    faults: FaultServer,
) -> None:
    async with HTTPClient(HTTPClientConfig(timeout=0.1)) as client:
        with pytest.raises(HTTPTimeoutError) as caught:
            async with client.stream("GET", faults.url("/stall-in-body")) as chunks:
                await collect(chunks)
    assert caught.value.phase == "read"


async def test_the_clients_timeout_does_not_bound_the_body(faults: FaultServer) -> None:
    async with HTTPClient(HTTPClientConfig(timeout=0.15)) as client:
        url = faults.url("/slow-drip", bytes=30, interval=0.01)
        async with client.stream("GET", url) as chunks:
            assert len(b"".join(await collect(chunks))) == 30


async def test_the_clients_timeout_bounds_the_head(faults: FaultServer) -> None:
    async with HTTPClient(HTTPClientConfig(timeout=0.05)) as client:
        with pytest.raises(HTTPTimeoutError) as caught:
            async with client.stream("GET", faults.url("/stall-before-head")):
                pass
    assert caught.value.phase in {"total", "read"}


async def test_the_calls_own_timeout_bounds_the_body_too(
    client: HTTPClient, faults: FaultServer
) -> None:
    url = faults.url("/slow-drip", bytes=500, interval=0.01)
    with pytest.raises(HTTPTimeoutError) as caught:
        async with client.stream("GET", url, timeout=0.1) as chunks:
            await collect(chunks)
    assert (caught.value.phase, caught.value.message) == ("total", "not done within 0.1s")


class LeapingClock(SystemClock):
    """A clock that can be put forward; its timers do not notice."""

    ahead = 0.0

    @override
    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def test_time_that_was_up_between_two_chunks_is_noticed_at_the_next(
    faults: FaultServer,
) -> None:
    clock = LeapingClock()
    async with (
        HTTPClient(clock=clock) as client,
        client.stream("GET", faults.url("/endless-body"), timeout=60) as chunks,
    ):
        await anext(chunks)
        clock.ahead = 61
        with pytest.raises(HTTPTimeoutError):
            await anext(chunks)


async def test_the_time_that_the_consumer_takes_does_not_count(client: HTTPClient) -> None:
    arrived = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 6") + b"one")
        await arrived.wait()
        await connection.send(b"two")

    async with (
        ScriptedServer(play) as server,
        client.stream("GET", server.url(), read_timeout=0.05) as chunks,
    ):
        assert await anext(chunks) == b"one"
        await asyncio.sleep(0.1)
        asyncio.get_running_loop().call_later(0.01, arrived.set)
        assert await anext(chunks) == b"two"


async def test_stopping_the_client_ends_a_read(client: HTTPClient, faults: FaultServer) -> None:
    async with client.stream("GET", faults.url("/stall-in-body")) as chunks:
        await anext(chunks)
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, client.stop())
        with pytest.raises(HTTPConnectionError) as caught:
            await anext(chunks)
    assert caught.value.kind == "closed"


async def test_stopping_the_pool_ends_a_read_of_whoever_shares_it(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/stall-in-body")) as chunks:
        await anext(chunks)
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, client.pool.stop())
        with pytest.raises(HTTPConnectionError) as caught:
            async with asyncio.timeout(60.0):
                await anext(chunks)
    assert caught.value.kind == "closed"


async def test_a_client_that_was_stopped_between_two_chunks_gives_no_more(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/endless-body")) as chunks:
        await anext(chunks)
        await client.stop()
        await client.start()
        with pytest.raises(HTTPConnectionError) as caught:
            await anext(chunks)
    assert caught.value.kind == "closed"


async def test_a_stream_is_of_no_use_behind_its_block(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/endless-body")) as chunks:
        pass
    with pytest.raises(HTTPConnectionError) as caught:
        await anext(chunks)
    assert caught.value.kind == "closed"


async def test_a_second_reader_is_refused_and_the_first_does_not_notice(
    client: HTTPClient,
) -> None:
    refused = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 6") + b"one")
        await refused.wait()
        await connection.send(b"two")

    async with ScriptedServer(play) as server, client.stream("GET", server.url()) as chunks:
        assert await anext(chunks) == b"one"
        first = asyncio.create_task(collect(chunks))
        await asyncio.sleep(0.01)
        with pytest.raises(HTTPInvalidRequestError, match="another task") as caught:
            await anext(chunks)
        refused.set()
        assert await first == [b"two"]
    assert caught.value.field == "stream"


async def test_a_stream_is_of_no_use_after_a_failure(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/stall-in-body"), read_timeout=0.02) as chunks:
        with pytest.raises(HTTPTimeoutError):
            await collect(chunks)
        with pytest.raises(HTTPConnectionError) as caught:
            await anext(chunks)
    assert caught.value.kind == "closed"


async def test_nobody_to_connect_to_is_a_failure_of_the_block_itself(
    client: HTTPClient,
) -> None:
    with pytest.raises(HTTPConnectionError) as caught:
        async with client.stream("GET", "http://127.0.0.1:1/"):
            pass
    assert caught.value.kind == "connect"


async def test_a_request_that_cannot_be_sent_is_refused(client: HTTPClient) -> None:
    with pytest.raises(HTTPInvalidRequestError):
        async with client.stream("GET", "ftp://h/"):
            pass


async def test_an_unknown_option_is_a_type_error(client: HTTPClient) -> None:
    with pytest.raises(TypeError, match="colour"):
        async with client.stream("GET", "http://h/", colour="red"):  # type: ignore[call-arg]  # wrong
            pass


async def test_redirects_are_followed(client: HTTPClient, echo: EchoServer) -> None:
    async with client.stream("GET", echo.url("/redirect/2")) as response:
        assert response.head.url == echo.url("/get")


async def test_a_redirect_whose_body_never_ends_is_no_obstacle(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/stall-in-redirect")) as chunks:
        assert await collect(chunks) == [b"ok"]


async def test_a_head_is_asked_for_again_as_the_policy_says(echo: EchoServer) -> None:
    policy = RetryPolicy(base_delay=0.001)
    async with HTTPClient(retry_policy=policy) as client:
        async with client.stream("GET", echo.url("/flaky/a/2")) as response:
            assert (response.status, response.head.attempts) == (200, 3)
        async with client.stream("GET", echo.url("/flaky/b/9")) as response:
            assert (response.status, response.head.attempts) == (503, 3)


async def test_answers_that_were_not_the_last_are_closed() -> None:
    async with nothing_left():
        server = ScriptedServer(
            sends(head("Content-Length: 100", status="503 Busy") + b"part"), sends(answer(b"ok"))
        )
        async with (
            server,
            HTTPClient(retry_policy=RetryPolicy(base_delay=0.001)) as client,
            client.stream("GET", server.url()) as chunks,
        ):
            assert await collect(chunks) == [b"ok"]


async def test_a_discarded_response_holds_no_connection_while_the_policy_waits() -> None:
    waiting = asyncio.Event()
    policy = RetryPolicy(base_delay=30.0, jitter=False, on_retry=lambda _: waiting.set())
    server = ScriptedServer(
        sends(head("Content-Length: 100", status="503 Busy") + b"part"), sends(answer(b"ok"))
    )
    config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), trust_env=False)
    async with server, HTTPClient(config, retry_policy=policy) as client:

        async def follow() -> None:
            async with client.stream("GET", server.url()):
                pass

        stream = asyncio.create_task(follow())
        await waiting.wait()
        assert (await client.get(server.url(), timeout=5.0)).unwrap().body == b"ok"
        stream.cancel()


async def test_a_breaker_hears_of_heads(echo: EchoServer) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    async with HTTPClient(
        retry_policy=RetryPolicy(max_attempts=1), circuit_breaker=breaker
    ) as client:
        async with client.stream("GET", echo.url("/status/500")):
            pass
        with pytest.raises(HTTPCircuitOpenError):
            async with client.stream("GET", echo.url()):
                pass


class Witness:
    """An interceptor that remembers, and marks what it sees."""

    def __init__(self) -> None:
        self.seen: list[HttpResponse] = []

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.headers["X-Witness"] = "yes"
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        self.seen.append(response)
        return response


async def test_interceptors_see_the_head_with_an_empty_body(faults: FaultServer) -> None:
    witness = Witness()
    async with (
        HTTPClient(interceptors=[witness]) as client,
        client.stream("GET", faults.url("/ok")) as chunks,
    ):
        assert await collect(chunks) == [b"ok"]
    assert [(response.status, response.body) for response in witness.seen] == [(200, b"")]
    assert faults.received[0].header("X-Witness") == "yes"


class FailingInterceptor(Witness):
    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        raise LeaveError


async def test_an_interceptor_that_fails_closes_the_response(faults: FaultServer) -> None:
    async with nothing_left(), HTTPClient(interceptors=[FailingInterceptor()]) as client:
        with pytest.raises(HTTPInterceptorError):
            async with client.stream("GET", faults.url("/stall-in-body")):
                pass


class Oracle:
    """A retry policy that asks nobody."""

    async def execute(
        self, func: Callable[..., Awaitable[object]], *args: object, **kwargs: object
    ) -> HttpResponse:
        return HttpResponse(200, body=b"made up")


async def test_a_made_up_answer_has_no_stream() -> None:
    async with HTTPClient(retry_policy=Oracle()) as client:  # type: ignore[arg-type]  # it lies
        with pytest.raises(HTTPInterceptorError, match="in place of the server"):
            async with client.stream("GET", "http://h/"):
                pass


# -- lines and documents --------------------------------------------------------------------


async def lines_of(client: HTTPClient, *pieces: bytes) -> list[str]:
    server = ScriptedServer(sends(head("Connection: close"), *pieces))
    async with server, client.stream("GET", server.url()) as response:
        return await collect(response.aiter_lines())


async def test_lines_end_with_lf_or_crlf_and_the_last_with_nothing(client: HTTPClient) -> None:
    pieces = ["a\r", "\nb\rb\n\n", "né"[:1], "é\nlast"]
    assert await lines_of(client, *(piece.encode() for piece in pieces)) == [
        "a",
        "b\rb",
        "",
        "né",
        "last",
    ]


async def test_a_long_line_is_no_trouble(client: HTTPClient, faults: FaultServer) -> None:
    async with client.stream("GET", faults.url("/long-line")) as response:
        assert [len(line) async for line in response.aiter_lines()] == [600_000]


async def test_a_line_beyond_the_callers_limit_is_too_large(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with client.stream("GET", faults.url("/long-line")) as response:
        with pytest.raises(HTTPResponseTooLargeError) as caught:
            await collect(response.aiter_lines(max_line_bytes=1000))
    assert caught.value.limit == 1000


@pytest.mark.parametrize("limit", ["x", 0, -1, 1.5, True])
async def test_a_limit_that_is_none_is_refused_at_once(
    client: HTTPClient, echo: EchoServer, limit: int
) -> None:
    async with client.stream("GET", echo.url("/stream/2")) as response:
        for lines in (response.aiter_lines, response.aiter_json):
            with pytest.raises(HTTPInvalidRequestError, match="positive integer") as caught:
                lines(max_line_bytes=limit)
            assert caught.value.field == "max_line_bytes"


async def documents_of(client: HTTPClient, body: bytes) -> list[object]:
    server = ScriptedServer(sends(answer(body, "Content-Type: application/x-ndjson")))
    async with server, client.stream("GET", server.url()) as response:
        return [document async for document in response.aiter_json()]


async def test_documents_come_line_by_line(client: HTTPClient) -> None:
    body = '{"a": 1}\n\n  \r\n[2]\r\n"né"'.encode()
    assert await documents_of(client, body) == [{"a": 1}, [2], "né"]


async def test_a_line_that_is_no_document_is_named(client: HTTPClient) -> None:
    with pytest.raises(HTTPDecodeError) as caught:
        await documents_of(client, b'{"a": 1}\n\n{"secret": \n')
    assert (caught.value.where, caught.value.content_type) == ("line 3", "application/x-ndjson")
    assert "secret" not in str(caught.value)
    assert caught.value.url.startswith("http://127.0.0.1")


@pytest.mark.parametrize(
    "line", [b'{"name":"caf\xe9"}', b'"\xed\xa0\x80"', b'["\xc3"]'], ids=["latin-1", "half", "cut"]
)
async def test_a_document_that_is_not_utf_8_is_refused_as_by_json(
    client: HTTPClient, line: bytes
) -> None:
    with pytest.raises(HTTPDecodeError) as whole:
        HttpResponse(200, body=line).json()
    with pytest.raises(HTTPDecodeError) as caught:
        await documents_of(client, b"1\r\n" + line + b"\n2\n")
    assert (caught.value.message, caught.value.where) == (whole.value.message, "line 2")


async def test_a_client_that_never_started_has_no_streams() -> None:
    with pytest.raises(HTTPConnectionError) as caught:
        async with HTTPClient().stream("GET", "http://h/"):
            pass
    assert caught.value.kind == "closed"
