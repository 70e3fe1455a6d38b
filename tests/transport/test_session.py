"""`pool.session` is aiohttp's own session over the same connections."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.echo import JSON_SAMPLE, EchoServer
from tests.servers.faults import FaultServer
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPStatusError,
    HTTPValidationError,
    StreamContext,
)


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    async with ConnectionPool(timeout=5.0, trust_env=False) as pool:
        yield pool


def test_the_session_has_two_names() -> None:
    assert ConnectionPool._session is ConnectionPool.session


async def test_the_session_shares_connections_with_the_client(
    pool: ConnectionPool, faults: FaultServer
) -> None:
    async with HTTPClient(pool=pool) as client:
        for _ in range(3):
            assert (await client.get(faults.url())).unwrap().body == b"ok"
            async with pool.session.get(faults.url()) as response:
                assert await response.read() == b"ok"
        assert faults.connections == 1
        assert type(pool.session) is aiohttp.ClientSession


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_the_session_decompresses_and_the_client_after_it(
    pool: ConnectionPool, echo: EchoServer, coding: str
) -> None:
    async with HTTPClient(pool=pool) as client:
        for _ in range(2):
            async with pool.session.get(echo.url(f"/{coding}")) as response:
                assert await response.json() == JSON_SAMPLE
            assert (await client.get(echo.url(f"/{coding}"))).unwrap().json() == JSON_SAMPLE


async def test_the_session_asks_for_no_coding_that_aiohttp_cannot_undo(
    pool: ConnectionPool, faults: FaultServer
) -> None:
    async with aiohttp.ClientSession() as plain, plain.get(faults.url()):
        pass
    async with pool.session.get(faults.url()):
        pass
    first, second = faults.received
    assert first.header("accept-encoding") == second.header("accept-encoding")


async def test_a_large_compressed_body_arrives_whole_and_the_connection_is_used_again(
    pool: ConnectionPool,
) -> None:
    content = b"0123456789abcdef" * 500_000
    body = gzip.compress(content, 1)

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(answer(body, "Content-Encoding: gzip"))
        await connection.read_head()
        await connection.send(answer(body, "Content-Encoding: gzip"))

    async with ScriptedServer(play) as server, HTTPClient(pool=pool) as client:
        async with pool.session.get(server.url()) as response:
            pieces = []
            async for piece in response.content.iter_chunked(65536):
                pieces.append(piece)
                await asyncio.sleep(0)
            assert b"".join(pieces) == content
        assert (await client.get(server.url())).unwrap().body == content


async def test_a_websocket_is_one_step_away(pool: ConnectionPool) -> None:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"heard {message.data}")
        return socket

    app = web.Application()
    app.add_routes([web.get("/", talk)])
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with pool.session.ws_connect(url) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str(timeout=5) == "heard hello"
            for number in range(100):
                await socket.send_str("x" * 10_000)
                assert len(await socket.receive_str(timeout=5)) == 10_006, number
    finally:
        await runner.cleanup()


async def test_the_timeout_of_the_pool_holds_for_the_session(faults: FaultServer) -> None:
    async with ConnectionPool(timeout=0.1) as pool:
        with pytest.raises(TimeoutError):
            await pool.session.get(faults.url("/stall-before-head"))


async def test_stop_closes_the_session() -> None:
    pool = ConnectionPool()
    await pool.start()
    session = pool._session
    await pool.stop()
    assert session.closed


async def test_verification_of_the_pool_holds_for_the_session(tls: TlsContexts) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        ConnectionPool(ssl_context=tls.client) as trusting,
        ConnectionPool() as usual,
    ):
        async with trusting.session.get(server.url()) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await usual.session.get(server.url())


# -- streams of the session ----------------------------------------------------------------------


async def test_a_stream_context_reads_a_response_of_aiohttp(echo: EchoServer) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(echo.url("/stream/3")) as resp:
            context = StreamContext(resp)
            assert (context.status, context.headers["content-type"]) == (
                200,
                "text/plain; charset=utf-8",
            )
            context.raise_for_status()
            assert [line async for line in context.aiter_lines()] == ["line 0", "line 1", "line 2"]
        async with session.get(echo.url("/status/503")) as resp:
            context = StreamContext(resp)
            with pytest.raises(HTTPStatusError) as caught:
                context.raise_for_status()
        assert (caught.value.status, caught.value.method) == (503, "GET")
        async with session.get(echo.url("/gzip")) as resp:
            assert [line async for line in StreamContext(resp).aiter_json()] == [JSON_SAMPLE]


async def test_a_response_of_aiohttp_that_breaks_off_raises_our_failure(
    faults: FaultServer,
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(faults.url("/short-body", token="s3cret")) as resp,
    ):
        with pytest.raises(HTTPConnectionError) as caught:
            _ = [chunk async for chunk in StreamContext(resp)]
    assert caught.value.kind == "truncated"
    assert "s3cret" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("resp", [None, "text", 5])
def test_a_stream_context_of_anything_else_is_refused(resp: object) -> None:
    with pytest.raises(HTTPValidationError, match=r"^resp: must be .*aiohttp\.ClientResponse"):
        StreamContext(resp)  # type: ignore[arg-type]  # wrong on purpose


# -- warming up ------------------------------------------------------------------------------------


async def closes(connection: Connection, _: Received) -> None:
    """Close the connection instead of answering."""


async def resets(connection: Connection, _: Received) -> None:
    connection.reset()


def status(line: str) -> Play:
    return sends(answer(b"", status=line))


HEAD_REFUSALS: dict[str, Play] = {
    "405": status("405 Method Not Allowed"),
    "501": status("501 Not Implemented"),
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "500": status("500 Internal Server Error"),
    "closing": closes,
    "a reset": resets,
    "garbage": sends(b"garbage\r\n\r\n"),
    "a TLS-like answer": sends(b"\x15\x03\x01\x00\x02\x02\x46"),
}


@pytest.mark.parametrize("way", HEAD_REFUSALS)
async def test_a_head_that_is_refused_in_any_way_becomes_a_get(
    pool: ConnectionPool, way: str
) -> None:
    async def play(connection: Connection, received: Received) -> None:
        if received.method == "HEAD":
            await HEAD_REFUSALS[way](connection, received)
            return
        await connection.send(answer(b"page"))
        await connection.until_gone()

    async with ScriptedServer(play) as server:
        await pool.warm_up([server.url()])
        assert server.received[-1].method == "GET"
        assert {seen.method for seen in server.received[:-1]} == {"HEAD"}
        assert server.connections == 1  # the connection of the GET is kept


async def test_warming_up_follows_no_redirect(pool: ConnectionPool, faults: FaultServer) -> None:
    moved = sends(answer(b"", f"Location: {faults.url()}", status="302 Found"))
    async with ScriptedServer(moved) as server:
        await pool.warm_up([server.url()])
        assert [seen.method for seen in server.received] == ["HEAD"]
    assert faults.received == []


async def test_a_head_that_is_not_answered_becomes_a_get() -> None:
    async def play(connection: Connection, received: Received) -> None:
        if received.method == "GET":
            await connection.send(answer(b"page"))
        await connection.until_gone()

    async with ConnectionPool(timeout=0.4) as pool, ScriptedServer(play) as server:
        await pool.warm_up([server.url()])
        assert [seen.method for seen in server.received] == ["HEAD", "GET"]


async def test_of_an_endless_page_only_the_start_is_read() -> None:
    async def play(connection: Connection, received: Received) -> None:
        if received.method == "HEAD":
            await connection.send(answer(b"", status="405 Method Not Allowed"))
            return
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                await connection.send(b"page" * 10_000)

    async with (
        ConnectionPool(timeout=600.0, trust_env=False) as pool,
        ScriptedServer(play) as server,
    ):
        async with asyncio.timeout(60):
            await pool.warm_up([server.url()])
        assert [seen.method for seen in server.received] == ["HEAD", "GET"]


@pytest.mark.parametrize("size", [100_000, 900_000])
async def test_a_page_of_less_than_a_megabyte_is_read_so_that_its_connection_is_kept(
    pool: ConnectionPool, faults: FaultServer, size: int
) -> None:
    used: set[int] = set()

    async def play(connection: Connection, received: Received) -> None:
        used.add(connection.number)
        if received.method == "HEAD":
            await connection.send(answer(b"", status="405 Method Not Allowed"))
            return
        for _ in range(2):
            await connection.send(answer(b"x" * size))
            await connection.read_head()

    async with ScriptedServer(play) as server, HTTPClient(pool=pool) as client:
        await pool.warm_up([server.url()])
        assert len((await client.get(server.url())).unwrap().body) == size
        assert len(used) == 2  # that of the HEAD, which the server closes, and that of the page


async def test_a_warm_connection_is_used_by_the_first_request(
    pool: ConnectionPool, faults: FaultServer, echo: EchoServer
) -> None:
    await pool.warm_up([faults.url(), echo.url("/status/405")])
    assert [seen.method for seen in faults.received] == ["HEAD"]
    async with HTTPClient(pool=pool) as client:
        await client.get(faults.url())
    assert faults.received[0].connection == faults.received[1].connection


async def test_warming_up_ends_within_the_timeout_of_the_pool(faults: FaultServer) -> None:
    loop = asyncio.get_running_loop()
    async with ConnectionPool(timeout=0.3) as pool:
        began = loop.time()  # counts what the loop waits, not what the machine takes
        await pool.warm_up([faults.url("/stall-before-head")] * 100)
        assert loop.time() - began < 10.0, "one after the other, they would take 30 s"
    async with ConnectionPool(timeout=None) as pool:
        await pool.warm_up([faults.url()])


async def test_head_and_get_share_the_timeout_of_the_pool(faults: FaultServer) -> None:
    loop = asyncio.get_running_loop()
    async with ConnectionPool(timeout=0.4) as pool:
        began = loop.time()  # as above
        await pool.warm_up([faults.url("/stall-before-head")])
        assert loop.time() - began < 0.7
    assert [seen.method for seen in faults.received] == ["HEAD", "GET"]


async def test_all_urls_are_warmed_at_the_same_time(pool: ConnectionPool) -> None:
    waiting = 0
    all_here = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 4:
            all_here.set()
        await all_here.wait()
        await connection.send(answer(b""))
        await connection.until_gone()

    async with ScriptedServer(play) as server:
        async with asyncio.timeout(60):
            await pool.warm_up([server.url(f"/{number}") for number in range(4)])
    assert waiting == 4


async def test_what_cannot_be_warmed_is_ignored(pool: ConnectionPool) -> None:
    await pool.warm_up(["", "nowhere", "ftp://h/", "http://127.0.0.1:1/", "http://[::1"])


# -- one vocabulary --------------------------------------------------------------------------------


def test_both_clients_and_the_config_take_the_same_words() -> None:
    assert HTTPClient(timeout=5).config.timeout == 5
    assert HTTPClient(HTTPClientConfig(timeout=7), timeout=None).config.timeout is None
    config = HTTPClientConfig(max_connections=5, keepalive_timeout=1.0, timeout=3)
    assert config.pool == ConnectionPoolConfig(max_connections=5, keepalive_timeout=1.0, timeout=3)
    pool = ConnectionPoolConfig(max_connections=3, force_close=True)
    assert HTTPClientConfig(pool, max_connections=5).pool.max_connections == 5
    assert HTTPClientConfig(pool, max_connections=5).pool.force_close
    with pytest.raises(HTTPValidationError, match=r"^max_connections: "):
        HTTPClientConfig(max_connections=0)
    with pytest.raises(TypeError, match="'max_conections'"):
        HTTPClientConfig(max_conections=5)  # type: ignore[call-arg]  # wrong on purpose


async def test_a_client_may_be_closed_by_either_word(faults: FaultServer) -> None:
    client = HTTPClient()
    await client.start()
    await client.close()
    assert not client.pool.is_started()


async def test_a_trace_of_the_session_sees_how_long_a_request_waits_for_a_connection() -> None:
    async def note(name: str) -> None:
        seen.append(name)

    async def unfinished(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 9"))
        await connection.until_gone()

    seen = list[str]()
    trace = aiohttp.TraceConfig()
    trace.on_connection_queued_start.append(lambda *_: note("waits"))
    trace.on_connection_queued_end.append(lambda *_: note("waited"))
    trace.freeze()
    async with (
        ScriptedServer(unfinished, sends(answer(b"ok"))) as server,
        ConnectionPool(max_connections=1, timeout=60.0, trust_env=False) as pool,
    ):
        pool.session.trace_configs.append(trace)
        async with pool.session.get(server.url()):
            assert seen == []
            waiting = asyncio.ensure_future(pool.session.get(server.url()))
            await until(lambda: pool.gauges.waiting)
            assert seen == ["waits"]
        async with await waiting as response:
            assert await response.read() == b"ok"
        assert seen == ["waits", "waited"]


async def test_requests_of_the_session_leave_places_to_other_hosts(
    faults: FaultServer, echo: EchoServer
) -> None:
    settings = ConnectionPoolConfig(5, max_connections_per_host=5, timeout=60.0)
    async with ConnectionPool.from_config(settings, trust_env=False) as pool:
        async with pool.session.get(echo.url()) as response:
            await response.read()
        url = faults.url("/stall-before-head")
        stalled = [asyncio.ensure_future(pool.session.get(url)) for _ in range(6)]
        await until(lambda: len(faults.received) == 4)
        await asyncio.sleep(0.02)
        assert len(faults.received) == 4
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


async def test_requests_of_the_session_that_wait_use_the_connection_that_comes_free(
    faults: FaultServer,
) -> None:
    async def read(session: aiohttp.ClientSession) -> bytes:
        async with session.get(faults.url()) as response:
            return await response.read()

    async with ConnectionPool(max_connections=1, timeout=60.0, trust_env=False) as pool:
        assert await asyncio.gather(*(read(pool.session) for _ in range(4))) == [b"ok"] * 4
        assert pool.gauges == (1, 1, 0, 1)
    assert {seen.connection for seen in faults.received} == {1}
