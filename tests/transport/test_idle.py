"""Idle connections are checked before their next use, and unasked bytes end them."""

import asyncio
import ctypes
import resource
import socket
import ssl
import struct
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import pytest
from tests.client.test_turns import Beat, longest
from tests.patience import until
from tests.servers.connection import Connection
from tests.servers.leaks import nothing_left
from tests.servers.listener import Listener
from tests.servers.registry import answer
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    RetryPolicy,
)
from railhttp.transport.connection import StrictResponseHandler

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
EVIL: Final = answer(b"evil")


class KeepingServer(Listener):
    """Responds to every request with `ok`, keeps its connections open, and shows their sockets.

    A test sends on such a socket at once, before the event loop of the client has another turn.

    Args:
        fields: Further fields of each response.
        ssl_context: Makes it a TLS server.
    """

    def __init__(self, *fields: str, ssl_context: ssl.SSLContext | None = None) -> None:
        super().__init__(ssl_context=ssl_context)
        self._answer: Final = answer(b"ok", *fields)
        self.kept: Final[list[Connection]] = []
        self.requests: Final[list[int]] = []
        """The number of the connection of each request."""

    async def handle(self, connection: Connection) -> None:
        self.kept.append(connection)
        while True:
            await connection.read_body(await connection.read_head())
            self.requests.append(connection.number)
            await connection.send(self._answer)

    def socket(self, number: int) -> socket.socket:
        return self.kept[number - 1]._sock


def client_of(tls: ssl.SSLContext | None = None, /, **settings: float) -> HTTPClient:
    pool = ConnectionPoolConfig(ssl_context=tls, **settings)  # type: ignore[arg-type]  # as named
    return HTTPClient(HTTPClientConfig(pool, timeout=5.0, trust_env=False), retry_policy=ONCE)


@asynccontextmanager
async def both(*fields: str, **settings: float) -> AsyncIterator[tuple[KeepingServer, HTTPClient]]:
    async with KeepingServer(*fields) as server, client_of(**settings) as client:
        yield server, client


