"""Each exception that the transport may raise has a row, or a reason to share its base's."""

import asyncio
import builtins
import importlib
import inspect
import pkgutil
import socket
import ssl
from collections.abc import Iterable
from types import ModuleType
from typing import Final

import aiohttp
import pytest
from aiohttp import http_exceptions, multipart, payload
from aiohttp._websocket.models import WebSocketError, WSHandshakeError
from aiohttp.client_exceptions import UploadAbortedError
from aiohttp.compression_utils import TooManyMembersError

from railhttp import (
    Delivery,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
)
from railhttp.model.stage import Stage
from railhttp.transport.exception_map import ROWS, safe_cause, to_failure
from railhttp.transport.request_body import RequestBodyError
from railhttp.wire.content import ContentError

SERVERS_ONLY: Final = (
    "aiohttp.web",  # and aiohttp.web_*: exceptions of a server's handlers
    "aiohttp.worker",  # gunicorn's
    "aiohttp.test_utils",
    "aiohttp.pytest_plugin",
)

MEANS_WHAT_ITS_BASE_MEANS: Final[dict[str, tuple[type[BaseException], ...]]] = {
    "an invalid response, in finer detail than a caller needs": (
        http_exceptions.BadHttpMessage,
        http_exceptions.BadHttpMethod,
        http_exceptions.BadStatusLine,
        http_exceptions.ContentEncodingError,
        http_exceptions.ContentLengthError,
        http_exceptions.HttpBadRequest,
        http_exceptions.InvalidHeader,
        http_exceptions.InvalidURLError,
        http_exceptions.PayloadEncodingError,
        http_exceptions.TransferEncodingError,
    ),
    "an OSError is told apart by the stage and by its errno's text, not by its class": (
        *(BlockingIOError, BrokenPipeError, ChildProcessError, ConnectionError),
        *(ConnectionAbortedError, ConnectionRefusedError, ConnectionResetError),
        *(FileExistsError, FileNotFoundError, InterruptedError, IsADirectoryError),
        *(NotADirectoryError, PermissionError, ProcessLookupError),
    ),
    "a handshake that failed, whatever the step": (
        *(ssl.SSLCertVerificationError, ssl.SSLEOFError, ssl.SSLSyscallError),
        *(ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError),
    ),
    "the client speaks no websockets, so only code plugged in can raise it": (
        WebSocketError,
        WSHandshakeError,
    ),
    "the client does not use aiohttp's decompression and multipart reader": (
        TooManyMembersError,
        multipart.BadContentDispositionHeader,
        multipart.BadContentDispositionParam,
    ),
    "the client passes no body to aiohttp's payload registry": (payload.LookupError,),
    "the client does not use aiohttp's upload tracker": (UploadAbortedError,),
    "a defect of code plugged in: the transport waits on none of these": (
        *(asyncio.InvalidStateError, asyncio.QueueEmpty, asyncio.QueueFull),
        *(asyncio.BrokenBarrierError, asyncio.SendfileNotAvailableError),
        *(getattr(asyncio, "QueueShutDown", asyncio.QueueFull),),  # since Python 3.13
    ),
}


def exceptions_in(modules: Iterable[ModuleType]) -> set[type[BaseException]]:
    return {
        found
        for module in modules
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, BaseException) and name[0] != "_"
    }


def every_exception() -> set[type[BaseException]]:
    names = [module.name for module in pkgutil.walk_packages(aiohttp.__path__, "aiohttp.")]
    clients = [importlib.import_module(name) for name in names if not name.startswith(SERVERS_ONLY)]
    of_aiohttp = {
        found for found in exceptions_in(clients) if found.__module__.startswith("aiohttp")
    }
    of_the_system = {found for found in exceptions_in([builtins]) if issubclass(found, OSError)}
    others = exceptions_in([asyncio.exceptions, asyncio.queues, ssl, socket])
    return of_aiohttp | of_the_system | others


def test_every_exception_has_a_row_or_a_reason_to_have_none() -> None:
    reasoned = {found for classes in MEANS_WHAT_ITS_BASE_MEANS.values() for found in classes}
    assert every_exception() - ROWS.keys() == reasoned
    assert len(every_exception()) > 80


def test_no_row_has_become_idle() -> None:
    ours_or_pythons = {cls for cls in ROWS if cls.__module__.split(".")[0] in {"railhttp", "json"}}
    builtin = {cls for cls in ROWS if cls.__module__ in {"builtins", "http.cookies"}}
    assert ROWS.keys() - every_exception() <= ours_or_pythons | builtin


