"""One request on a real socket: every way it can fail, and what the server saw of it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.listener import refused_port, unanswered_port
from tests.servers.proxy import ProxyServer
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPTimeoutError,
    RequestOptions,
    RetryPolicy,
)

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
CONFIG: Final = HTTPClientConfig(timeout=5.0, trust_env=False)
IDEMPOTENT: Final = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(CONFIG, retry_policy=ONCE) as client:
        yield client


def summary(failure: HTTPFailure) -> tuple[type[HTTPFailure], str, Delivery]:
    """Return what identifies a failure, after a check that its cause is an OSError at most."""
    assert not isinstance(failure.__cause__, aiohttp.ClientError)
    assert failure.__cause__ is None or isinstance(failure.__cause__, OSError)
    return type(failure), failure.label, failure.delivery


def limit_of(failure: HTTPFailure) -> float | None:
    assert isinstance(failure, HTTPTimeoutError)
    return failure.limit


# --- aiohttp's own second send


@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize(
    "path", ["/close-before-head", "/reset-before-head", "/close-in-head", "/reset-in-head"]
)
async def test_a_dropped_request_is_sent_only_once(
    client: HTTPClient, faults: FaultServer, method: str, path: str
) -> None:
    with pytest.raises(HTTPConnectionError) as caught:
        await client.request(method, faults.url(path))
    assert summary(caught.value) == (HTTPConnectionError, "disconnected", Delivery.MAYBE_SENT)
    assert [(seen.method, seen.path) for seen in faults.received] == [(method, path)]


@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize("path", ["/close-on-next", "/reset-on-next"])
async def test_a_request_on_a_dying_connection_is_sent_only_once(
    client: HTTPClient, faults: FaultServer, method: str, path: str
) -> None:
    await client.request("GET", faults.url(path))
    with pytest.raises(HTTPConnectionError, match="disconnected, maybe sent"):
        await client.request(method, faults.url("/ok"))
    assert faults.connections == 0 or len({seen.connection for seen in faults.received}) == 1
    assert [seen.path for seen in faults.received].count("/ok") <= 1


async def test_the_retry_policy_is_the_one_that_sends_twice(faults: FaultServer) -> None:
    policy = RetryPolicy(max_attempts=3, base_delay=0.001, reraise=True)
    async with nothing_left(), HTTPClient(CONFIG, retry_policy=policy) as client:
        failure = (await client.get(faults.url("/close-before-head"))).failure()
        assert failure.attempts == len(faults.received) == 3
        failure = (await client.post(faults.url("/close-before-head"))).failure()
        assert (failure.attempts, len(faults.received)) == (1, 4)


# --- before the connection is made: nothing was sent


async def test_a_refused_port(client: HTTPClient) -> None:
    with refused_port() as port:
        failure = (await client.get(f"http://127.0.0.1:{port}/")).failure()
    assert summary(failure) == (HTTPConnectionError, "connect", Delivery.NOT_SENT)
    assert isinstance(failure.__cause__, ConnectionRefusedError)
    # asyncio: "Connect call failed"; the loop of uvloop: "Connection refused".
    assert failure.message.startswith("cannot connect: Connect")


async def test_a_host_that_nobody_knows(client: HTTPClient) -> None:
    failure = (await client.get("http://nowhere.invalid/")).failure()
    assert summary(failure) == (HTTPConnectionError, "dns", Delivery.NOT_SENT)


class Resolver(AbstractResolver):
    """Returns no addresses, or raises an error."""

    def __init__(self, answer: Exception | None) -> None:
        self._answer = answer

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._answer is not None:
            raise self._answer
        return []

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "failure_class", "label"),
    [
        (None, HTTPConnectionError, "dns"),
        (socket.gaierror(-2, "Name or service not known"), HTTPConnectionError, "dns"),
        (UnicodeError("label too long"), HTTPInvalidRequestError, "url"),
        (KeyError("a resolver's bug"), HTTPInterceptorError, "interceptor"),
    ],
)
async def test_what_a_resolver_does(
    client: HTTPClient, answer: Exception | None, failure_class: type[HTTPFailure], label: str
) -> None:
    connector = client.pool.session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    await connector._resolver.close()
    connector._resolver = Resolver(answer)
    failure = (await client.get("http://somewhere.example/")).failure()
    assert summary(failure) == (failure_class, label, Delivery.NOT_SENT)


async def test_a_connection_that_is_never_made(client: HTTPClient) -> None:
    with unanswered_port() as port:
        url = f"http://127.0.0.1:{port}/"
        failure = (await client.get(url, connect_timeout=0.05)).failure()
        assert summary(failure) == (HTTPTimeoutError, "connect", Delivery.NOT_SENT)
        assert limit_of(failure) == 0.05
        failure = (await client.get(url, timeout=0.05)).failure()
        assert summary(failure) == (HTTPTimeoutError, "total", Delivery.NOT_SENT)


async def test_a_place_in_the_pool_that_never_comes_free(faults: FaultServer) -> None:
    config = HTTPClientConfig(trust_env=False, max_response_bytes=2**20)
    async with nothing_left(), HTTPClient(config, retry_policy=ONCE) as client:
        busy = [
            asyncio.create_task(client.get(faults.url("/stall-before-head")))
            for _ in range(config.pool.max_connections)
        ]
        await until(lambda: len(faults.received) == len(busy))
        failure = (await client.get(faults.url("/ok"), connect_timeout=0.05)).failure()
        assert summary(failure) == (HTTPTimeoutError, "pool", Delivery.NOT_SENT)
        assert limit_of(failure) == 0.05
        late = (await client.get(faults.url("/ok"), timeout=0.05)).failure()
        assert summary(late) == (HTTPTimeoutError, "total", Delivery.NOT_SENT)
        place = f"127.0.0.1:{faults.port}"
        reason = f"in the pool: its limit is 10 (`max_connections`); held: 10 by {place}"
        assert reason in str(failure)
        assert f"not done within 0.05s: no free connection {reason}" in str(late)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        assert (await client.get(faults.url("/ok"))).unwrap().body == b"ok"


@pytest.mark.parametrize("behaviour", ["close", "reset"])
async def test_a_connection_that_ends_before_a_byte_was_read(
    client: HTTPClient, behaviour: str
) -> None:
    async with FaultServer(on_accept="close" if behaviour == "close" else "reset") as server:
        failure = (await client.get(server.url())).failure()
    assert summary(failure)[:2] == (HTTPConnectionError, "disconnected")


# --- TLS


@pytest.mark.parametrize(
    ("server", "ours", "label", "delivery"),
    [
        ("untrusted", "client", "tls", Delivery.NOT_SENT),
        ("wrong_host", "client", "tls", Delivery.NOT_SENT),
        ("expired", "client", "tls", Delivery.NOT_SENT),
        ("at_most_1_2", "client_at_least_1_3", "tls", Delivery.NOT_SENT),
        ("mutual_1_2", "client", "tls", Delivery.NOT_SENT),
        ("mutual_1_3", "client", "tls", Delivery.MAYBE_SENT),
    ],
)
async def test_a_handshake_that_fails(
    client: HTTPClient, tls: TlsContexts, server: str, ours: str, label: str, delivery: Delivery
) -> None:
    context: ssl.SSLContext = getattr(tls, server)
    async with FaultServer(ssl_context=context) as fault_server:
        result = await client.get(fault_server.url(), ssl_context=getattr(tls, ours))
        assert fault_server.received == []
    assert summary(result.failure()) == (HTTPConnectionError, label, delivery)


async def test_a_plain_server_on_a_tls_port(
    client: HTTPClient, faults: FaultServer, tls: TlsContexts
) -> None:
    url = faults.url(scheme="https")
    failure = (await client.get(url, ssl_context=tls.client)).failure()
    assert summary(failure) == (HTTPConnectionError, "tls", Delivery.NOT_SENT)


async def test_an_alert_in_the_handshake(client: HTTPClient, tls: TlsContexts) -> None:
    async with FaultServer(on_accept="alert") as server:
        url = server.url(scheme="https")
        failure = (await client.get(url, ssl_context=tls.client)).failure()
    assert summary(failure) == (HTTPConnectionError, "tls", Delivery.NOT_SENT)


async def test_a_handshake_that_nobody_answers(client: HTTPClient, tls: TlsContexts) -> None:
    options = RequestOptions(ssl_context=tls.client, connect_timeout=0.05)
    async with FaultServer(on_accept="stall") as server:
        failure = (await client.get(server.url(scheme="https"), **options)).failure()
    assert summary(failure) == (HTTPTimeoutError, "connect", Delivery.NOT_SENT)


# --- the proxy


async def test_a_proxy_that_is_not_there(client: HTTPClient, faults: FaultServer) -> None:
    with refused_port() as port:
        proxy = f"http://127.0.0.1:{port}"
        failure = (await client.get(faults.url(), proxy=proxy)).failure()
    assert summary(failure) == (HTTPConnectionError, "proxy", Delivery.NOT_SENT)


@pytest.mark.parametrize("answer", [b"nonsense", b"\r\n", b"HTTP/1.1 503 Busy\r\n\r\n"])
async def test_a_proxy_that_opens_no_tunnel(
    client: HTTPClient, faults: FaultServer, tls: TlsContexts, answer: bytes
) -> None:
    async with ProxyServer(connect_answer=answer) as proxy:
        url = faults.url(scheme="https")
        result = await client.get(url, proxy=proxy.url(), ssl_context=tls.client)
        assert [seen.method for seen in proxy.received] == ["CONNECT"]
    assert summary(result.failure()) == (HTTPConnectionError, "proxy", Delivery.NOT_SENT)
    assert faults.received == []


# --- the response


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/short-body", "truncated"),
        ("/reset-in-body", "truncated"),
        ("/reset-in-chunks", "truncated"),
        ("/reset-in-endless-body", "truncated"),
        ("/gzip-truncated", "truncated"),
        ("/bad-chunk-in-body", "protocol"),
        ("/bad-chunk-then-close", "protocol"),
    ],
)
async def test_a_body_that_breaks_is_never_taken_for_whole(
    client: HTTPClient, faults: FaultServer, path: str, kind: str
) -> None:
    failure = (await client.get(faults.url(path), timeout=None)).failure()
    assert summary(failure) == (HTTPConnectionError, kind, Delivery.ANSWERED)


@pytest.mark.parametrize("path", ["/reset-in-body", "/reset-in-endless-body", "/bad-chunk-in-body"])
async def test_a_body_that_breaks_over_tls_is_never_taken_for_whole(
    client: HTTPClient, tls: TlsContexts, path: str
) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server:
        result = await client.get(server.url(path), ssl_context=tls.client)
    assert result.failure().label in {"truncated", "protocol"}


@pytest.mark.parametrize(
    ("path", "delivery"),
    [
        ("/malformed-status-line", Delivery.MAYBE_SENT),
        ("/garbage", Delivery.MAYBE_SENT),
        ("/bad-chunk-size", Delivery.ANSWERED),  # its head is good, whatever comes with it
    ],
)
async def test_a_malformed_answer_is_no_status_400(
    client: HTTPClient, faults: FaultServer, path: str, delivery: Delivery
) -> None:
    failure = (await client.get(faults.url(path))).failure()
    assert summary(failure) == (HTTPConnectionError, "protocol", delivery)


@pytest.mark.parametrize(
    "fields",
    [[f"X-Large: {'a' * 60_000}"], [f"X-Field-{number}: {number}" for number in range(200)]],
    ids=["large", "many"],
)
async def test_fields_may_be_larger_and_more_than_aiohttp_takes(
    client: HTTPClient, fields: list[str]
) -> None:
    async with ScriptedServer(sends(answer(b"ok", *fields))) as server:
        response = (await client.get(server.url())).unwrap()
    assert [f"{name}: {value}" for name, value in response.headers.items()][1:] == fields


async def test_a_connection_is_not_kept_after_a_refused_transfer_coding(
    client: HTTPClient,
) -> None:
    chunks = b"3\r\nabc\r\n0\r\n\r\n"

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Transfer-Encoding: gzip, chunked") + chunks)
        await connection.until_gone()

    async with ScriptedServer(play, sends(answer(b"good"))) as server:
        failure = (await client.get(server.url())).failure()
        assert summary(failure) == (HTTPConnectionError, "protocol", Delivery.ANSWERED)
        # At once: as an idle one, the connection would be closed in some seconds anyway.
        assert (await client.get(server.url(), timeout=10.0)).unwrap().body == b"good"


async def test_an_answer_that_nobody_asked_for(client: HTTPClient) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
                await asyncio.sleep(0.01)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for _ in range(3):
            assert (await client.get(url)).unwrap().body == b"mine"
            await asyncio.sleep(0.05)
        assert connections == 3
        await client.stop()


EVIL: Final = answer(b"evil")


@pytest.mark.parametrize(
    ("waits", "pieces"),
    [
        (False, (b"mine", EVIL)),
        (False, (b"mine", EVIL[:30])),
        (False, (b"mine", EVIL[:3])),
        *product(
            (False, True),
            [
                (b"mi", b"ne" + EVIL),
                (b"mine" + EVIL,),
                (b"mine" + EVIL[:30],),
                (b"mine" + EVIL[:3],),
            ],
        ),
    ],
)
async def test_bytes_that_nobody_asked_for_reach_no_other_request(
    waits: bool, pieces: tuple[bytes, ...]
) -> None:
    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 4"))
        for piece in pieces:
            await asyncio.sleep(0.02)
            await connection.send(piece)
        await connection.until_gone()

    config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), timeout=5.0)
    async with (
        ScriptedServer(play, sends(answer(b"good"))) as server,
        HTTPClient(config, retry_policy=ONCE) as client,
    ):
        first = asyncio.create_task(client.get(server.url()))
        if not waits:
            assert (await first).unwrap().body == b"mine"
            await asyncio.sleep(0.05)
        else:
            await until(lambda: server.received)
        assert (await client.get(server.url())).unwrap().body == b"good"
        assert (await first).unwrap().body == b"mine"


async def test_an_unasked_101_leaves_nothing_to_the_next_request(client: HTTPClient) -> None:
    async def switch(connection: Connection, _: Received) -> None:
        await connection.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await connection.read_head()
        await connection.send(answer(b"of the first"))

    async with ScriptedServer(switch, sends(answer(b"of the second"))) as server:
        failure = (await client.get(server.url())).failure()
        assert summary(failure) == (HTTPConnectionError, "protocol", Delivery.ANSWERED)
        assert (await client.get(server.url())).unwrap().body == b"of the second"


@pytest.mark.parametrize(
    ("field", "connections"),
    [
        ("close", {1, 2}),
        ("Keep-Alive, Close", {1, 2}),
        ("keep-alive", {1}),
        ("x-close", {1}),
    ],
)
@pytest.mark.parametrize("by_default", [False, True])
async def test_a_connection_that_the_caller_closes_is_not_used_again(
    client: HTTPClient, by_default: bool, field: str, connections: set[int]
) -> None:
    async def play(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"ok"))
        server.received.append(await connection.read_head())
        await connection.send(answer(b"ok"))

    server = ScriptedServer(play)
    if by_default:
        client.pool.session.headers["Connection"] = field
    headers = {} if by_default else {"connection": field}
    async with server:
        for _ in range(2):
            assert (await client.get(server.url(), headers=headers)).unwrap().body == b"ok"
    assert {seen.connection for seen in server.received} == connections


async def test_a_read_timeout_is_of_its_own_request(client: HTTPClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for pause in (0.0, 0.15):  # both on one connection
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(pause)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await client.get(url, read_timeout=0.05)).unwrap().body == b"ok"
        assert (await client.get(url)).unwrap().body == b"ok"


# --- the upload


async def test_a_connection_is_used_again_after_an_upload(
    client: HTTPClient, faults: FaultServer
) -> None:
    for data in (b"abc", bytes(200_000), [b"ab", b"c"], None):
        assert (await client.put(faults.url(), data=data)).unwrap().body == b"ok"
    assert {seen.connection for seen in faults.received} == {1}


@pytest.mark.parametrize("path", ["/close-in-upload", "/reset-in-upload"])
async def test_an_upload_that_is_cut_off(
    client: HTTPClient, faults: FaultServer, path: str
) -> None:
    failure = (await client.put(faults.url(path), data=bytes(8_000_000))).failure()
    assert summary(failure) == (HTTPConnectionError, "disconnected", Delivery.MAYBE_SENT)
    assert len(faults.received) == 1


async def test_an_answer_that_comes_before_the_upload_is_over(
    client: HTTPClient, faults: FaultServer
) -> None:
    failure = (await client.put(faults.url("/early-413"), data=bytes(8_000_000))).failure()
    assert (failure.label, failure.message) == ("413", "status 413")


@pytest.mark.parametrize("piece", [b"", b"5\r\nhello\r\n"])
async def test_a_body_that_fails_after_the_answer_has_begun(
    client: HTTPClient, piece: bytes
) -> None:
    answered = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"part"
        await answered.wait()
        await asyncio.sleep(0.02)
        raise broken

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Transfer-Encoding: chunked") + piece)
        answered.set()
        await connection.until_gone()
        gone.set()

    broken = KeyError("theirs")
    gone = asyncio.Event()
    async with ScriptedServer(play, reads_body=False) as server:
        failure = (await client.post(server.url(), data=body(), timeout=None)).failure()
        await asyncio.wait_for(gone.wait(), 60.0)
    assert (type(failure), failure.label) == (HTTPInvalidRequestError, "data")
    assert failure.__cause__ is broken


async def test_an_upload_that_nobody_takes(client: HTTPClient, faults: FaultServer) -> None:
    result = await client.put(faults.url("/stalled-upload"), data=bytes(32_000_000), timeout=0.15)
    assert summary(result.failure()) == (HTTPTimeoutError, "total", Delivery.MAYBE_SENT)


async def test_an_expected_100_that_never_comes(client: HTTPClient, faults: FaultServer) -> None:
    options = RequestOptions(headers={"Expect": "100-continue"}, data=b"body", timeout=0.1)
    failure = (await client.put(faults.url("/expect100-never"), **options)).failure()
    assert summary(failure) == (HTTPTimeoutError, "total", Delivery.MAYBE_SENT)


async def test_a_100_that_is_expected_and_comes(client: HTTPClient, echo: EchoServer) -> None:
    options = RequestOptions(headers={"Expect": "100-continue"}, data=b"body")
    answer = (await client.put(echo.url(), **options)).unwrap().json()
    assert isinstance(answer, dict)
    assert answer["body"] == "body"


async def interim_answer_and_silence(connection: Connection, _: Received) -> None:
    await connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    await connection.until_gone()


async def silence(connection: Connection, _: Received) -> None:
    await connection.stop_reading()


@pytest.mark.parametrize(
    ("play", "options"),
    [
        (interim_answer_and_silence, RequestOptions()),
        (interim_answer_and_silence, RequestOptions(data=b"body")),
        (interim_answer_and_silence, RequestOptions(data=[b"in", b"pieces"])),
        (
            interim_answer_and_silence,
            RequestOptions(data=b"body", headers={"Expect": "100-continue"}),
        ),
        (silence, RequestOptions(data=b"body", headers={"Expect": "100-continue"})),
        (silence, RequestOptions(data=bytes(32_000_000))),
        (silence, RequestOptions(data=[bytes(32_000_000)])),
    ],
)
async def test_a_read_timeout_holds_before_the_answer_too(
    client: HTTPClient, play: Play, options: RequestOptions
) -> None:
    async with ScriptedServer(play, reads_body=False) as server:
        async with asyncio.timeout(60.0):
            options |= RequestOptions(timeout=None, read_timeout=0.1)
            failure = (await client.put(server.url(), **options)).failure()
    assert summary(failure) == (HTTPTimeoutError, "read", Delivery.MAYBE_SENT)


async def test_a_read_timeout_holds_while_a_100_is_awaited_for_ever() -> None:
    config = HTTPClientConfig(timeout=60.0, trust_env=False, expect_continue_timeout=None)
    options = RequestOptions(
        data=b"body", headers={"Expect": "100-continue"}, timeout=None, read_timeout=0.1
    )
    async with (
        ScriptedServer(silence, reads_body=False) as server,
        HTTPClient(config, retry_policy=ONCE) as client,
        asyncio.timeout(60.0),
    ):
        failure = (await client.put(server.url(), **options)).failure()
    assert summary(failure) == (HTTPTimeoutError, "read", Delivery.MAYBE_SENT)


async def test_a_caller_who_is_slow_to_send_is_no_silence(client: HTTPClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"a"
            await asyncio.sleep(0.12)

    async def play(connection: Connection, request: Received) -> None:
        await connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await connection.reader.readuntil(b"\r\n0\r\n\r\n")
        await connection.send(answer(b"ok"))

    async with ScriptedServer(play, reads_body=False) as server:
        result = await client.put(server.url(), data=body(), read_timeout=0.1)
    assert result.unwrap().body == b"ok"


async def test_a_caller_may_be_slow_to_send_after_the_server_was_slow_to_read(
    client: HTTPClient,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield bytes(32_000_000)
        await asyncio.sleep(0.3)
        yield b"last"

    async def play(connection: Connection, _: Received) -> None:
        await asyncio.sleep(0.05)  # the client has filled the buffers of the system, and waits
        read = b""
        while not read.endswith(b"last\r\n0\r\n\r\n"):
            read = read[-16:] + await connection.reader.read(1_000_000)
        await connection.send(answer(b"ok"))

    async with ScriptedServer(play, reads_body=False) as server:
        result = await client.put(server.url(), data=body(), timeout=None, read_timeout=0.2)
    assert result.unwrap().body == b"ok"


async def test_only_a_100_asks_for_the_body(client: HTTPClient) -> None:
    async def play(connection: Connection, _: Received) -> None:
        await connection.send(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.reader.readexactly(1)
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await connection.send(answer(await connection.reader.readexactly(4)))

    options = RequestOptions(headers={"Expect": "100-continue"}, data=b"body")
    async with ScriptedServer(play, reads_body=False) as server:
        assert (await client.put(server.url(), **options)).unwrap().body == b"body"


async def test_a_100_that_is_expected_without_a_body_is_not_waited_for(
    client: HTTPClient, faults: FaultServer
) -> None:
    for _ in range(2):
        result = await client.get(faults.url(), headers={"Expect": "100-continue"})
        assert result.unwrap().body == b"ok"
    assert {seen.connection for seen in faults.received} == {1}


async def test_no_exception_is_left_in_a_task(client: HTTPClient, faults: FaultServer) -> None:
    left: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: left.append(context))
    for path in ("/close-after-answer", "/close-on-next"):
        await client.request("GET", faults.url(path))
        await asyncio.sleep(0.01)
        for headers in ({"Expect": "100-continue"}, {}):
            with suppress(HTTPConnectionError):
                await client.request("PUT", faults.url(), data=iter([b"body"]), headers=headers)
    assert left == []


# --- code plugged into the session


async def test_a_session_that_somebody_closed(client: HTTPClient, faults: FaultServer) -> None:
    await client.pool.session.close()
    failure = (await client.get(faults.url())).failure()
    assert summary(failure) == (HTTPConnectionError, "closed", Delivery.NOT_SENT)


async def test_aiohttp_needs_no_total_timeout_of_its_own(
    client: HTTPClient, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    connector = client.pool.session.connector
    assert connector is not None
    connect = connector.connect

    def spy(*args: object, **options: object) -> object:
        seen.append(options["timeout"])
        return connect(*args, **options)  # type: ignore[arg-type]  # handed through as they came

    monkeypatch.setattr(connector, "connect", spy)
    await client.request("GET", faults.url(), timeout=5.2, connect_timeout=5.1, read_timeout=5.3)
    (timeout,) = seen
    assert isinstance(timeout, aiohttp.ClientTimeout)
    assert (timeout.total, timeout.connect, timeout.sock_read) == (None, 5.1, 5.3)
    assert timeout.ceil_threshold == float("inf")  # so times are not rounded up to whole seconds


async def test_a_unix_socket_or_a_file_is_no_target(client: HTTPClient, tmp_path: Path) -> None:
    failure = (await client.get(f"file://{tmp_path}")).failure()
    assert (summary(failure)[:2], failure.attempts) == ((HTTPInvalidRequestError, "url"), 0)