def closes(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def sends(data: bytes) -> Callable[[socket.socket], object]:
    return lambda sock: sock.send(data)


@pytest.mark.parametrize(
    "act",
    [
        closes,
        sends(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
        sends(EVIL),
        sends(EVIL[:20]),
        sends(b"H"),
        sends(b"\r\n"),
    ],
    ids=["FIN", "408", "response", "half a head", "a byte", "a line end"],
)
@pytest.mark.parametrize("turns", [0, 1, 50])
async def test_no_call_uses_a_connection_on_which_something_has_happened(
    act: Callable[[socket.socket], object], turns: int
) -> None:
    async with both() as (server, client):
        for number in range(1, 6):
            posted = await client.post(server.url(), data=b"x")
            assert posted.unwrap().body == b"ok"
            act(server.socket(number))
            for _ in range(turns):
                await asyncio.sleep(0)
    assert server.requests == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("act", [closes, sends(b"junk")])
async def test_another_idle_connection_is_taken_instead(
    act: Callable[[socket.socket], object],
) -> None:
    async with both() as (server, client):
        await asyncio.gather(*(client.get(server.url()) for _ in range(3)))
        last = server.requests[-1]
        act(server.socket(last))
        assert (await client.post(server.url())).unwrap().body == b"ok"
        assert server.requests[-1] != last
        assert len(server.kept) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the peer confirmed")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_bytes_that_cross_the_request_are_not_its_response(
    tls: TlsContexts, scheme: str
) -> None:
    context = tls.trusted if scheme == "https" else None
    async with KeepingServer(ssl_context=context) as server, client_of(tls.client) as client:
        for _ in range(2):
            assert (await client.post(server.url())).unwrap().body == b"ok"
        # A server that waits for a confirmation would not send after a pause of this process.
        await until(lambda: unconfirmed(server.socket(1)) == 0)
        with request_on_its_way(server.socket(1)):
            call = asyncio.create_task(client.post(server.url()))
            await asyncio.sleep(0.05)
            server.kept[0].writer.write(EVIL)
            failure = (await call).failure()
        assert (failure.label, failure.delivery) == ("disconnected", Delivery.MAYBE_SENT)
        assert (await client.post(server.url())).unwrap().body == b"ok"


def unconfirmed(sock: socket.socket) -> int:
    """Return how many segments the peer has not confirmed yet (`tcpi_unacked`)."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
    return int.from_bytes(info[24:], sys.byteorder)


@contextmanager
def request_on_its_way(sock: socket.socket) -> Iterator[None]:
    """Let nothing arrive at a socket: a filter of the kernel drops each segment."""
    attach, detach, refuse_all = (
        26,
        27,
        ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0)),
    )
    program = struct.pack("HL", 1, ctypes.addressof(refuse_all))
    sock.setsockopt(socket.SOL_SOCKET, attach, program)
    yield
    with suppress(OSError):  # the connection has ended
        sock.setsockopt(socket.SOL_SOCKET, detach, 0)


async def test_descriptors_above_1023_are_checked_too() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip("not enough descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    fillers = [socket.socket() for _ in range(1050)]
    try:
        async with both() as (server, client):
            for number in (1, 2):
                assert (await client.get(server.url())).unwrap().body == b"ok"
                server.socket(number).send(EVIL)
        assert server.requests == [1, 2]
    finally:
        for filler in fillers:
            filler.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- TLS


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_a_tls_connection_is_used_again_in_spite_of_its_tickets(
    tls: TlsContexts, version: str
) -> None:
    context = tls.at_most_1_2 if version == "TLSv1.2" else tls.trusted
    async with KeepingServer(ssl_context=context) as server, client_of(tls.client) as client:
        for _ in range(20):
            assert (await client.post(server.url())).unwrap().body == b"ok"
        (kept,) = server.kept
        assert kept.writer.get_extra_info("ssl_object").version() == version


@pytest.mark.parametrize("turns", [0, 1, 50])
@pytest.mark.parametrize("act", [closes, sends(b"not TLS at all")])
async def test_a_tls_connection_with_unread_bytes_is_not_used(
    tls: TlsContexts, act: Callable[[socket.socket], object], turns: int
) -> None:
    async with KeepingServer(ssl_context=tls.trusted) as server, client_of(tls.client) as client:
        for number in range(1, 4):
            assert (await client.post(server.url())).unwrap().body == b"ok"
            act(server.socket(number))
            for _ in range(turns):
                await asyncio.sleep(0)
        assert server.requests == [1, 2, 3]


async def test_tls_connections_whose_bytes_the_loop_has_to_read_first_stay_in_the_pool(
    tls: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such bytes may be tickets. No mock of a socket: only the look at it is replaced."""
    async with KeepingServer(ssl_context=tls.trusted) as server, client_of(tls.client) as client:
        await asyncio.gather(*(client.get(server.url()) for _ in range(3)))
        with monkeypatch.context() as patched:
            patched.setattr(StrictResponseHandler, "has_unread", lambda _: True)
            assert (await client.get(server.url())).unwrap().body == b"ok"
        assert (server.requests[3:], client.pool.gauges.idle) == ([4], 4)

        await asyncio.gather(*(client.get(server.url()) for _ in range(4)))
        assert (sorted(server.requests[4:]), len(server.kept)) == ([1, 2, 3, 4], 4)


async def test_connections_that_stay_for_their_bytes_count_towards_the_limit_of_their_host(
    tls: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        KeepingServer(ssl_context=tls.trusted) as server,
        client_of(tls.client, max_connections_per_host=3) as client,
    ):
        await asyncio.gather(*(client.get(server.url()) for _ in range(3)))
        with monkeypatch.context() as patched:
            patched.setattr(StrictResponseHandler, "has_unread", lambda _: True)
            assert (await client.get(server.url())).unwrap().body == b"ok"
        assert (len(server.kept), client.pool.gauges.open) == (4, 3)
        await asyncio.gather(*(client.get(server.url()) for _ in range(3)))
        oldest = server.requests[0]
        assert sorted({*server.requests[4:], oldest}) == [1, 2, 3, 4]


async def test_a_response_that_nobody_asked_for_over_tls_is_none(tls: TlsContexts) -> None:
    async with KeepingServer(ssl_context=tls.trusted) as server, client_of(tls.client) as client:
        for number in range(1, 4):
            assert (await client.get(server.url())).unwrap().body == b"ok"
            server.kept[number - 1].writer.write(EVIL)
        assert server.requests == [1, 2, 3]


# --- the server's own limit


@pytest.mark.parametrize(
    ("field", "connections"),
    [
        ("timeout=0", 3),
        ("timeout=0, max=5", 3),
        ("max=5, TIMEOUT = 0", 3),
        ("timeout=5", 1),
        ("timeout=99999999999999999", 1),
        ("timeout=-1", 1),
        ("timeout=0.5", 1),
        ("timeout=x", 1),
        ("5", 1),
        ("", 1),
    ],
)
async def test_the_timeout_that_the_server_announces_is_heeded(
    field: str, connections: int
) -> None:
    async with both(f"Keep-Alive: {field}") as (server, client):
        for _ in range(3):
            assert (await client.get(server.url())).unwrap().body == b"ok"
        assert len(server.kept) == connections


async def test_a_waiting_call_gets_no_connection_that_the_server_will_not_keep() -> None:
    async with both("Keep-Alive: timeout=0", max_connections=1) as (server, client):
        await asyncio.gather(*(client.get(server.url()) for _ in range(3)))
    assert server.requests == [1, 2, 3]


async def test_a_connection_is_closed_when_the_announced_time_is_over() -> None:
    async with both("Keep-Alive: timeout=1") as (server, client):
        assert (await client.get(server.url())).unwrap().body == b"ok"
        await until(lambda: server.connections == 0)
        assert (await client.get(server.url())).unwrap().body == b"ok"
        assert server.requests == [1, 2]


async def test_the_connection_that_was_used_last_comes_first() -> None:
    async with both() as (server, client):
        await asyncio.gather(*(client.get(server.url()) for _ in range(4)))
        last = server.requests[-1]
        for _ in range(5):
            await client.get(server.url())
        assert server.requests[4:] == [last] * 5


# --- floods


async def test_bytes_pushed_on_an_idle_connection_close_it_at_once() -> None:
    beat = Beat()
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 200_000
    async with both() as (server, client):
        await client.get(server.url())
        tracemalloc.start()
        async with beat.measured():
            server.kept[0].writer.write(page)
            await until(lambda: server.connections == 0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert beat.longest < longest()
    assert peak < 3 * len(page)  # the server's own buffer


@pytest.mark.parametrize("status", [b"103", b"200"])
async def test_a_flood_of_heads_does_not_hold_the_loop(status: bytes) -> None:
    heads = b"HTTP/1.1 %b x\r\nContent-Length: 0\r\n\r\n" % status * 100_000

    class Flooding(Listener):
        async def handle(self, connection: Connection) -> None:
            await connection.read_head()
            await connection.send(heads)
            await connection.until_gone()

    beat = Beat()
    async with nothing_left(), Flooding() as server, client_of() as client, beat.measured():
        result = await client.get(server.url())
        await until(lambda: server.connections == 0)
    assert beat.longest < longest()
    if status == b"103":
        failure = result.failure()
        assert isinstance(failure, HTTPConnectionError)
        assert failure.kind == "protocol"
    else:
        assert result.unwrap().status == 200


async def test_interim_responses_do_not_put_the_read_timeout_off_for_ever() -> None:
    class Interim(Listener):
        async def handle(self, connection: Connection) -> None:
            await connection.read_head()
            while True:
                await connection.send(b"HTTP/1.1 102 Processing\r\n\r\n")
                await asyncio.sleep(0.001)

    async with nothing_left(), Interim() as server, client_of() as client:
        failure = (await client.get(server.url(), read_timeout=0.5, timeout=None)).failure()
        assert failure.label == "protocol"
