"""The pool: start and stop, limits, the TLS context, and idle connections."""

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import aiohttp
import pytest
from tests.patience import until
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.listener import unanswered_port
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HttpResponse,
    HTTPValidationError,
    RequestContext,
    RequestOptions,
)
from railhttp.resilience import RetryPolicy
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.tls import shared_context

T = TypeVar("T")


def client_of(pool: ConnectionPool) -> HTTPClient:
    return HTTPClient(HTTPClientConfig(timeout=5.0), pool)


def pool_of(**settings: int | bool | float) -> ConnectionPool:
    config = ConnectionPoolConfig(**settings)  # type: ignore[arg-type]  # a test names what it needs
    return ConnectionPool.from_config(config, trust_env=False)


# --- start and stop


async def test_a_pool_starts_stops_and_starts_again(faults: FaultServer) -> None:
    pool = pool_of()
    async with nothing_left():
        for _ in range(2):
            assert not pool.is_started()
            await pool.start()
            session = pool.session
            await pool.start()
            assert (pool.is_started(), pool.session) == (True, session)
            assert (await client_of(pool).get(faults.url())).unwrap().body == b"ok"
            await pool.stop()
            await pool.stop()


async def test_a_client_starts_stops_and_starts_again(faults: FaultServer) -> None:
    client = client_of(pool_of())
    async with nothing_left():
        for _ in range(2):
            failure = (await client.get(faults.url())).failure()
            assert (failure.label, failure.delivery) == ("closed", Delivery.NOT_SENT)
            assert (failure.method, failure.url) == ("GET", faults.url())
            await client.start()
            await client.start()
            assert (await client.get(faults.url())).unwrap().body == b"ok"
            await client.stop()
            await client.stop()


def test_a_pool_that_outlived_its_event_loop_is_closed_until_it_is_started_again() -> None:
    pool = pool_of()

    async def use() -> None:
        failure = (await client_of(pool).get("http://127.0.0.1:1/")).failure()
        assert (failure.label, failure.attempts) == ("closed", 0)
        assert "another event loop" in failure.message
        await pool.stop()
        await pool.start()
        assert not pool.session.closed
        await pool.stop()

    asyncio.run(pool.start())
    asyncio.run(use())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the loop
def test_a_client_is_stopped_although_its_event_loop_was_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = client_of(pool_of())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        ended.append(await reader.read())
        writer.close()

    async def use() -> None:
        await client.start()
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await client.get(url)).unwrap().body == b"ok"

    ended: list[bytes] = []
    with asyncio.Runner() as runner:
        server = runner.run(asyncio.start_server(serve, "127.0.0.1", 0))
        thread = threading.Thread(target=lambda: asyncio.run(use()))
        thread.start()
        runner.run(asyncio.to_thread(thread.join))
        runner.run(client.stop())
        runner.run(until(lambda: ended))
        server.close()
    assert not client.pool.is_started()
    gc.collect()
    assert "Unclosed" not in caplog.text


