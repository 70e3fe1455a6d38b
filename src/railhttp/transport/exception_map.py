"""A pure, total table from the exceptions of aiohttp, asyncio, ssl and sockets to one failure each.

Look-up follows the MRO of an exception: the most specific row wins, and an unknown class is
treated as its nearest known base. tests/transport/test_exception_map.py pins the meaning of every
exception, and fails if a new aiohttp adds one.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from http.cookies import CookieError
from typing import Final, TypeAlias

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.http_exceptions import DecompressSizeError, HttpProcessingError, LineTooLong
from aiohttp.streams import EofStream

from railhttp.model.errors import (
    CallInfo,
    ConnectionKind,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.stage import Stage
from railhttp.transport.request_body import RequestBodyError
from railhttp.wire.content import ContentError

Row: TypeAlias = Callable[[BaseException, Stage, CallInfo], HTTPFailure]


def to_failure(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    """Return the failure that an exception stands for.

    Args:
        error: Any exception raised during an exchange.
        stage: The stage at which it was raised; the same exception may mean different failures.
        call: The details that the failure carries, such as its delivery.

    Example:
        >>> to_failure(ConnectionRefusedError(), Stage.CONNECTING, {"method": "GET"}).label
        'connect'
    """
    return _row_of(type(error))(error, stage, call)


def _row_of(cls: type[BaseException]) -> Row:
    return next(ROWS[base] for base in cls.__mro__ if base in ROWS)


def safe_cause(error: BaseException) -> BaseException | None:
    """Return the part of an exception chain that may become the `__cause__` of a failure.

    A traceback prints the text of every cause. The texts of aiohttp contain URLs and header fields;
    those of the operating system and of the caller's code do not.

    Returns:
        The nearest exception in the chain that the system or the caller's code raised, or None.

    Example:
        >>> safe_cause(aiohttp.ClientPayloadError("http://h/?token=abc")) is None
        True
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, RequestBodyError):
            return seen.__cause__
        if isinstance(seen, OSError) and not isinstance(seen, aiohttp.ClientError):
            return seen
        seen = seen.__cause__
    return None


