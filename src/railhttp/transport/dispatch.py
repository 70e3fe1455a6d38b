"""Puts one request on a connection: the pieces of aiohttp in the order in which it uses them.

`ClientSession.request` does the same and more: it merges defaults, follows redirects, arms timers,
and sends a request a second time when its connection drops. All of that is decided elsewhere here,
the second send by the retry policy alone
(tests/transport/test_exchange.py::test_a_dropped_request_is_sent_only_once).
"""

import asyncio
import math
from functools import lru_cache
from http.cookies import BaseCookie, SimpleCookie
from typing import Final

from aiohttp import (
    BytesPayload,
    ClientConnectionError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
)
from aiohttp.connector import Connection
from aiohttp.payload import Payload
from multidict import CIMultiDict
from yarl import URL

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.options import ProgressCallback
from railhttp.model.request import Request
from railhttp.model.stage import Progress, Stage
from railhttp.transport.connector import StagedRequest
from railhttp.transport.request_body import StreamPayload

_LARGE: Final = 1024 * 1024  # above this aiohttp warns of bytes that are sent in one piece
_CONTENT_TYPE: Final = ("Content-Type",)
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


async def dispatch(
    session: ClientSession, request: Request, progress: Progress, proxy: URL | None
) -> ClientResponse:
    """Send a request and wait for the head of its response.

    Args:
        session: Whose connector and cookie jar are used.
        request: What to send.
        progress: The call; its stage is kept up to date.
        proxy: What it goes through; None is nothing.

    Returns:
        The response, with its body unread and its connection held.

    Raises:
        Exception: Whatever aiohttp raises; see `railhttp.transport.exception_map`.
    """
    if session.connector is None:
        raise RuntimeError("the session is closed")  # as aiohttp says it itself
    outgoing = _outgoing(session, request, proxy)
    outgoing.progress = progress
    route = request.route
    timeout = _timeout(route.connect_timeout, route.read_timeout)
    connection = await session.connector.connect(outgoing, traces=[], timeout=timeout)
    progress.stage = Stage.SENDING
    try:
        response = await _exchanged(outgoing, connection, route.read_timeout)
    except BaseException:
        connection.close()
        raise
    if "Set-Cookie" in response.headers:
        cookies = response.headers.getall("Set-Cookie")
        session.cookie_jar.update_cookies_from_headers(cookies, request.url)
    return response


async def _exchanged(
    outgoing: StagedRequest, connection: Connection, read_timeout: float | None
) -> ClientResponse:
    if connection.protocol is None:
        raise ClientConnectionError("the connection is closed")
    connection.protocol.set_response_params(
        skip_payload=outgoing.method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        read_timeout=read_timeout,
        timeout_ceil_threshold=math.inf,
    )
    response = await outgoing.send(connection)
    try:
        return await response.start(connection)
    except BaseException:
        response.close()
        raise


def _outgoing(session: ClientSession, request: Request, proxy: URL | None) -> StagedRequest:
    body = request.body
    tls = request.route.ssl_context
    return StagedRequest(
        request.method,
        request.url,
        headers=_headers(session, request),
        # Without a body aiohttp would still announce one of type application/octet-stream.
        skip_auto_headers=_CONTENT_TYPE if body is None and request.method in _WITH_BODY else None,
        data=None if body is None else _payload(body, request.route.upload_progress),
        cookies=_cookies(session, request),
        loop=asyncio.get_running_loop(),
        proxy=proxy,
        session=session,
        ssl=True if tls is None else tls,
    )


def _headers(session: ClientSession, request: Request) -> CIMultiDict[str]:
    if request.headers is None:
        return session.headers
    headers = CIMultiDict(session.headers)
    headers.update(request.headers)
    return headers


def _cookies(session: ClientSession, request: Request) -> BaseCookie[str]:
    cookies = session.cookie_jar.filter_cookies(request.url)
    if request.cookies:
        cookies.update(SimpleCookie(dict(request.cookies)))  # which quotes what needs it
    return cookies


def _payload(body: Body, progress: ProgressCallback | None) -> Payload:
    match body:
        case BytesBody() if len(body.content) <= _LARGE and progress is None:
            return BytesPayload(body.content, content_type=body.content_type)
        case BytesBody():
            return StreamPayload(StreamBody((body.content,), body.content_type), progress)
        case StreamBody():
            return StreamPayload(body, progress)


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> ClientTimeout:
    # Without a threshold aiohttp rounds times above 5 s up to a whole second.
    return ClientTimeout(total=None, connect=connect, sock_read=read, ceil_threshold=math.inf)
