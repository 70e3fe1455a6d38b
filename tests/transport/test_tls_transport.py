"""TLS over the transports of asyncio and uvloop, against OpenSSL in a thread."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import pytest
from tests.patience import until
from tests.servers.tls import TlsContexts

from railhttp.transport.tls_transport import TLSTransport

SECONDS = 20


class Heard(asyncio.Protocol):
    """A protocol that keeps what it is told."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.told: list[str] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def eof_received(self) -> None:
        self.told.append("eof")

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


@asynccontextmanager
async def plain(serve: Callable[[socket.socket], object]) -> AsyncIterator[tuple[str, int]]:
    """Let a thread serve one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        listener.settimeout(SECONDS)

        def served() -> None:
            sock, _ = listener.accept()
            sock.settimeout(SECONDS)
            with sock:
                serve(sock)

        serving = asyncio.wrap_future(thread.submit(served))
        yield listener.getsockname()
        await serving


def secured(
    context: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], object]
) -> Callable[[socket.socket], object]:
    """Serve over TLS, where an end without a `close_notify` is an error."""

    def served(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False) as tls:
            serve(tls)

    return served


async def opened(address: tuple[str, int], context: ssl.SSLContext) -> tuple[TLSTransport, Heard]:
    loop = asyncio.get_running_loop()
    _, transport = await loop.create_connection(
        lambda: TLSTransport(loop, context, "localhost", Heard), *address
    )
    protocol = await transport.shaken()
    assert isinstance(protocol, Heard)
    return transport, protocol


@pytest.fixture(params=["TLS 1.3", "TLS 1.2"])
def server(request: pytest.FixtureRequest, tls: TlsContexts) -> ssl.SSLContext:
    return tls.trusted if request.param == "TLS 1.3" else tls.at_most_1_2


def drained(sock: socket.socket) -> None:
    with suppress(OSError):
        while sock.recv(65536):
            pass


def sending(data: bytes) -> Callable[[socket.socket], None]:
    def serve(sock: socket.socket) -> None:
        with suppress(ConnectionError):  # the client may refuse what it has seen
            sock.sendall(data)
        drained(sock)

    return serve


def echo(sock: ssl.SSLSocket) -> None:
    with suppress(OSError):
        while data := sock.recv(65536):
            sock.sendall(data)


@pytest.mark.parametrize("size", [1, 16 * 1024, 16 * 1024 + 1, 3_000_000])
async def test_bytes_of_any_number_are_sent_and_received(
    size: int, server: ssl.SSLContext, tls: TlsContexts
) -> None:
    data = os.urandom(size)
    async with plain(secured(server, echo)) as address:
        transport, heard = await opened(address, tls.client)
        transport.write(b"")
        for piece in (data[: size // 2], bytearray(data[size // 2 :])):
            transport.write(piece)
        await until(lambda: len(heard.received) == size)
        transport.close()
        assert await heard.lost is None
    assert heard.received == data


async def test_a_close_says_so_to_the_peer(server: ssl.SSLContext, tls: TlsContexts) -> None:
    ends: list[bytes] = []
    async with plain(secured(server, lambda sock: ends.append(sock.recv(1)))) as address:
        transport, heard = await opened(address, tls.client)
        transport.close()
        transport.close()
        transport.write(b"too late")
        assert transport.is_closing()
        assert await heard.lost is None
    assert ends == [b""]  # without a `close_notify` it would be an `SSLEOFError`


async def test_the_end_of_the_peer_is_heard(server: ssl.SSLContext, tls: TlsContexts) -> None:
    def serve(sock: ssl.SSLSocket) -> None:
        sock.sendall(b"last")
        sock.unwrap()

    async with plain(secured(server, serve)) as address:
        _, heard = await opened(address, tls.client)
        assert await heard.lost is None
    assert (bytes(heard.received), heard.told) == (b"last", ["eof"])


async def test_a_connection_that_ends_below_tls_is_lost(
    server: ssl.SSLContext, tls: TlsContexts
) -> None:
    async with plain(secured(server, lambda sock: sock.sendall(b"last"))) as address:
        _, heard = await opened(address, tls.client)
        await heard.lost
    assert (bytes(heard.received), heard.told) == (b"last", ["eof"])


async def test_bytes_that_are_no_record_end_it(server: ssl.SSLContext, tls: TlsContexts) -> None:
    def serve(sock: ssl.SSLSocket) -> None:
        sock.sendall(b"first")
        os.write(sock.fileno(), b"no record" * 9)
        with suppress(OSError):
            sock.recv(1)

    async with plain(secured(server, serve)) as address:
        transport, heard = await opened(address, tls.client)
        assert isinstance(await heard.lost, ssl.SSLError)
        assert transport.is_closing()
    assert heard.received == b"first"


async def test_a_paused_reader_gets_nothing_until_it_goes_on(
    server: ssl.SSLContext, tls: TlsContexts
) -> None:
    data = os.urandom(20_000_000)  # more than all buffers in between
    async with plain(secured(server, sending(data))) as address:
        transport, heard = await opened(address, tls.client)
        transport.pause_reading()
        assert not transport.is_reading()
        await asyncio.sleep(0.1)
        before = len(heard.received)
        await asyncio.sleep(0.1)
        assert before == len(heard.received) < len(data)
        transport.resume_reading()
        assert transport.is_reading()
        await until(lambda: len(heard.received) == len(data))
        transport.close()
        await heard.lost
    assert heard.received == data


async def test_a_peer_that_does_not_read_pauses_the_writer(
    server: ssl.SSLContext, tls: TlsContexts
) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def serve(sock: ssl.SSLSocket) -> None:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(SECONDS)
        while data := sock.recv(65536):
            received.append(len(data))

    async with plain(secured(server, serve)) as address:
        transport, heard = await opened(address, tls.client)
        transport.set_write_buffer_limits(high=65536)
        transport.write(bytes(20_000_000))
        assert heard.told == ["pause"]
        assert transport.get_write_buffer_size() > 65536
        go_on.set()
        await until(lambda: "resume" in heard.told)
        transport.close()
        await heard.lost
    assert sum(received) == 20_000_000


async def refusal(address: tuple[str, int], context: ssl.SSLContext) -> BaseException:
    with pytest.raises((OSError, TimeoutError)) as caught:
        await opened(address, context)
    return caught.value


async def test_a_server_that_speaks_no_tls_is_an_ssl_error(tls: TlsContexts) -> None:
    async with plain(sending(b"220 mail\r\n")) as address:
        assert isinstance(await refusal(address, tls.client), ssl.SSLError)


async def test_a_connection_that_ends_in_the_handshake_is_reset(tls: TlsContexts) -> None:
    async with plain(lambda sock: sock.recv(65536)) as address:
        assert isinstance(await refusal(address, tls.client), ConnectionResetError)


async def test_a_certificate_of_a_stranger_is_refused_and_the_server_told(
    tls: TlsContexts,
) -> None:
    told: list[str] = []

    def serve(sock: socket.socket) -> None:
        with pytest.raises(ssl.SSLError) as caught:
            secured(tls.untrusted, lambda tls: tls.recv(1))(sock)
        told.append(caught.value.reason)

    async with plain(serve) as address:
        assert isinstance(await refusal(address, tls.client), ssl.SSLCertVerificationError)
    assert told == ["TLSV1_ALERT_UNKNOWN_CA"]


async def test_a_handshake_that_is_given_up_closes_the_connection(tls: TlsContexts) -> None:
    async with plain(drained) as address:
        opening = asyncio.create_task(opened(address, tls.client))
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_a_handshake_that_takes_too_long_is_a_timeout(
    tls: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("railhttp.transport.tls_transport.HANDSHAKE_SECONDS", 0.05)
    async with plain(drained) as address:
        assert isinstance(await refusal(address, tls.client), TimeoutError)


async def test_a_name_that_no_certificate_can_have_is_refused(tls: TlsContexts) -> None:
    with pytest.raises(ValueError, match="server_hostname"):
        TLSTransport(asyncio.get_running_loop(), tls.client, "", Heard)


async def test_what_others_ask_of_a_transport(server: ssl.SSLContext, tls: TlsContexts) -> None:
    async with plain(secured(server, echo)) as address:
        transport, heard = await opened(address, tls.client)
        ssl_object = transport.get_extra_info("ssl_object")
        assert isinstance(ssl_object, ssl.SSLObject)
        assert transport.get_extra_info("sslcontext") is tls.client
        assert transport.get_extra_info("peercert") == ssl_object.getpeercert()
        assert transport.get_extra_info("cipher") == ssl_object.cipher()
        assert transport.get_extra_info("compression") is None
        assert transport.get_extra_info("peername") == address
        assert transport.get_extra_info("nothing", 5) == 5
        assert transport.get_protocol() is heard
        assert not transport.can_write_eof()
        transport.abort()
        await heard.lost
        transport.resume_reading()  # does no harm


async def test_what_waits_for_a_new_handshake_is_sent_in_its_order(tls: TlsContexts) -> None:
    """No server of Python asks for a new handshake of TLS 1.2, so OpenSSL is played."""
    async with plain(secured(tls.at_most_1_2, echo)) as address:
        transport, heard = await opened(address, tls.client)
        real = transport._tls
        transport._tls = Busy(real)  # type: ignore[assignment]  # as far as it is called
        transport.write(b"a" * 20_000)
        transport.write(b"b")
        assert transport.get_write_buffer_size() == 20_001
        transport._tls = real
        transport._read()  # what the peer sent has ended the handshake
        await until(lambda: len(heard.received) == 20_001)
        transport.close()
        await heard.lost
    assert heard.received == b"a" * 20_000 + b"b"


class Busy:
    """An `SSLObject` in a handshake."""

    def __init__(self, real: ssl.SSLObject) -> None:
        self._real = real

    def write(self, data: bytes) -> int:
        raise ssl.SSLWantReadError