def _connection(kind: ConnectionKind, message: str) -> Row:
    def row(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
        return HTTPConnectionError(message + _reason(error), kind=kind, **call)

    return row


def _timeout(phase: TimeoutPhase, message: str) -> Row:
    return lambda error, stage, call: HTTPTimeoutError(message, phase=phase, **call)


def _invalid(field: str, message: str) -> Row:
    return lambda error, stage, call: HTTPInvalidRequestError(message, field=field, **call)


def _decode(message: str) -> Row:
    return lambda error, stage, call: HTTPDecodeError(message, **call)


def _reason(error: BaseException) -> str:
    cause = safe_cause(error)
    text = cause.strerror if isinstance(cause, OSError) else None
    return f": {text}" if text else ""


def _plugged(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    return HTTPInterceptorError(f"code plugged into the transport raised {_name(error)}", **call)


def _name(error: BaseException) -> str:
    return type(error).__name__


def _too_large(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    limit = next((value for value in reversed(error.args) if isinstance(value, int)), 0)
    return HTTPResponseTooLargeError("a part of the response is too long", limit=limit, **call)


def _broken(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    """The connection or the operating system failed, before or after the connection was made."""
    if isinstance(error.__cause__, RequestBodyError):
        return _request_body(error.__cause__, stage, call)
    kind: ConnectionKind = "connect" if stage is Stage.CONNECTING else "disconnected"
    message = "cannot connect" if stage is Stage.CONNECTING else "the connection broke"
    return HTTPConnectionError(message + _reason(error), kind=kind, **call)


def _connector(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    """Tell TLS failures from others: aiohttp raises the same class for both.

    A peer that aborts the handshake leaves a `ConnectionError` without an errno.
    """
    cause = safe_cause(error)
    broken_off = isinstance(cause, ConnectionError) and cause.errno is None
    if broken_off or isinstance(cause, ssl.SSLError):
        return _TLS(error, stage, call)
    return HTTPConnectionError("cannot connect" + _reason(error), kind="connect", **call)


def _by_stage(queued: Row, connecting: Row, sending: Row, answered: Row) -> Row:
    """Return a row that means something else at each stage."""
    rows = {
        Stage.QUEUED: queued,
        Stage.CONNECTING: connecting,
        Stage.SENDING: sending,
        Stage.ANSWERED: answered,
    }
    return lambda error, stage, call: rows[stage](error, stage, call)


def _unless_connecting(row: Row) -> Row:
    """Return a row that blames the proxy while a connection is made: only it responds then."""
    return _by_stage(row, _PROXY, row, row)


def _request_body(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    message = str(error) if error.__cause__ is None else f"raised {_name(error.__cause__)}"
    return HTTPInvalidRequestError(f"the body {message}", field="data", **call)


def _content(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    if isinstance(error, ContentError) and error.truncated:
        return _TRUNCATED(error, stage, call)
    return HTTPDecodeError(str(error), where="Content-Encoding", **call)


_DNS = _connection("dns", "the host name cannot be resolved")
_PROXY = _connection("proxy", "the proxy refused")
_TLS = _connection("tls", "the TLS handshake failed")
_GONE = _connection("disconnected", "the server closed the connection without a response")
_TRUNCATED = _connection("truncated", "the response ended early")
_PROTOCOL = _connection("protocol", "the response is not valid HTTP")
_REDIRECT = _connection("redirect", "the redirect cannot be followed")
_CLOSED = _connection("closed", "the client was closed")
_SILENT = _timeout("read", "the server was silent for too long")
_INVALID = _invalid("request", "the request cannot be sent")
_BAD_URL = _invalid("url", "is not an http or https URL")
_BAD_HOST = _invalid("url", "has a host that is not valid")
_UNDECODABLE = _decode("the body cannot be decoded")
_TIMED_OUT = _by_stage(
    _timeout("pool", "no free connection in the pool"),
    _timeout("connect", "the connection was not made in time"),
    _SILENT,
    _SILENT,
)
# aiohttp raises RuntimeError if its session is closed, or if a resolver finds no address.
_RUNTIME = _by_stage(_CLOSED, _DNS, _plugged, _plugged)

ROWS: Final[Mapping[type[BaseException], Row]] = {
    # aiohttp: no connection, so nothing was sent
    aiohttp.ClientConnectorDNSError: _DNS,
    aiohttp.ClientProxyConnectionError: _connection("proxy", "cannot connect to the proxy"),
    aiohttp.ClientHttpProxyError: _PROXY,
    aiohttp.ClientConnectorCertificateError: _connection("tls", "the certificate is not trusted"),
    aiohttp.ClientConnectorSSLError: _TLS,
    aiohttp.ClientSSLError: _TLS,
    aiohttp.ServerFingerprintMismatch: _connection("tls", "the certificate is not the pinned one"),
    UnixClientConnectorError: _connector,
    aiohttp.ClientConnectorError: _connector,
    aiohttp.ConnectionTimeoutError: _TIMED_OUT,
    # aiohttp: the connection broke
    aiohttp.ClientConnectionResetError: _broken,
    aiohttp.ClientOSError: _broken,
    aiohttp.ServerDisconnectedError: _unless_connecting(_GONE),
    aiohttp.ServerConnectionError: _GONE,
    aiohttp.ClientConnectionError: _broken,
    aiohttp.SocketTimeoutError: _SILENT,
    aiohttp.ServerTimeoutError: _TIMED_OUT,
    # aiohttp: the response is invalid
    aiohttp.ClientPayloadError: _TRUNCATED,
    aiohttp.ContentTypeError: _UNDECODABLE,
    aiohttp.WSServerHandshakeError: _PROTOCOL,
    aiohttp.TooManyRedirects: _REDIRECT,
    aiohttp.ClientResponseError: _unless_connecting(_PROTOCOL),
    LineTooLong: _too_large,
    DecompressSizeError: _too_large,
    HttpProcessingError: _PROTOCOL,
    EofStream: _TRUNCATED,
    # aiohttp: the request is invalid
    aiohttp.InvalidUrlRedirectClientError: _REDIRECT,
    aiohttp.NonHttpUrlRedirectClientError: _REDIRECT,
    aiohttp.RedirectClientError: _REDIRECT,
    aiohttp.InvalidUrlClientError: _BAD_URL,
    aiohttp.NonHttpUrlClientError: _BAD_URL,
    aiohttp.InvalidURL: _BAD_URL,
    aiohttp.WSMessageTypeError: _INVALID,
    aiohttp.ClientError: _broken,
    # the operating system and TLS
    socket.gaierror: _DNS,
    socket.herror: _DNS,
    ssl.SSLError: _TLS,
    OSError: _broken,
    TimeoutError: _TIMED_OUT,
    # asyncio
    asyncio.CancelledError: _CLOSED,
    asyncio.IncompleteReadError: _TRUNCATED,
    asyncio.LimitOverrunError: _too_large,
    EOFError: _TRUNCATED,
    # this library and Python
    RequestBodyError: _request_body,
    ContentError: _content,
    json.JSONDecodeError: _UNDECODABLE,
    RecursionError: _UNDECODABLE,
    UnicodeError: _by_stage(_BAD_HOST, _BAD_HOST, _BAD_HOST, _UNDECODABLE),
    CookieError: _invalid("cookies", "are not valid"),
    ValueError: _INVALID,
    TypeError: _INVALID,
    RuntimeError: _RUNTIME,
    BaseException: _plugged,
}
"""One row for each class; `BaseException` makes the table total."""
