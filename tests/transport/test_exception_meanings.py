"""What each exception means, written a second time: by HTTP and the socket, not by the table.

A letter for each stage: waiting for the pool, connecting, request on its way, response has begun.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from http.cookies import CookieError
from typing import Final

import aiohttp
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import DecompressSizeError, HttpProcessingError, LineTooLong
from aiohttp.streams import EofStream
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from railhttp import HTTPDecodeError, HTTPResponseTooLargeError
from railhttp.model.stage import Stage
from railhttp.transport.exception_map import ROWS, to_failure
from railhttp.transport.handshake import HandshakeRefusedError
from railhttp.transport.request_body import RequestBodyError
from railhttp.transport.tunnel import TunnelRefusedError
from railhttp.wire.content import ContentError
from railhttp.wire.response_head import ResponseError

INFO: Final = aiohttp.RequestInfo(URL("http://h/"), "GET", CIMultiDictProxy(CIMultiDict()))
KEY: Final = ConnectionKey("h", 80, False, True, None, None, None)
REFUSED: Final = ConnectionRefusedError(111, "Connection refused")
CERTIFICATE: Final = ssl.SSLCertVerificationError(1, "self-signed certificate")

ALWAYS: Final[dict[str, list[BaseException]]] = {
    # No address, no proxy, no trust: the request has not left.
    "HTTPConnectionError dns": [
        aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")),
        socket.gaierror(-2, "Name or service not known"),
        socket.herror(1, "Unknown host"),
    ],
    "HTTPConnectionError proxy": [
        aiohttp.ClientProxyConnectionError(KEY, REFUSED),
        aiohttp.ClientHttpProxyError(INFO, (), status=407),
        TunnelRefusedError(407),
    ],
    "HTTPConnectionError tls": [
        aiohttp.ClientConnectorCertificateError(KEY, CERTIFICATE),
        HandshakeRefusedError(),
        aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "handshake failure")),
        aiohttp.ClientSSLError(KEY, ssl.SSLError(1, "handshake failure")),
        aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 443),
        *(CERTIFICATE, ssl.SSLError(1, "alert"), ssl.SSLEOFError(8, "EOF")),
        *(ssl.SSLZeroReturnError(6, "closed"), ssl.SSLSyscallError(5, "system call")),
    ],
    # RFC 9110, 3.9 and 15.4: a redirect that leads nowhere is the fault of the response.
    "HTTPConnectionError redirect": [
        aiohttp.TooManyRedirects(INFO, ()),
        aiohttp.InvalidUrlRedirectClientError("http://["),
        aiohttp.NonHttpUrlRedirectClientError("ftp://h/"),
        aiohttp.RedirectClientError(),
    ],
    # RFC 9112, 8: an incomplete message.
    "HTTPConnectionError truncated": [
        aiohttp.ClientPayloadError("not all data"),
        asyncio.IncompleteReadError(b"", 1),
        EOFError(),
        EofStream(),
        ContentError("cut", truncated=True),
    ],
    "HTTPConnectionError protocol": [
        aiohttp.WSServerHandshakeError(INFO, ()),
    ],
    "HTTPConnectionError closed": [asyncio.CancelledError()],
    "HTTPConnectionError disconnected": [aiohttp.ServerConnectionError()],
    "HTTPTimeoutError read": [aiohttp.SocketTimeoutError()],
    "HTTPResponseTooLargeError response too large": [
        LineTooLong(b"", 8190),
        DecompressSizeError("bomb"),
        asyncio.LimitOverrunError("no separator", 9),
    ],
    "HTTPDecodeError Content-Encoding": [ContentError("corrupt")],
    "HTTPDecodeError ": [
        json.JSONDecodeError("no", "{", 1),
        RecursionError(),
        aiohttp.ContentTypeError(INFO, ()),
    ],
    "HTTPInvalidRequestError url": [
        aiohttp.InvalidURL("http://["),
        aiohttp.InvalidUrlClientError("http://["),
        aiohttp.NonHttpUrlClientError("ftp://h/"),
    ],
    "HTTPInvalidRequestError cookies": [CookieError("illegal key")],
    "HTTPInvalidRequestError data": [RequestBodyError("ended early")],
    "HTTPInvalidRequestError request": [
        ValueError(),
        TypeError(),
        aiohttp.WSMessageTypeError(),
    ],
    "HTTPInterceptorError interceptor": [
        KeyError(),
        StopIteration(),
        BaseException(),
        asyncio.QueueFull(),
    ],
}

# While connecting, a lost connection was never made, and only a proxy can have responded.
BY_STAGE: Final[list[tuple[str, list[BaseException]]]] = [
    (
        "disconnected connect disconnected disconnected",
        [
            aiohttp.ClientConnectionError(),
            aiohttp.ClientConnectionResetError(),
            aiohttp.ClientOSError(104, "reset"),
            aiohttp.ClientError(),
            *(OSError(), REFUSED, ConnectionResetError(104, "reset"), BrokenPipeError(32, "pipe")),
            *(PermissionError(13, "denied"), FileNotFoundError(2, "no such file")),
        ],
    ),
    ("disconnected proxy disconnected disconnected", [aiohttp.ServerDisconnectedError()]),
    (
        "protocol proxy protocol protocol",
        [
            aiohttp.ClientResponseError(INFO, ()),
            HttpProcessingError(message="bad"),
            ResponseError("bad"),
        ],
    ),
    (
        "pool connect read read",
        [TimeoutError(), aiohttp.ConnectionTimeoutError(), aiohttp.ServerTimeoutError()],
    ),
    ("url url url ", [UnicodeError(), UnicodeDecodeError("idna", b"", 0, 1, "label too long")]),
    ("closed dns interceptor interceptor", [RuntimeError("Session is closed")]),
]


def words(error: BaseException, stage: Stage) -> str:
    failure = to_failure(error, stage, {"delivery": stage.delivery})
    assert failure.delivery is stage.delivery
    told = failure.where if isinstance(failure, HTTPDecodeError) else failure.label
    return f"{type(failure).__name__} {told}"


def as_invented(error: BaseException) -> BaseException:
    """The same exception, as a class that nobody has heard of."""
    cls = type(error)
    invented: BaseException = type("InventedError", (cls,), {"__init__": lambda self: None})()
    invented.args = error.args
    for name, value in vars(error).items():
        setattr(invented, name, value)
    return invented


@pytest.mark.parametrize("known", [lambda error: error, as_invented], ids=["known", "invented"])
@pytest.mark.parametrize(
    ("error", "meaning"),
    [(error, meaning) for meaning, errors in ALWAYS.items() for error in errors],
    ids=lambda part: type(part).__name__ if isinstance(part, BaseException) else "",
)
def test_what_an_exception_means_at_any_stage(
    error: BaseException, meaning: str, known: Callable[[BaseException], BaseException]
) -> None:
    assert {words(known(error), stage) for stage in Stage} == {meaning}


@pytest.mark.parametrize("known", [lambda error: error, as_invented], ids=["known", "invented"])
@pytest.mark.parametrize(
    ("error", "labels"),
    [(error, labels) for labels, errors in BY_STAGE for error in errors],
    ids=lambda part: type(part).__name__ if isinstance(part, BaseException) else "",
)
def test_what_an_exception_means_at_each_stage(
    error: BaseException, labels: str, known: Callable[[BaseException], BaseException]
) -> None:
    found = [words(known(error), stage).partition(" ")[2] for stage in Stage]
    assert found == labels.split(" ")


@pytest.mark.parametrize("cls", [aiohttp.ClientConnectorError, UnixClientConnectorError])
@pytest.mark.parametrize(
    ("reason", "label"),
    [
        (REFUSED, "connect"),
        (ConnectionResetError(104, "reset"), "connect"),
        (ssl.SSLError(1, "alert"), "tls"),
        (ConnectionResetError(), "tls"),  # asyncio's, if the peer leaves in mid-handshake
    ],
)
def test_a_connector_fails_for_the_reason_that_the_system_gives(
    cls: type[aiohttp.ClientConnectorError], reason: OSError, label: str
) -> None:
    error = cls("/socket", KEY, reason) if cls is UnixClientConnectorError else cls(KEY, reason)
    error.__cause__ = reason
    assert words(error, Stage.CONNECTING) == f"HTTPConnectionError {label}"


def test_every_row_has_a_meaning_here() -> None:
    written = {type(error) for errors in ALWAYS.values() for error in errors}
    written |= {type(error) for _, errors in BY_STAGE for error in errors}
    written |= {aiohttp.ClientConnectorError, UnixClientConnectorError}
    assert ROWS.keys() <= written


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (LineTooLong(b"X: y", 8190), 8190),
        (LineTooLong(b"X: y", 8190, "9000"), 8190),
        (DecompressSizeError("bomb"), 0),
        (asyncio.LimitOverrunError("no separator", 9), 0),
    ],
)
def test_a_part_that_is_too_long_names_its_limit_if_it_is_known(
    error: BaseException, limit: int
) -> None:
    failure = to_failure(error, Stage.ANSWERED, {"method": "GET", "url": "http://h/"})
    assert isinstance(failure, HTTPResponseTooLargeError)
    assert failure.limit == limit
