"""The probes of the doctor measure one step each, and leave no connection open."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
import trustme
from tests.patience import until
from tests.servers.listener import LOOPBACK, refused_port, unanswered_port
from tests.servers.tls import TlsContexts

from railhttp.cli import probe
from railhttp.model.diagnosis import NameFacts, RouteFacts

PATIENCE = 60
LIMIT = 30.0


@dataclass
class Seen:
    """The connections of a server."""

    port: int = 0
    opened: int = 0
    ended: int = 0
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def server(
    reply: bytes = b"",
    context: ssl.SSLContext | None = None,
    host: str = LOOPBACK,
    *,
    closes: bool = False,
) -> AsyncIterator[Seen]:
    """A server that replies to a head, and counts the connections that its clients ended."""
    seen = Seen()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.opened += 1
        try:
            seen.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)
            if closes:
                writer.close()
            await reader.read()
        except (OSError, EOFError):
            pass
        seen.ended += 1
        writer.close()

    async with await asyncio.start_server(accept, host, 0, ssl=context) as listening:
        seen.port = listening.sockets[0].getsockname()[1]
        yield seen


# Names.


async def test_a_name_has_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(host: str, port: int, **_: object) -> list[object]:
        assert (host, port) == ("h.example", 80)
        one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))
        other = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0))
        return [one, other, one]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    facts = await probe.resolve("h.example", 80, LIMIT)
    assert (facts.host, facts.addresses, facts.error) == ("h.example", ("10.0.0.1", "::1"), "")
    assert 0 <= facts.seconds <= LIMIT


async def test_a_name_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    facts = await probe.resolve("h.example", 80, 0.25)
    assert facts == NameFacts("h.example", seconds=0.25, error="no response within 0.25 s")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such name"), "no such name"),
        (OSError(), "not a host name"),
        (UnicodeError("label too long"), "not a host name"),
    ],
)
async def test_a_name_that_does_not_resolve_has_a_reason(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        await asyncio.sleep(0.001)
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    facts = await probe.resolve("h.example", 80, LIMIT)
    assert (facts.host, facts.addresses, facts.error) == ("h.example", (), reason)
    assert 0 < facts.seconds <= LIMIT


# Routes.


async def test_a_route_is_tried_and_left() -> None:
    async with server() as seen:
        facts = await probe.connect(LOOPBACK, seen.port, LIMIT)
        await until(lambda: seen.ended)
    assert facts == RouteFacts(LOOPBACK, seen.port, facts.seconds)
    assert (seen.opened, seen.heads) == (1, [])
    assert 0 < facts.seconds < LIMIT


async def test_a_route_that_refuses_or_is_silent() -> None:
    with refused_port() as port:
        refused = await probe.connect(LOOPBACK, port, LIMIT)
    assert refused == RouteFacts(LOOPBACK, port, refused.seconds, "connection refused")
    assert 0 < refused.seconds < LIMIT
    with unanswered_port() as port:
        silent = await probe.connect(LOOPBACK, port, 0.25)
    assert silent == RouteFacts(LOOPBACK, port, 0.25, "silent for 0.25 s", timed_out=True)


@pytest.mark.parametrize(
    ("error", "words", "timed_out"),
    [
        (OSError(errno.ETIMEDOUT, "asyncio's own text"), "silent for 30 s", True),
        (OSError(errno.EHOSTUNREACH, "asyncio's own text"), "no route to host", False),
        (OSError("no number"), "OSError", False),
    ],
)
async def test_an_error_of_a_route_has_the_words_of_the_system(
    error: OSError, words: str, timed_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio, "open_connection", fail)
    facts = await probe.connect("10.0.0.1", 80, LIMIT)
    assert facts == RouteFacts("10.0.0.1", 80, facts.seconds, words, timed_out=timed_out)
    assert 0 <= facts.seconds <= LIMIT


# TLS.


async def test_a_handshake_shows_version_time_and_certificate_and_ends(tls: TlsContexts) -> None:
    async with server(context=tls.trusted) as seen:
        facts = await probe.handshake("localhost", LOOPBACK, seen.port, tls.client, LIMIT)
        await until(lambda: seen.ended)
    assert (facts.version, facts.reason, facts.detail) == ("TLSv1.3", None, "")
    assert (facts.otherwise_trusted, facts.skew) == (None, None)
    assert facts.certificate is not None
    assert "localhost" in facts.certificate.names
    assert 0 < facts.seconds < LIMIT
    assert seen.opened == 1


async def test_a_certificate_that_cannot_be_read_is_left_out(
    tls: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> None:
        raise ValueError

    monkeypatch.setattr(probe, "parse_certificate", fail)
    async with server(context=tls.trusted) as seen:
        facts = await probe.handshake("localhost", LOOPBACK, seen.port, tls.client, LIMIT)
    assert (facts.version, facts.certificate) == ("TLSv1.3", None)


async def test_the_certificate_must_have_the_name_of_the_host_and_not_of_its_address(
    tls: TlsContexts,
) -> None:
    async with server(context=tls.wrong_host) as seen:
        facts = await probe.handshake("other.example", LOOPBACK, seen.port, tls.client, LIMIT)
    assert (facts.reason, facts.version) == (None, "TLSv1.3")


async def test_the_system_decides_unless_a_context_is_given(tls: TlsContexts) -> None:
    async with server(context=tls.trusted) as seen:
        facts = await probe.handshake("localhost", LOOPBACK, seen.port, None, LIMIT)
        await until(lambda: seen.ended == seen.opened)
    assert facts.reason in {"self-signed", "unknown authority"}
    assert facts.certificate is not None


@pytest.mark.parametrize(
    ("context", "reason", "others"),
    [("expired", "expired", 3), ("wrong_host", "wrong host", 2), ("untrusted", None, 1)],
)
async def test_a_certificate_that_is_refused_is_shown_and_each_probe_ends(
    tls: TlsContexts, context: str, reason: str | None, others: int
) -> None:
    reply = b"HTTP/1.1 200 OK\r\nServer: date\r\nDATE: Thu, 01 Jan 1970 00:01:00 GMT\r\n\r\n"
    async with server(reply, getattr(tls, context)) as seen:
        facts = await probe.handshake("localhost", LOOPBACK, seen.port, tls.client, LIMIT)
        await until(lambda: seen.ended == seen.opened)
        await asyncio.sleep(0)
    assert facts.reason in ({reason} if reason else {"self-signed", "unknown authority"})
    assert facts.detail
    assert facts.certificate is not None
    assert facts.otherwise_trusted is None  # only the default context can be compared
    assert (facts.skew is not None) is (reason == "expired")
    if facts.skew is not None:
        assert facts.skew < -1_000_000_000
        host = f"Host: localhost:{seen.port}"
        head = f"HEAD / HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n"
        assert seen.heads == [head.encode()]


async def skew(reply: bytes, host: str = "localhost", address: str = LOOPBACK) -> float | None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    async with server(reply, context, address) as seen, asyncio.timeout(PATIENCE):
        try:
            return await probe._skew(host, address, seen.port)
        finally:
            await until(lambda: seen.ended)
            heads.extend(seen.heads)


heads: list[bytes] = []


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        (b"Date: Thu, 01 Jan 1970 00:01:00 GMT\r\n", True),
        (b"A: 1\r\ndate:Thu, 01 Jan 1970 00:01:00 GMT  \r\nB: 2\r\n", True),
        (b"X-Date: Thu, 01 Jan 1970 00:01:00 GMT\r\n", False),
        (b"Date: tomorrow\r\n", False),
        (b"A: " + b"a" * 60_000 + b"\r\nDate: Thu, 01 Jan 1970 00:01:00 GMT\r\n", True),
        (b"", False),
    ],
)
async def test_the_time_of_a_server_is_read_from_its_head(fields: bytes, known: bool) -> None:
    found = await skew(b"HTTP/1.1 400 Bad Request\r\n" + fields + b"\r\n")
    assert (found is not None) is known
    assert (found or 0) <= 0


async def test_an_address_of_ipv6_is_in_brackets_in_its_host() -> None:
    heads.clear()
    await skew(b"HTTP/1.1 200 OK\r\n\r\n", "::1", "::1")
    (head,) = heads
    assert head.startswith(b"HEAD / HTTP/1.1\r\nHost: [::1]:")


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000]
)
async def test_a_handshake_is_explained_even_if_nothing_else_is_said(
    tls: TlsContexts, reply: bytes
) -> None:
    async with server(reply, tls.expired, closes=True) as seen:
        facts = await probe.handshake("localhost", LOOPBACK, seen.port, tls.client, LIMIT)
        await until(lambda: seen.ended == seen.opened)
    assert (facts.reason, facts.skew) == ("expired", None)
    assert facts.certificate is not None


async def test_each_handshake_names_the_host_that_is_wanted(tls: TlsContexts) -> None:
    """RFC 6066, section 3: a server may choose its certificate by the name."""
    names: list[str | None] = []

    def note(_: object, name: str | None, __: object) -> None:
        names.append(name)

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("h.example", not_after=datetime(2001, 1, 1)).configure_cert(context)
    context.sni_callback = note
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with server(b"HTTP/1.1 200 OK\r\n\r\n", context) as seen:
        facts = await probe.handshake("h.example", LOOPBACK, seen.port, trusting, LIMIT)
    assert facts.reason == "expired"
    assert names == ["h.example"] * 3


def test_an_error_of_tls_without_a_reason_has_none_to_show() -> None:
    error = ssl.SSLError()
    error.reason = None  # type: ignore[assignment]  # OpenSSL may name none
    assert probe._reason(error) == ("other", "")