async def on_another_loop(call: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine on a loop in another thread, while this one runs too."""
    return await asyncio.to_thread(lambda: asyncio.run(call()))


async def test_a_client_serves_only_the_event_loop_on_which_it_was_started(
    faults: FaultServer,
) -> None:
    async with nothing_left(), client_of(pool_of()) as client:
        await in_parallel(client, faults.url(), 1)
        failure = (await on_another_loop(lambda: client.get(faults.url()))).failure()
        assert (failure.label, failure.delivery) == ("closed", Delivery.NOT_SENT)
        assert "the client was started on another event loop" in failure.message
        assert idle_connections(client.pool) == 1
        await in_parallel(client, faults.url(), 1)
    assert [seen.connection for seen in faults.received] == [1, 1]


async def test_a_stopped_client_may_be_started_on_another_event_loop(faults: FaultServer) -> None:
    client = client_of(pool_of())

    async def use() -> None:
        async with client:
            await in_parallel(client, faults.url(), 1)

    await use()
    await on_another_loop(use)
    await use()
    assert [seen.connection for seen in faults.received] == [1, 2, 3]


async def test_a_pool_cannot_be_started_on_two_event_loops_at_once() -> None:
    async with pool_of() as pool:
        for call in (pool.start, lambda: pool.warm_up([])):
            with pytest.raises(HTTPConnectionError, match="another event loop") as caught:
                await on_another_loop(call)
            assert caught.value.delivery is Delivery.NOT_SENT


def test_between_two_runs_of_its_event_loop_a_pool_still_has_its_session() -> None:
    pool = pool_of()
    with asyncio.Runner() as runner:
        runner.run(pool.start())
        assert not pool.session.closed
        runner.run(pool.stop())


async def test_a_pool_that_is_not_started_has_no_session() -> None:
    with pytest.raises(HTTPConnectionError, match="closed, not sent"):
        pool_of().session  # noqa: B018  # reading it is the test
    with pytest.raises(HTTPConnectionError, match="closed, not sent"):
        await pool_of().warm_up([])


async def test_a_new_pool_takes_over_and_the_old_one_stops_with_the_client(
    faults: FaultServer,
) -> None:
    old, new = pool_of(), pool_of()
    async with nothing_left(), client_of(old) as client:
        assert client.pool is old
        client.pool = new
        await client.start()
        assert (await client.get(faults.url())).unwrap().body == b"ok"
        await client.stop()
        assert not old.is_started()
        assert not new.is_started()


class Stopping:
    """An interceptor that stops the client during a call."""

    def __init__(self) -> None:
        self.stop: Callable[[], Awaitable[None]]

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        await self.stop()
        return response


async def test_a_call_that_stops_its_own_client_ends_and_every_pool_closes(
    faults: FaultServer,
) -> None:
    old, new, stopping = pool_of(), pool_of(), Stopping()
    client = HTTPClient(pool=old, interceptors=[stopping])
    stopping.stop = client.stop
    async with nothing_left():
        await client.start()
        client.pool = new
        await client.start()
        failure = (await client.get(faults.url(), attempt_timeout=1.0)).failure()
        assert (failure.label, failure.delivery) == ("closed", Delivery.ANSWERED)
        await until(lambda: not (old.is_started() or new.is_started()))


async def test_a_stop_that_is_cancelled_closes_every_pool_nevertheless(faults: FaultServer) -> None:
    old, new = pool_of(), pool_of()
    client = client_of(old)
    async with nothing_left():
        for pool in (old, new):
            client.pool = pool
            await client.start()
            (await client.get(faults.url())).unwrap()
        stop = asyncio.ensure_future(client.stop())
        await asyncio.sleep(0)
        stop.cancel()
        await asyncio.wait([stop])
        await until(lambda: not (old.is_started() or new.is_started()))


@pytest.mark.parametrize("moment", ["/stall-before-head", "/stall-in-body"])
async def test_stopping_ends_the_calls_under_way(faults: FaultServer, moment: str) -> None:
    async with nothing_left():
        async with client_of(pool_of()) as client:
            calls = [
                asyncio.create_task(client.get(faults.url(moment), read_timeout=4.0))
                for _ in range(3)
            ]
            await until(lambda: len(faults.received) == 3)
            await client.stop()
            failures: list[HTTPFailure] = [(await call).failure() for call in calls]
            assert {failure.label for failure in failures} == {"closed"}
        await until(lambda: faults.connections == 0)


async def test_a_call_that_is_cancelled_while_its_pool_stops_is_cancelled(
    faults: FaultServer,
) -> None:
    async with client_of(pool_of()) as client:
        call = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        session = client.pool.session
        stopping = asyncio.create_task(client.pool.stop())
        while not session.closed:  # noqa: ASYNC110  # the call must not run in between
            await asyncio.sleep(0)
        assert not call.done()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await stopping


@pytest.mark.parametrize("moment", ["/stall-before-head", "/stall-in-body", "/stalled-upload"])
async def test_a_pool_that_somebody_else_stops_ends_the_calls_under_way(moment: str) -> None:
    async with nothing_left(), FaultServer() as faults, client_of(pool_of()) as client:
        calls = [
            asyncio.create_task(client.put(faults.url(moment), data=bytes(8_000_000)))
            for _ in range(2)
        ]
        await until(lambda: len(faults.received) == 2)
        await asyncio.sleep(0.02)
        await client.pool.stop()
        async with asyncio.timeout(1.0):
            failures: list[HTTPFailure] = [(await call).failure() for call in calls]
        assert {failure.label for failure in failures} == {"closed"}


async def test_a_pool_that_somebody_else_stops_ends_a_connecting_call() -> None:
    async with client_of(pool_of(max_connections=1)) as client:
        with unanswered_port() as port:
            urls = [f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/queued"]
            calls = [asyncio.create_task(client.get(url)) for url in urls]
            await asyncio.sleep(0.02)
            await client.pool.stop()
            async with asyncio.timeout(1.0):
                assert (await calls[1]).failure().label == "closed"
            calls[0].cancel()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_connections", 0),
        ("max_connections_per_host", -1),
        ("max_keepalive_connections", -1),
        ("ttl_dns_cache", True),
        ("timeout", float("nan")),
        ("keepalive_timeout", 0),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        pool_of(**{setting: value})
    assert caught.value.field == setting


# --- connections


def idle_connections(pool: ConnectionPool) -> int:
    connector = pool.session.connector
    assert connector is not None
    return sum(map(len, connector._conns.values()))


async def in_parallel(client: HTTPClient, url: str, count: int) -> None:
    for result in await asyncio.gather(*(client.get(url) for _ in range(count))):
        assert result.unwrap().body == b"ok"


@pytest.mark.parametrize("limit", [0, 1, 3])
async def test_idle_connections_beyond_the_limit_are_closed_after_a_while(
    faults: FaultServer, limit: int
) -> None:
    pool = pool_of(max_keepalive_connections=limit)
    async with nothing_left(), client_of(pool) as client:
        for _ in range(3 if limit else 1):
            await in_parallel(client, faults.url("/slow-answer"), 8)
        assert len({seen.connection for seen in faults.received}) == 8
        assert idle_connections(pool) == (8 if limit else 0)
        await until(lambda: faults.connections == limit)
        assert idle_connections(pool) == limit


@pytest.mark.parametrize("setting", ["max_connections", "max_connections_per_host"])
async def test_there_are_never_more_connections_than_allowed(
    faults: FaultServer, setting: str
) -> None:
    async with client_of(pool_of(**{setting: 2})) as client:
        await in_parallel(client, faults.url("/slow-answer", interval=0.002), 9)
    assert {seen.connection for seen in faults.received} == {1, 2}


@pytest.mark.parametrize("workers", [3, 4, 7])
async def test_whoever_waits_for_a_connection_has_a_turn(faults: FaultServer, workers: int) -> None:
    url = faults.url("/slow-answer", interval=0.001)
    answered = [0] * workers

    async def work(worker: int) -> None:
        while max(answered) < 20:
            (await client.get(url)).unwrap()
            answered[worker] += 1

    async with client_of(pool_of(max_connections=2)) as client:
        await asyncio.gather(*map(work, range(workers)))
    assert min(answered) > 15
    assert {seen.connection for seen in faults.received} == {1, 2}


async def test_whoever_waits_for_a_connection_to_another_host_has_a_turn(
    faults: FaultServer, echo: EchoServer
) -> None:
    answered = {faults.url(): 0, echo.url(): 0}

    async def work(url: str) -> None:
        while max(answered.values()) < 60:
            (await client.get(url)).unwrap()
            answered[url] += 1

    async with client_of(pool_of(max_connections=1)) as client:
        await asyncio.gather(work(faults.url()), work(faults.url()), work(echo.url()))
    assert answered[echo.url()] > 25


@pytest.mark.parametrize("setting", ["max_connections", "max_connections_per_host"])
async def test_a_turn_that_is_not_taken_goes_to_the_next(faults: FaultServer, setting: str) -> None:
    async with client_of(pool_of(**{setting: 1})) as client:

        async def finish_and_cancel() -> None:
            await client.get(faults.url("/slow-answer"))
            woken.cancel()

        first = asyncio.create_task(finish_and_cancel())
        await until(lambda: faults.received)
        woken = asyncio.create_task(client.get(faults.url()))
        await asyncio.sleep(0)
        after = asyncio.create_task(client.get(faults.url()))
        await first
        assert (await after).unwrap().body == b"ok"
        assert woken.cancelled()


async def test_connections_are_used_again(faults: FaultServer) -> None:
    async with client_of(pool_of()) as client:
        for _ in range(5):
            await in_parallel(client, faults.url(), 1)
    assert {seen.connection for seen in faults.received} == {1}


async def test_connections_can_be_closed_after_each_request(faults: FaultServer) -> None:
    async with client_of(pool_of(force_close=True)) as client:
        for _ in range(3):
            await in_parallel(client, faults.url(), 1)
        async with client.pool.session.get(faults.url()):
            pass
    assert {seen.connection for seen in faults.received} == {1, 2, 3, 4}
    assert {seen.header("connection").lower() for seen in faults.received} == {"close"}


async def test_idle_connections_are_closed_in_time(faults: FaultServer) -> None:
    async with client_of(pool_of(keepalive_timeout=0.02)) as client:
        await in_parallel(client, faults.url(), 1)
        async with asyncio.timeout(10):  # aiohttp alone would close it after 15 seconds
            await until(lambda: faults.connections == 0)


async def test_a_pool_that_is_not_started_counts_no_connections() -> None:
    pool = pool_of(max_connections=7)
    assert pool.gauges == (0, 0, 0, 7)
    async with pool:
        assert pool.gauges == (0, 0, 0, 7)
    assert pool.gauges == (0, 0, 0, 7)


async def test_the_warmed_up_connection_is_there(faults: FaultServer) -> None:
    pool = pool_of()
    async with nothing_left(), client_of(pool) as client:
        nowhere = ["http://127.0.0.1:1/", "no url", "http://nowhere.invalid/"]
        await pool.warm_up([faults.url(), *nowhere])
        assert idle_connections(pool) == 1
        await in_parallel(client, faults.url(), 1)
    assert [(seen.method, seen.connection) for seen in faults.received] == [("HEAD", 1), ("GET", 1)]


async def test_a_host_that_has_no_head_is_warmed_up_by_get(echo: EchoServer) -> None:
    async with pool_of() as pool:
        await pool.warm_up([echo.url("/status/405")])
        assert idle_connections(pool) == 1


@pytest.mark.parametrize(("seconds", "lookups"), [(300, 1), (0, 2)])
async def test_a_name_is_remembered(faults: FaultServer, seconds: int, lookups: int) -> None:
    pool = pool_of(ttl_dns_cache=seconds, force_close=True)
    with patch.object(socket, "getaddrinfo", wraps=socket.getaddrinfo) as resolver:
        async with client_of(pool) as client:
            for _ in range(2):
                await in_parallel(client, faults.url(host="localhost"), 1)
    asked = [call for call in resolver.call_args_list if call.args[0] == "localhost"]
    assert len(asked) == lookups


# --- default header fields, credentials and cookies


async def test_no_credentials_of_a_netrc_are_sent(
    faults: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with HTTPClient(HTTPClientConfig(trust_env=True)) as client:
        await in_parallel(client, faults.url(), 1)
    assert faults.received[0].all("authorization") == []


async def test_what_every_request_says(faults: FaultServer) -> None:
    async with client_of(pool_of()) as client:
        await in_parallel(client, faults.url(), 1)
    names = [name for name, _ in faults.received[0].headers]
    assert sorted(names) == ["Accept", "Accept-Encoding", "Host", "User-Agent"]
    assert faults.received[0].header("user-agent").startswith("railhttp/")
    assert "gzip" in faults.received[0].header("accept-encoding")


async def test_the_fields_of_the_session_are_those_of_its_requests(faults: FaultServer) -> None:
    async with client_of(pool_of()) as client:
        await in_parallel(client, faults.url(), 1)
        client.pool.session.headers["X-Team"] = "shop"
        await in_parallel(client, faults.url(), 1)
        client.pool.session.headers["X-Team"] = "a\r\nX-Evil: 1"
        failure = (await client.get(faults.url())).failure()
    assert [seen.all("x-team") for seen in faults.received] == [[], ["shop"]]
    assert (failure.label, failure.delivery) == ("headers", Delivery.NOT_SENT)


async def test_the_session_may_ask_for_codings_of_its_own(faults: FaultServer) -> None:
    async with client_of(pool_of()) as client:
        client.pool.session.headers["Accept-Encoding"] = "identity"
        await in_parallel(client, faults.url(), 1)
    assert [seen.all("accept-encoding") for seen in faults.received] == [["identity"]]


# --- TLS


async def test_a_context_is_made_once_a_process() -> None:
    shared_context.cache_clear()
    with patch.object(ssl, "create_default_context", wraps=ssl.create_default_context) as make:
        for verify in (True, True, False, False):
            async with pool_of(verify_ssl=verify):
                pass
    assert make.call_count == 2  # one that verifies, one that does not


@pytest.mark.parametrize("server", ["trusted", "untrusted", "wrong_host", "expired"])
async def test_verification_can_be_switched_off(tls: TlsContexts, server: str) -> None:
    context: ssl.SSLContext = getattr(tls, server)
    async with FaultServer(ssl_context=context) as faults:
        async with client_of(pool_of(verify_ssl=False)) as client:
            await in_parallel(client, faults.url(), 1)
        async with client_of(pool_of()) as client:
            assert (await client.get(faults.url())).failure().label == "tls"
            unverified = await client.get(faults.url(), ssl_context=False)
            assert unverified.unwrap().body == b"ok"
            assert (await client.get(faults.url(), ssl_context=True)).failure().label == "tls"


@pytest.mark.parametrize("words_of_aiohttp", [RequestOptions(), RequestOptions(max_headers=50)])
async def test_a_connection_that_was_not_verified_serves_no_call_that_verifies(
    tls: TlsContexts, words_of_aiohttp: RequestOptions
) -> None:
    async with (
        FaultServer(ssl_context=tls.untrusted) as faults,
        client_of(pool_of()) as client,
    ):
        unverified: RequestOptions = {**words_of_aiohttp, "ssl_context": False}
        for _ in range(2):
            assert (await client.get(faults.url(), **unverified)).unwrap().body == b"ok"
        assert (await client.get(faults.url(), **words_of_aiohttp)).failure().label == "tls"
        assert {seen.connection for seen in faults.received} == {1}


async def test_a_context_of_ones_own(tls: TlsContexts) -> None:
    async with FaultServer(ssl_context=tls.mutual_1_3) as faults:
        async with client_of(ConnectionPool(ssl_context=tls.client_with_certificate)) as client:
            await in_parallel(client, faults.url(), 1)
        async with client_of(pool_of()) as client:
            result = await client.get(faults.url(), ssl_context=tls.client_with_certificate)
            assert result.unwrap().body == b"ok"


async def test_a_pinned_certificate(tls: TlsContexts) -> None:
    async with FaultServer(ssl_context=tls.trusted) as faults, client_of(pool_of()) as client:
        connector = client.pool.session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        connector._ssl = aiohttp.Fingerprint(tls.fingerprint)
        await in_parallel(client, faults.url(), 1)
        connector._ssl = aiohttp.Fingerprint(bytes(32))
        await in_parallel(client, faults.url(), 1)  # on the existing connection
        await until(lambda: idle_connections(client.pool) == 1)
        failure = (await client.get(faults.url("/ok", host="localhost"))).failure()
        assert (failure.label, failure.delivery) == ("tls", Delivery.NOT_SENT)


async def test_a_pool_that_ran_before_its_client_is_left_running(echo: EchoServer) -> None:
    async with ConnectionPool(trust_env=False) as pool:
        async with HTTPClient(pool=pool), HTTPClient(pool=pool) as another:
            await another.stop()
            assert pool.is_started()
        assert pool.is_started()
        assert (await another.get(echo.url())).failure().label == "closed"
    assert not pool.is_started()


async def test_a_pool_that_a_client_started_is_stopped_with_its_last_client(
    echo: EchoServer,
) -> None:
    pool = ConnectionPool(trust_env=False)
    first, second = HTTPClient(pool=pool), HTTPClient(HTTPClientConfig(trust_env=False))
    second.pool = pool
    await first.start()
    await second.start()
    await first.stop()
    assert (await second.get(echo.url())).unwrap().ok
    await second.stop()
    assert not pool.is_started()


async def test_a_stopped_client_can_be_started_again_on_a_running_pool(echo: EchoServer) -> None:
    async with ConnectionPool(trust_env=False) as pool:
        client = HTTPClient(pool=pool)
        await client.start()
        await client.stop()
        await client.start()
        assert (await client.get(echo.url())).unwrap().ok
        await client.stop()


async def test_a_connection_that_is_lost_before_its_request_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch, faults: FaultServer
) -> None:
    config = HTTPClientConfig(max_connections=1, trust_env=False)
    async with HTTPClient(config, retry_policy=RetryPolicy(1, reraise=True)) as client:
        with monkeypatch.context() as patched:

            def lost(*_: object) -> object:
                raise aiohttp.ClientConnectionError("the connection is closed")

            patched.setattr(StrictResponseHandler, "expect", lost)
            assert (await client.get(faults.url())).failure().label == "disconnected"
        assert client.pool.gauges.open == 0
        assert (await client.get(faults.url(), timeout=30)).unwrap().ok
