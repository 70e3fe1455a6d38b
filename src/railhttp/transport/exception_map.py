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

from railhttp.model import errors
from railhttp.model.errors import CallInfo, HTTPFailure
from railhttp.model.stage import Stage
from railhttp.transport.handshake import HandshakeRefusedError
from railhttp.transport.request_body import RequestBodyError
from railhttp.transport.tunnel import TunnelRefusedError
from railhttp.wire.content import ContentError
from railhttp.wire.response_head import ResponseError

Row: TypeAlias = Callable[[BaseException, Stage, CallInfo], HTTPFailure]


def to_failure(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    """Return the failure that an exception stands for; it may be another one at another stage."""
    row = next(ROWS[base] for base in type(error).__mro__ if base in ROWS)
    return row(error, stage, call)


def safe_cause(error: BaseException) -> BaseException | None:
    """Return the part of an exception chain that may become the `__cause__` of a failure.

    A traceback prints the text of every cause. The texts of aiohttp contain URLs and header fields;
    those of the operating system and of the caller's code do not.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, RequestBodyError):
            return seen.__cause__
        if isinstance(seen, OSError) and not isinstance(seen, aiohttp.ClientError):
            return seen
        seen = seen.__cause__
    return None


def _connection(kind: errors.ConnectionKind, message: str) -> Row:
    def row(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
        cause = safe_cause(error)
        reason = cause.strerror if isinstance(cause, OSError) else None
        text = f"{message}: {reason}" if reason else message
        return errors.HTTPConnectionError(text, kind=kind, **call)

    return row


def _timeout(phase: errors.TimeoutPhase, message: str) -> Row:
    return lambda error, stage, call: errors.HTTPTimeoutError(message, phase=phase, **call)


def _invalid(field: str, message: str) -> Row:
    return lambda error, stage, call: errors.HTTPInvalidRequestError(message, field=field, **call)


def _plugged(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    what = f"code plugged into the transport raised {type(error).__name__}"
    return errors.HTTPInterceptorError(what, **call)


def _too_large(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    limit = next((value for value in reversed(error.args) if isinstance(value, int)), 0)
    message = "a part of the response is too long"
    return errors.HTTPResponseTooLargeError(message, limit=limit, **call)


def _broken(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    if isinstance(error.__cause__, RequestBodyError):
        return _request_body(error.__cause__, stage, call)
    row = _UNREACHABLE if stage is Stage.CONNECTING else _BROKEN_OFF
    return row(error, stage, call)


def _connector(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    """Tell TLS failures from others: aiohttp raises the same class for both.

    A peer that aborts the handshake leaves a `ConnectionError` without an errno.
    """
    cause = safe_cause(error)
    aborted = isinstance(cause, ConnectionError) and cause.errno is None
    row = _TLS if aborted or isinstance(cause, ssl.SSLError) else _UNREACHABLE
    return row(error, stage, call)


def _by_stage(queued: Row, connecting: Row, sending: Row, answered: Row) -> Row:
    rows = dict(zip(Stage, (queued, connecting, sending, answered), strict=True))
    return lambda error, stage, call: rows[stage](error, stage, call)


def _request_body(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    cause = error.__cause__
    message = str(error) if cause is None else f"raised {type(cause).__name__}"
    return errors.HTTPInvalidRequestError(f"the body {message}", field="data", **call)


def _response(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    if stage is Stage.CONNECTING:
        return _PROXY(error, stage, call)
    message = f"the response is not valid HTTP: {error}"
    return errors.HTTPConnectionError(message, kind="protocol", **call)


def _starved(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    message = str(error) or "no free connection in the pool"
    return errors.HTTPTimeoutError(message, phase="pool", **call)


def _undecodable(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    return errors.HTTPDecodeError("the body cannot be decoded", **call)


def _tunnel(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    status = error.status if isinstance(error, TunnelRefusedError) else None
    if status is None:
        return _PROXY(error, stage, call)
    message = f"the proxy refused with status {status}"
    return errors.HTTPConnectionError(message, kind="proxy", proxy_status=status, **call)


def _content(error: BaseException, stage: Stage, call: CallInfo) -> HTTPFailure:
    if isinstance(error, ContentError) and error.truncated:
        return _TRUNCATED(error, stage, call)
    return errors.HTTPDecodeError(str(error), where="Content-Encoding", **call)


_UNREACHABLE = _connection("connect", "cannot connect")
_BROKEN_OFF = _connection("disconnected", "the connection broke")
_DNS = _connection("dns", "the host name cannot be resolved")
_PROXY = _connection("proxy", "the proxy refused")  # only a proxy responds while connecting
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
_TIMED_OUT = _by_stage(
    _starved,
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
    TunnelRefusedError: _tunnel,
    HandshakeRefusedError: _TLS,
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
    aiohttp.ServerDisconnectedError: _by_stage(_GONE, _PROXY, _GONE, _GONE),
    aiohttp.ServerConnectionError: _GONE,
    aiohttp.ClientConnectionError: _broken,
    aiohttp.SocketTimeoutError: _SILENT,
    aiohttp.ServerTimeoutError: _TIMED_OUT,
    # aiohttp: the response is invalid
    aiohttp.ClientPayloadError: _TRUNCATED,
    aiohttp.ContentTypeError: _undecodable,
    aiohttp.WSServerHandshakeError: _PROTOCOL,
    aiohttp.TooManyRedirects: _REDIRECT,
    aiohttp.ClientResponseError: _by_stage(_PROTOCOL, _PROXY, _PROTOCOL, _PROTOCOL),
    LineTooLong: _too_large,
    DecompressSizeError: _too_large,
    HttpProcessingError: _by_stage(_PROTOCOL, _PROXY, _PROTOCOL, _PROTOCOL),
    ResponseError: _response,
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
    json.JSONDecodeError: _undecodable,
    RecursionError: _undecodable,
    UnicodeError: _by_stage(_BAD_HOST, _BAD_HOST, _BAD_HOST, _undecodable),
    CookieError: _invalid("cookies", "are not valid"),
    ValueError: _INVALID,
    TypeError: _INVALID,
    RuntimeError: _RUNTIME,
    BaseException: _plugged,
}
"""One row for each class; `BaseException` makes the table total."""