QUEUED, CONNECTING, SENDING, ANSWERED = Stage


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


A_BAD_BODY = RequestBodyError("ended after 3 of 4 bytes")
WRAPPED = caused(aiohttp.ClientConnectionError(), A_BAD_BODY)


@pytest.mark.parametrize(
    ("error", "stage", "failure", "label"),
    [
        (OSError(), CONNECTING, HTTPConnectionError, "connect"),
        (OSError(), SENDING, HTTPConnectionError, "disconnected"),
        (socket.gaierror(), CONNECTING, HTTPConnectionError, "dns"),
        (ssl.SSLError(), CONNECTING, HTTPConnectionError, "tls"),
        (aiohttp.ServerDisconnectedError(), SENDING, HTTPConnectionError, "disconnected"),
        (aiohttp.ClientPayloadError(), ANSWERED, HTTPConnectionError, "truncated"),
        (asyncio.IncompleteReadError(b"", 1), ANSWERED, HTTPConnectionError, "truncated"),
        (http_exceptions.BadStatusLine(), ANSWERED, HTTPConnectionError, "protocol"),
        (ContentError("cut", truncated=True), ANSWERED, HTTPConnectionError, "truncated"),
        (ContentError("corrupt"), ANSWERED, HTTPDecodeError, "decode"),
        (aiohttp.ConnectionTimeoutError(), QUEUED, HTTPTimeoutError, "pool"),
        (aiohttp.ConnectionTimeoutError(), CONNECTING, HTTPTimeoutError, "connect"),
        (TimeoutError(), ANSWERED, HTTPTimeoutError, "read"),
        (aiohttp.SocketTimeoutError(), SENDING, HTTPTimeoutError, "read"),
        (RuntimeError("Session is closed"), QUEUED, HTTPConnectionError, "closed"),
        (RuntimeError("no address"), CONNECTING, HTTPConnectionError, "dns"),
        (RuntimeError("of a trace hook"), SENDING, HTTPInterceptorError, "interceptor"),
        (asyncio.CancelledError(), QUEUED, HTTPConnectionError, "closed"),
        (
            http_exceptions.LineTooLong(b"", 8190),
            ANSWERED,
            HTTPResponseTooLargeError,
            "response too large",
        ),
        (UnicodeError(), CONNECTING, HTTPInvalidRequestError, "url"),
        (UnicodeError(), ANSWERED, HTTPDecodeError, "decode"),
        (ValueError(), QUEUED, HTTPInvalidRequestError, "request"),
        (KeyError(), SENDING, HTTPInterceptorError, "interceptor"),
        (A_BAD_BODY, SENDING, HTTPInvalidRequestError, "data"),
        (WRAPPED, SENDING, HTTPInvalidRequestError, "data"),
        (caused(aiohttp.ClientOSError(), A_BAD_BODY), SENDING, HTTPInvalidRequestError, "data"),
    ],
)
def test_what_an_exception_means(
    error: BaseException, stage: Stage, failure: type[HTTPFailure], label: str
) -> None:
    found = to_failure(error, stage, {"method": "GET", "delivery": stage.delivery})
    assert (type(found), found.label, found.delivery) == (failure, label, stage.delivery)


def test_the_limit_that_a_line_broke_is_told() -> None:
    found = to_failure(http_exceptions.LineTooLong(b"", 8190), Stage.ANSWERED, {})
    assert isinstance(found, HTTPResponseTooLargeError)
    assert (found.limit, found.delivery) == (8190, Delivery.ANSWERED)


def test_the_systems_reason_stands_in_the_message() -> None:
    error = caused(aiohttp.ClientPayloadError(), ConnectionResetError(104, "Connection reset"))
    message = to_failure(error, Stage.ANSWERED, {}).message
    assert message == "the response ended early: Connection reset"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (refused := ConnectionRefusedError(), refused),
        (caused(aiohttp.ClientConnectionError("url"), refused), refused),
        (caused(caused(KeyError(), ValueError()), refused), refused),
        (aiohttp.ClientOSError(104, "http://h/?token=abc"), None),
        (caused(RequestBodyError(), mine := KeyError("mine")), mine),
        (ValueError("Cookie: secret"), None),
    ],
)
def test_a_cause_is_the_systems_or_the_callers_own(
    error: BaseException, cause: BaseException | None
) -> None:
    assert safe_cause(error) is cause
