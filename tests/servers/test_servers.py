"""Does each server do what it says? Asked over bare sockets, with no HTTP client in between."""

import asyncio
import gzip
import hashlib
import json
import socket
import ssl
import time
import zlib
from base64 import b64encode
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import brotli
import pytest
import zstandard
from tests.servers.echo import JSON_SAMPLE, EchoServer
from tests.servers.faults import FaultServer, OnAccept
from tests.servers.leaks import nothing_left
from tests.servers.listener import LOOPBACK, LOOPBACK_6, refused_port, unanswered_port
from tests.servers.misbehaviour.encodings import BOMB_SIZE, TEXT
from tests.servers.proxy import ProxyServer
from tests.servers.registry import FAULTS
from tests.servers.tls import TlsContexts

RequestFinished: TypeAlias = Literal["fin", "reset", "silence", "more"]
"""How a connection stands once its bytes have been read; `more` is a stream without an end."""

QUIET = 0.02
PATIENCE = 5.0
ENOUGH = 5_000_000


async def connect(
    url: str, *, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, ssl=context)


def request(url: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = (f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", *length, *fields, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


async def read_out(
    reader: asyncio.StreamReader, *, until: bytes | None = None
) -> tuple[bytes, RequestFinished]:
    """Everything up to the connection's end, or up to a moment of silence once `until` has come."""
    got = bytearray()
    while len(got) < ENOUGH:
        quiet = QUIET if until is not None and until in got else PATIENCE
        try:
            piece = await asyncio.wait_for(reader.read(2**20), quiet)
        except TimeoutError:
            return bytes(got), "silence"
        except ConnectionResetError:
            return bytes(got), "reset"
        if not piece:
            return bytes(got), "fin"
        got += piece
    return bytes(got), "more"


async def talk(
    url: str,
    sent: bytes = b"",
    *,
    context: ssl.SSLContext | None = None,
    until: bytes | None = None,
) -> tuple[bytes, RequestFinished]:
    reader, writer = await connect(url, context=context)
    try:
        writer.write(sent or request(url))
        return await read_out(reader, until=until)
    finally:
        writer.transport.abort()


async def body_of(url: str, sent: bytes = b"") -> bytes:
    """The body of an answer that has a Content-Length, on a connection that may stay open."""
    reader, writer = await connect(url)
    try:
        writer.write(sent or request(url))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        return await reader.readexactly(int(field(head, "content-length")))
    finally:
        writer.transport.abort()


def field(head: bytes, name: str) -> str:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return next(value.strip() for key, _, value in pairs if key.lower() == name)


# Path, the connection's state afterwards, and what the answer must contain.
ANSWERS: list[tuple[str, RequestFinished, bytes]] = [
    ("/ok", "silence", b"\r\n\r\nok"),
    ("/reset-before-head", "reset", b""),
    ("/reset-in-head", "reset", b"Content-Ty"),
    ("/reset-in-body", "reset", b"Length: 100\r\n\r\npart"),
    ("/reset-in-chunks", "reset", b"4\r\npart\r\n"),
    ("/reset-in-endless-body", "reset", b"\r\n\r\npart"),
    ("/close-before-head", "fin", b""),
    ("/close-in-head", "fin", b"Content-Ty"),
    ("/empty-answer", "fin", b""),
    ("/close-after-answer", "fin", b"keep-alive\r\n\r\nok"),
    ("/close-on-next", "silence", b"keep-alive\r\n\r\nok"),
    ("/reset-on-next", "silence", b"keep-alive\r\n\r\nok"),
    ("/unsolicited-answer", "fin", b"\r\n\r\nokHTTP/1.1 408 "),
    ("/says-close-but-stays", "silence", b"Connection: close\r\n\r\nok"),
    ("/stalled-upload", "silence", b""),
    ("/transfer-coding-gzip", "fin", b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ("/early-413", "silence", b"HTTP/1.1 413 "),
    ("/early-413-reset", "reset", b"HTTP/1.1 413 "),
    ("/close-in-upload", "silence", b""),
    ("/reset-in-upload", "silence", b""),
    ("/expect100-never", "silence", b""),
    ("/expect100-refused", "silence", b"HTTP/1.1 417 "),
    ("/malformed-status-line", "fin", b"HTTP/1.1 abc OK"),
    ("/status-out-of-range", "fin", b"HTTP/1.1 2000 "),
    ("/unknown-version", "fin", b"HTTP/9.9 200"),
    ("/garbage", "fin", b"\x80\x81\x82"),
    ("/http09", "fin", b"<html>"),
    ("/http2-preface", "fin", b"\x00\x00\x00\x04\x00"),
    ("/wrong-protocol", "fin", b"SSH-2.0"),
    ("/bad-header-line", "fin", b"\r\nthis is no header\r\n"),
    ("/bad-header-name", "fin", b"\r\nX-Space : value\r\n"),
    ("/empty-header-name", "fin", b"\r\n: value\r\n"),
    ("/nul-in-header", "fin", b"a\x00b"),
    ("/cr-in-header", "fin", b"a\rb"),
    ("/folded-header", "fin", b"X-Folded: a\r\n b\r\n"),
    ("/header-line-too-long", "fin", b"X-Long: " + b"a" * 70_000),
    ("/too-many-headers", "fin", b"X-Field-299: 299"),
    ("/endless-head?interval=9", "silence", b"X-More: and more\r\n" * 100),
    ("/conflicting-lengths", "fin", b"Content-Length: 2\r\nContent-Length: 4\r\n"),
    ("/chunked-and-length", "fin", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
    ("/negative-length", "fin", b"Content-Length: -5\r\n"),
    ("/length-no-number", "fin", b"Content-Length: two\r\n"),
    ("/no-content-with-body", "silence", b"\r\n\r\nbody"),
    ("/not-modified-with-length", "silence", b"Content-Length: 1000\r\n"),
    ("/unasked-101", "silence", b"HTTP/1.1 101 "),
    ("/continue-then-ok", "silence", b"100 Continue\r\n\r\nHTTP/1.1 200 OK"),
    ("/early-hints", "silence", b"HTTP/1.1 103 "),
    ("/endless-continue?interval=9", "silence", b"100 Continue\r\n\r\n"),
    ("/endless-processing?interval=9", "silence", b"102 Processing\r\n\r\n"),
    ("/short-body", "fin", b"Length: 100\r\n\r\npart"),
    ("/long-body", "silence", b"Length: 2\r\n\r\nok and more"),
    ("/body-until-close", "fin", b"close\r\n\r\nok"),
    ("/truncated-chunk", "fin", b"64\r\npart"),
    ("/missing-final-chunk", "fin", b"4\r\npart\r\n"),
    ("/missing-final-crlf", "fin", b"part\r\n0\r\n"),
    ("/bad-chunk-size", "fin", b"\r\n\r\nxyz\r\n"),
    ("/negative-chunk-size", "fin", b"\r\n\r\n-4\r\n"),
    ("/huge-chunk-size", "fin", b"\r\n\r\n100000000000000000000\r\n"),
    ("/chunk-line-too-long", "fin", b"4;x=" + b"a" * 100_000),
    ("/bad-chunk-in-body", "silence", b"part\r\nxyz\r\n"),
    ("/bad-chunk-then-close", "fin", b"part\r\nxyz\r\n"),
    ("/chunk-overruns", "fin", b"4\r\npartial\r\n"),
    ("/trailers", "silence", b"0\r\nX-Trailer: yes\r\n\r\n"),
    ("/endless-body", "more", b"10000\r\naaa"),
    ("/long-line", "silence", b"a" * 600_000 + b"\n"),
    ("/unknown-encoding", "silence", b"Content-Encoding: x-squeeze"),
    ("/invalid-charset", "silence", b"charset=no-such-charset"),
    ("/invalid-utf8", "silence", b"caf\xe9"),
    ("/bad-json", "silence", b'{"a": [1, 2'),
    ("/invalid-utf8-json", "silence", b"caf\xe9"),
    ("/deep-json", "silence", b"[" * 100_000),
    ("/huge-int-json", "silence", b"9" * 5000),
    ("/empty-json", "silence", b"application/json\r\n\r\n"),
    ("/json-as-html", "silence", b'text/html\r\n\r\n{"a": 1}'),
    ("/no-content-type", "silence", b'Content-Length: 8\r\n\r\n{"a": 1}'),
    ("/repeated-set-cookie", "silence", b"Set-Cookie: a=1\r\nSet-Cookie: b=2; expires=Fri, 31"),
    ("/bad-set-cookie", "silence", b"Set-Cookie: ;;=\r\n"),
    ("/redirect-to", "silence", b"Location: /ok\r\n"),
    ("/redirect-loop", "silence", b"Location: /redirect-loop\r\n"),
    ("/redirect-forever", "silence", b"Location: /redirect-forever?hop=1\r\n"),
    ("/redirect-without-location", "silence", b"HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\n"),
    ("/redirect-empty-location", "silence", b"Location: \r\n"),
    ("/redirect-bad-url", "silence", b"Location: http://[::1/ok\r\n"),
    ("/redirect-bad-port", "silence", b"Location: http://127.0.0.1:99999/ok\r\n"),
    ("/redirect-no-host", "silence", b"Location: http:///ok\r\n"),
    ("/redirect-ftp", "silence", b"Location: ftp://127.0.0.1/ok\r\n"),
    ("/redirect-file", "silence", b"Location: file:///etc/hostname\r\n"),
    ("/redirect-data", "silence", b"Location: data:text/plain,ok\r\n"),
    ("/redirect-downgrade", "silence", b"Location: http://127.0.0.1:"),
    ("/redirect-other-origin", "silence", b"Location: http://localhost:"),
    ("/redirect-with-userinfo", "silence", b"Location: http://ann:s3cret@127.0.0.1:"),
    ("/redirect-header-injection", "silence", b"Location: /ok?next=%0d%0aX-Injected:%20yes\r\n"),
    ("/redirect-before-body", "silence", b"HTTP/1.1 307 "),
    ("/redirect-raw-utf8", "silence", b"Location: /ok?name=caf\xc3\xa9\r\n"),
    ("/redirect-short-body", "fin", b"Content-Length: 5\r\nLocation: /ok\r\n\r\nmo"),
    ("/redirect-to-reset", "fin", b"Location: /reset-before-head\r\n"),
    ("/stall-before-head", "silence", b""),
    ("/stall-in-head", "silence", b"Content-Ty"),
    ("/stall-after-head", "silence", b"Length: 100\r\n\r\n"),
    ("/stall-in-body", "silence", b"Length: 100\r\n\r\npart"),
    ("/stall-in-chunks", "silence", b"4\r\npart\r\n"),
    ("/stall-in-redirect", "silence", b"Location: /ok\r\nContent-Length: 100\r\n\r\npart"),
]
PACKED = [path for path in FAULTS if path.split("-")[0] in {"/gzip", "/deflate", "/br", "/zstd"}]
TIMED = ["/slow-drip", "/slow-head", "/slow-answer"]


def test_every_misbehaviour_is_shown_here_and_says_what_it_does() -> None:
    assert {path.partition("?")[0] for path, _, _ in ANSWERS} | {*PACKED, *TIMED} == set(FAULTS)
    assert all(fault.play.__doc__ for fault in FAULTS.values())


def test_a_path_that_is_no_misbehaviour_is_noticed_at_once(faults: FaultServer) -> None:
    with pytest.raises(LookupError):
        faults.url("/reset-befor-head")


@pytest.mark.parametrize(("path", "ending", "contains"), ANSWERS)
async def test_a_misbehaviour_sends_what_it_says_and_leaves_nothing(
    path: str, ending: RequestFinished, contains: bytes
) -> None:
    async with nothing_left(), FaultServer() as server:
        until = contains if ending == "silence" else None
        got, seen = await talk(server.url(path), until=until)
        assert contains in got
        assert (seen, bool(got)) == (ending, bool(contains))
        assert [received.target for received in server.received] == [path]


@pytest.mark.parametrize("path", [path for path in FAULTS if FAULTS[path].keep_alive])
async def test_a_connection_that_is_kept_alive_takes_another_request(
    faults: FaultServer, path: str
) -> None:
    reader, writer = await connect(faults.url())
    last = request(faults.url(), "Connection: close")
    writer.write(request(faults.url(path, interval=0)) + last)
    got, ending = await read_out(reader)
    writer.transport.abort()
    assert (got[-6:], ending) == (b"\r\n\r\nok", "fin")
    assert [seen.connection for seen in faults.received] == [1, 1]


# --- what was received


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        (("Content-Length: 5",), b"hello"),
        (("Transfer-Encoding: chunked",), b"3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-After: 1\r\n\r\n"),
    ],
    ids=["by length", "in chunks"],
)
async def test_a_request_is_recorded_with_its_repeated_headers_and_its_body(
    faults: FaultServer, fields: tuple[str, ...], sent: bytes
) -> None:
    url = faults.url(name="a b")
    await talk(
        url, request(url, "X-Two: 1", "x-two: 2", *fields, method="POST") + sent, until=b"ok"
    )
    (received,) = faults.received
    assert (received.method, received.path, received.query) == ("POST", "/ok", {"name": "a b"})
    assert (received.body, received.complete) == (b"hello", True)
    assert (received.all("X-Two"), received.header("x-none")) == (["1", "2"], "")


@pytest.mark.parametrize("field", ["Content-Length: 10", "Transfer-Encoding: chunked"])
async def test_an_upload_that_the_client_breaks_off_is_recorded_as_incomplete(
    faults: FaultServer, field: str
) -> None:
    sent = b"5\r\nhello\r\n" if "chunked" in field else b"hello"
    reader, writer = await connect(faults.url())
    writer.write(request(faults.url(), field, method="PUT") + sent)
    writer.write_eof()
    assert await read_out(reader) == (b"", "fin")
    writer.transport.abort()
    (received,) = faults.received
    assert (received.body, received.complete) == (b"hello", False)


async def test_a_head_has_no_body(faults: FaultServer) -> None:
    got, _ = await talk(faults.url(), request(faults.url(), method="HEAD"), until=b"\r\n\r\n")
    assert got.endswith(b"\r\n\r\n")


async def test_a_client_that_asks_for_a_close_gets_it(faults: FaultServer) -> None:
    _, ending = await talk(faults.url(), request(faults.url(), "Connection: close"))
    assert ending == "fin"


async def test_an_expected_continue_is_given_before_the_body_is_read(faults: FaultServer) -> None:
    reader, writer = await connect(faults.url())
    asks = ("Expect: 100-continue", "Content-Length: 2")
    writer.write(request(faults.url(), *asks, method="POST"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ok")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    writer.transport.abort()
    assert faults.received[0].body == b"ok"


async def test_connections_are_counted_while_they_are_open(faults: FaultServer) -> None:
    reader, writer = await connect(faults.url())
    writer.write(request(faults.url("/stall-in-body")))
    await reader.readuntil(b"part")
    assert faults.connections == 1
    writer.close()
    async with asyncio.timeout(60):
        while faults.connections:  # noqa: ASYNC110 - the server tells nobody but who asks
            await asyncio.sleep(0)


async def test_what_a_handler_stumbles_over_comes_out_at_the_end() -> None:
    with pytest.raises(ValueError, match="unpack"):
        async with FaultServer() as server:
            await talk(server.url(), b"nonsense\r\n\r\n")


# --- connections


@pytest.mark.parametrize(
    ("on_accept", "ending"), [("close", "fin"), ("reset", "reset"), ("stall", "silence")]
)
async def test_a_connection_can_be_ended_before_its_first_byte(
    on_accept: OnAccept, ending: RequestFinished
) -> None:
    async with nothing_left(), FaultServer(on_accept=on_accept) as server:
        reader, writer = await connect(server.url())
        until = b"" if ending == "silence" else None
        assert await read_out(reader, until=until) == (b"", ending)
        writer.transport.abort()
        assert server.received == []


def test_a_refused_port_refuses() -> None:
    with refused_port() as port, socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect((LOOPBACK, port))


def test_an_unanswered_port_never_answers() -> None:
    with unanswered_port() as port, socket.socket() as client:
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.connect((LOOPBACK, port))


async def test_a_server_listens_on_both_loopbacks(faults: FaultServer) -> None:
    if not faults.has_ipv6:
        pytest.skip("this machine has no ::1")
    got, _ = await talk(faults.url(host=LOOPBACK_6), until=b"ok")
    assert got.endswith(b"ok")


@pytest.mark.parametrize(
    ("path", "ending", "sends"), [("/close-on-next", "fin", 2), ("/reset-on-next", "reset", 1)]
)
async def test_a_kept_connection_dies_with_the_next_request(
    faults: FaultServer, path: str, ending: RequestFinished, sends: int
) -> None:
    reader, writer = await connect(faults.url())
    writer.write(request(faults.url(path)))
    await reader.readuntil(b"\r\n\r\nok")
    writer.write(request(faults.url()))
    assert await read_out(reader) == (b"", ending)
    writer.transport.abort()
    assert len(faults.received) == sends


# --- uploads


async def test_an_upload_stalls_once_the_buffers_are_full(faults: FaultServer) -> None:
    _, writer = await connect(faults.url())
    body = bytes(32 * 1024 * 1024)
    writer.write(request(faults.url("/stalled-upload"), method="POST", body=body))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.drain(), 0.1)
    writer.transport.abort()
    assert faults.received[0].body == b""


async def test_an_early_413_lets_the_client_finish(faults: FaultServer) -> None:
    body = bytes(8 * 1024 * 1024)
    reader, writer = await connect(faults.url())
    writer.write(request(faults.url("/early-413"), method="POST", body=body))
    await writer.drain()
    got, ending = await read_out(reader, until=b"413")
    writer.transport.abort()
    assert (got[:13], ending) == (b"HTTP/1.1 413 ", "silence")


@pytest.mark.parametrize("path", ["/early-413-reset", "/close-in-upload", "/reset-in-upload"])
async def test_an_upload_is_broken_off(faults: FaultServer, path: str) -> None:
    reader, writer = await connect(faults.url())
    writer.write(request(faults.url(path), method="POST", body=bytes(8 * 1024 * 1024)))
    with pytest.raises(ConnectionError):
        await asyncio.gather(writer.drain(), reader.read())
    writer.transport.abort()


# --- encodings


@pytest.mark.parametrize("path", PACKED)
async def test_a_compressed_body_is_good_exactly_where_it_says_so(
    faults: FaultServer, path: str
) -> None:
    body = await body_of(faults.url(path))
    if path.endswith("-bomb"):
        assert len(body) < 11_000
        assert _unpack(path, body) == bytes(BOMB_SIZE)
    elif path in {"/gzip-members", "/gzip-trailing-garbage", "/deflate-raw", "/gzip-twice"}:
        assert _unpack(path, body) == TEXT
    else:
        with pytest.raises((OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError)):
            _unpack(path, body)


def _unpack(path: str, body: bytes) -> bytes:
    """Strictly: an unfinished stream is an error; what stands behind gzip's end is cut off."""
    if path == "/deflate-raw":
        return zlib.decompress(body, -zlib.MAX_WBITS)
    if path.startswith("/deflate"):
        return zlib.decompress(body)
    if path.startswith("/br"):
        return brotli.decompress(body)
    if path.startswith("/zstd"):
        return zstandard.ZstdDecompressor().decompress(body)
    if not body:
        raise EOFError
    once = gzip.decompress(body.removesuffix(b"garbage"))
    return gzip.decompress(once) if path == "/gzip-twice" else once


# --- time


@pytest.mark.parametrize(
    ("path", "pauses"), [("/slow-drip", 20), ("/slow-head", 38), ("/slow-answer", 1)]
)
async def test_a_slow_server_takes_its_interval_for_each_byte(
    faults: FaultServer, path: str, pauses: int
) -> None:
    began = time.monotonic()
    url = faults.url(path, interval=0.01)
    got, _ = await talk(url, request(url, "Connection: close"))
    assert time.monotonic() - began >= pauses * 0.005  # a loop that counts whole ms may be early
    assert got.startswith(b"HTTP/1.1 200 OK")


# --- TLS


@pytest.mark.parametrize(
    ("client", "error"),
    [
        ("untrusted", "self-signed certificate in certificate chain|unable to get local issuer"),
        ("wrong_host", "IP address mismatch"),
        ("expired", "certificate has expired"),
    ],
)
async def test_a_client_refuses_a_bad_certificate(
    tls: TlsContexts, client: str, error: str
) -> None:
    context: ssl.SSLContext = getattr(tls, client)
    async with nothing_left(), FaultServer(ssl_context=context) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=error):
            await connect(server.url(), context=tls.client)


@pytest.mark.parametrize("path", ["/ok", "/slow-drip"])
async def test_a_trusted_server_answers_over_tls(tls: TlsContexts, path: str) -> None:
    async with nothing_left(), FaultServer(ssl_context=tls.trusted) as server:
        sent = request(server.url(path), "Connection: close")
        got, ending = await talk(server.url(path), sent, context=tls.client)
        assert (got[:15], ending) == (b"HTTP/1.1 200 OK", "fin")


@pytest.mark.parametrize("version", ["mutual_1_2", "mutual_1_3"])
async def test_a_client_with_a_certificate_is_let_in(tls: TlsContexts, version: str) -> None:
    async with FaultServer(ssl_context=getattr(tls, version)) as server:
        got, _ = await talk(server.url(), context=tls.client_with_certificate, until=b"ok")
        assert got.endswith(b"ok")


@pytest.mark.parametrize(
    ("server_context", "client_context"),
    [("at_most_1_2", "client_at_least_1_3"), ("mutual_1_2", "client")],
)
async def test_a_handshake_fails(
    tls: TlsContexts, server_context: str, client_context: str
) -> None:
    context: ssl.SSLContext = getattr(tls, server_context)
    async with nothing_left(), FaultServer(ssl_context=context) as server:
        with pytest.raises(OSError, match=r"^$"):
            await connect(server.url(), context=getattr(tls, client_context))


async def test_a_handshake_can_be_refused_with_an_alert(tls: TlsContexts) -> None:
    async with nothing_left(), FaultServer(on_accept="alert") as server:
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            await connect(server.url(scheme="https"), context=tls.client)


async def test_the_fingerprint_is_that_of_the_trusted_server(tls: TlsContexts) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server:
        _, writer = await connect(server.url(), context=tls.client)
        connected: ssl.SSLObject = writer.get_extra_info("ssl_object")
        certificate = connected.getpeercert(binary_form=True)
        writer.transport.abort()
    assert certificate
    assert hashlib.sha256(certificate).digest() == tls.fingerprint


async def test_tls_1_3_misses_the_client_certificate_after_the_handshake(tls: TlsContexts) -> None:
    async with nothing_left(), FaultServer(ssl_context=tls.mutual_1_3) as server:
        reader, writer = await connect(server.url(), context=tls.client)
        with pytest.raises((OSError, EOFError)):
            await reader.readexactly(1)
        writer.transport.abort()
        assert server.received == []


async def test_a_plain_server_answers_tls_with_plain_text(
    faults: FaultServer, tls: TlsContexts
) -> None:
    with pytest.raises(ssl.SSLError):
        await connect(faults.url(scheme="https"), context=tls.client)


@pytest.mark.parametrize(
    ("path", "ending", "until"),
    [
        ("/reset-in-body", "reset", None),
        ("/empty-answer", "fin", None),
        ("/stall-in-body", "silence", b"part"),
    ],
)
async def test_misbehaviours_work_over_tls(
    tls: TlsContexts, path: str, ending: RequestFinished, until: bytes | None
) -> None:
    async with nothing_left(), FaultServer(ssl_context=tls.trusted) as server:
        _, seen = await talk(server.url(path), context=tls.client, until=until)
        assert seen == ending


# --- the proxy


async def test_a_proxy_passes_a_request_on(proxy: ProxyServer, faults: FaultServer) -> None:
    target = faults.url()
    line = request(target, "X-Mine: 1", method="POST", body=b"body")
    sent = line.replace(b"POST /ok", f"POST {target}".encode())
    got, ending = await talk(proxy.url(), sent)
    assert got.endswith(b"ok")
    assert ending == "fin"
    assert [seen.target for seen in proxy.received] == [target]
    (seen,) = faults.received
    assert (seen.target, seen.body, seen.header("x-mine")) == ("/ok", b"body", "1")


async def test_a_proxy_opens_a_tunnel(proxy: ProxyServer, faults: FaultServer) -> None:
    reader, writer = await connect(proxy.url())
    origin = urlsplit(faults.url()).netloc
    writer.write(f"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(request(faults.url()))
    got, _ = await read_out(reader, until=b"ok")
    writer.transport.abort()
    assert got.endswith(b"ok")
    assert [(seen.method, seen.target) for seen in proxy.received] == [("CONNECT", origin)]
    assert len(faults.received) == 1


async def test_a_proxy_asks_for_its_password(faults: FaultServer) -> None:
    target = faults.url()
    good = b64encode(b"ann:s3cret").decode()
    async with nothing_left(), ProxyServer(username="ann", password="s3cret") as proxy:
        for credentials, status in (("", 407), ("Basic wrong", 407), (f"Basic {good}", 200)):
            sent = request(target, f"Proxy-Authorization: {credentials}")
            got, _ = await talk(proxy.url(), sent.replace(b"GET /ok", f"GET {target}".encode()))
            assert got.startswith(f"HTTP/1.1 {status} ".encode())
    (seen,) = faults.received
    assert seen.header("proxy-authorization") == ""


async def test_a_proxy_says_502_of_a_refused_port(proxy: ProxyServer) -> None:
    with refused_port() as port:
        sent = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        got, _ = await talk(proxy.url(), sent)
    assert got.startswith(b"HTTP/1.1 502 ")


async def test_a_proxy_can_answer_connect_with_anything() -> None:
    async with ProxyServer(connect_answer=b"nonsense") as proxy:
        got = await talk(proxy.url(), b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
    assert got == (b"nonsense", "fin")


# --- the echo server


async def test_echo_tells_what_it_saw(echo: EchoServer) -> None:
    url = echo.url("/get/a%20b", name="1")
    sent = request(f"{url}&name=2", "X-Two: 1", "X-Two: 2", method="PUT", body=b"caf\xc3\xa9")
    seen = json.loads(await body_of(url, sent))
    assert (seen["method"], seen["path"]) == ("PUT", "/get/a b")
    assert seen["target"] == "/get/a%20b?name=1&name=2"
    assert seen["query"] == [["name", "1"], ["name", "2"]]
    assert [pair for pair in seen["headers"] if pair[0] == "X-Two"] == [
        ["X-Two", "1"],
        ["X-Two", "2"],
    ]
    assert seen["body"] == "café"


@pytest.mark.parametrize(
    ("path", "contains"),
    [
        ("/status/418", b"HTTP/1.1 418 "),
        ("/status/204", b"HTTP/1.1 204 "),
        ("/redirect/2?status=307", b"Location: /redirect/1?status=307\r\n"),
        ("/redirect/1", b"Location: /get\r\n"),
        (
            "/redirect-to?url=http://h/&status=308",
            b"HTTP/1.1 308 Permanent Redirect\r\nLocation: http://h/\r\n",
        ),
        ("/cookies/set?a=1&b=2", b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/\r\n"),
        ("/stream/2", b"7\r\nline 0\n\r\n7\r\nline 1\n\r\n0\r\n\r\n"),
        ("/slow/1", b"late"),
        ("/flaky/k/1?retry_after=3", b"Retry-After: 3\r\n"),
        ("/gzip", b"Content-Encoding: gzip\r\n"),
    ],
)
async def test_echo_answers(echo: EchoServer, path: str, contains: bytes) -> None:
    async with nothing_left():
        got, _ = await talk(echo.url(path), until=contains)
    assert contains in got


async def test_echo_gives_cookies_back(echo: EchoServer) -> None:
    url = echo.url("/cookies")
    assert json.loads(await body_of(url, request(url, "Cookie: a=1; b=2"))) == {"a": "1", "b": "2"}


async def test_echo_compresses_its_sample(echo: EchoServer) -> None:
    for coding in ("gzip", "deflate", "br"):
        packed = await body_of(echo.url(f"/{coding}"))
        assert json.loads(_unpack(f"/{coding}", packed)) == JSON_SAMPLE
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    assert json.loads(unpacker.decompress(await body_of(echo.url("/zstd")))) == JSON_SAMPLE
    assert json.loads(await body_of(echo.url("/json"))) == JSON_SAMPLE


async def test_echo_is_flaky_and_counts(echo: EchoServer) -> None:
    heads = [(await talk(echo.url("/flaky/key/2"), until=b"HTTP"))[0][:13] for _ in range(3)]
    assert heads == [b"HTTP/1.1 503 ", b"HTTP/1.1 503 ", b"HTTP/1.1 200 "]
    assert json.loads(await body_of(echo.url("/count/key"))) == {"count": 4}
    assert echo.seen == {"key": 4}


async def test_echo_gives_bytes(echo: EchoServer) -> None:
    assert await body_of(echo.url("/bytes/300")) == bytes([*range(256), *range(44)])


async def test_echo_takes_an_upload_apart(echo: EchoServer) -> None:
    text = b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    disposition = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n'
    data = b"Content-Type: application/octet-stream\r\n\r\n\xff\x00\r\n--B--\r\n"
    url = echo.url("/upload")
    kind = "Content-Type: multipart/form-data; boundary=B"
    sent = request(url, kind, method="POST", body=text + disposition + data)
    note, file = json.loads(await body_of(url, sent))
    assert (note["name"], note["filename"], note["text"]) == ("note", None, "hello")
    assert (file["name"], file["filename"], file["text"], file["size"]) == ("f", "a.bin", None, 2)
    assert file["content_type"] == "application/octet-stream"


async def test_echo_answers_over_tls_and_leaves_nothing(tls: TlsContexts) -> None:
    async with nothing_left(), EchoServer(ssl_context=tls.trusted) as server:
        got, _ = await talk(server.url("/slow/60000"), context=tls.client, until=b"")
        assert got == b""
        got, _ = await talk(server.url("/json"), context=tls.client, until=b"}")
        assert got.startswith(b"HTTP/1.1 200 OK")
