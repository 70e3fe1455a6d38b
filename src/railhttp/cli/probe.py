"""Probes of one step each: the name, the route, TLS. They use asyncio directly, not the client."""

import asyncio
import os
import socket
import ssl
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final

from railhttp.model.diagnosis import Certificate, NameFacts, RouteFacts, TlsFacts, TlsReason
from railhttp.wire.certificate import parse_certificate

LONGEST_HEAD: Final = 65536
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python does not name


async def resolve(host: str, port: int, timeout: float) -> NameFacts:
    """Resolve a host name as a connection to it would."""
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return NameFacts(host, seconds=timeout, error=f"no response within {timeout:g} s")
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a host name"
        return NameFacts(host, seconds=time.monotonic() - started, error=reason)
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    return NameFacts(host, tuple(addresses), time.monotonic() - started)


async def connect(address: str, port: int, timeout: float) -> RouteFacts:
    """Connect to an address by TCP, and close the connection at once."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return RouteFacts(address, port, timeout, f"silent for {timeout:g} s", timed_out=True)
    except OSError as error:
        return RouteFacts(address, port, time.monotonic() - started, _words(error))
    seconds = time.monotonic() - started
    writer.transport.abort()
    return RouteFacts(address, port, seconds)


def _words(error: OSError) -> str:
    # asyncio puts the address into the error's own text.
    return os.strerror(error.errno).lower() if error.errno else type(error).__name__


async def handshake(
    host: str, address: str, port: int, context: ssl.SSLContext | None, timeout: float
) -> TlsFacts:
    """Make a TLS handshake, and find out why it failed.

    Args:
        host: The name that the certificate must have.
        address: The address to connect to.
        port: The port.
        context: The TLS context; the default one if None.
        timeout: Seconds for each of up to three handshakes.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            writer = await _tls(host, address, port, context or ssl.create_default_context())
    except (OSError, TimeoutError, EOFError) as error:
        reason, detail = _reason(error)
        return await _explain(reason, detail, host, address, port, context, timeout)
    seconds = time.monotonic() - started
    version, certificate = _shown(writer)
    writer.transport.abort()
    return TlsFacts(version, seconds, certificate=certificate)


async def _tls(host: str, address: str, port: int, context: ssl.SSLContext) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    return writer


def _shown(writer: asyncio.StreamWriter) -> tuple[str, Certificate | None]:
    tls = writer.get_extra_info("ssl_object")
    if not isinstance(tls, ssl.SSLObject):
        return "", None
    der = tls.getpeercert(binary_form=True)
    with suppress(ValueError):
        return tls.version() or "", parse_certificate(der) if der else None
    return tls.version() or "", None


_VERIFY_CODES: Final[dict[int, TlsReason]] = {
    9: "not yet valid",
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    20: "unknown authority",
    21: "unknown authority",
    62: "wrong host",
    64: "wrong host",
}
"""The codes X509_V_ERR_… of OpenSSL."""

_SSL_REASONS: Final[dict[str, TlsReason]] = {
    "WRONG_VERSION_NUMBER": "not TLS",
    "RECORD_LAYER_FAILURE": "not TLS",
    "HTTP_REQUEST": "not TLS",
    "UNSUPPORTED_PROTOCOL": "no common version",
    "NO_PROTOCOLS_AVAILABLE": "no common version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no common version",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "client certificate",
}
"""The names of OpenSSL's error codes."""


def _reason(error: Exception) -> tuple[TlsReason, str]:
    match error:
        case ssl.SSLCertVerificationError():
            return _VERIFY_CODES.get(error.verify_code, "other"), str(error.verify_message)
        case ssl.SSLError():
            name = error.reason or ""
            return _SSL_REASONS.get(name, "other"), name.replace("_", " ").lower()
        case TimeoutError():
            return "timed out", ""
        case _:
            return "broken off", ""


async def _explain(
    reason: TlsReason,
    detail: str,
    host: str,
    address: str,
    port: int,
    context: ssl.SSLContext | None,
    timeout: float,
) -> TlsFacts:
    if reason in {"not TLS", "no common version", "broken off", "timed out"}:
        return TlsFacts(reason=reason, detail=detail)
    certificate = skew = None
    with suppress(OSError, TimeoutError, EOFError):
        async with asyncio.timeout(timeout):
            writer = await _tls(host, address, port, unverified())
            _, certificate = _shown(writer)
            writer.transport.abort()
    if reason in {"expired", "not yet valid"}:
        # A head may be longer than the limit.
        with suppress(OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(timeout):
                skew = await _skew(host, address, port)
    trusted = None
    if context is None and reason in {"expired", "not yet valid", "wrong host"}:
        trusted = await _otherwise_trusted(host, address, port, timeout)
    return TlsFacts(
        reason=reason,
        detail=detail,
        certificate=certificate,
        otherwise_trusted=trusted,
        skew=skew,
    )


def unverified() -> ssl.SSLContext:
    """Make a TLS context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _otherwise_trusted(host: str, address: str, port: int, timeout: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_flags |= _NO_CHECK_TIME
    try:
        async with asyncio.timeout(timeout):
            (await _tls(host, address, port, context)).transport.abort()
    except (OSError, TimeoutError, EOFError):
        return False
    return True


async def _skew(host: str, address: str, port: int) -> float | None:
    """Ask for the server's time; over an unverified connection nothing but the host is sent."""
    reader, writer = await asyncio.open_connection(
        address, port, ssl=unverified(), server_hostname=host, limit=LONGEST_HEAD
    )
    try:
        name = f"[{host}]" if ":" in host else host
        request = f"HEAD / HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "date":
            return skew_of(value.strip(), time.time())
    return None


def skew_of(date: str, now: float) -> float | None:
    """Compare a `Date` field (RFC 9110, section 6.6.1) with the time here.

    Returns:
        How many seconds the server's clock is ahead; None if the field is not a date.

    Example:
        >>> skew_of("Thu, 01 Jan 1970 00:01:00 GMT", 0.0)
        60.0
    """
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except ValueError:
        return None
