"""Puts one request on a connection, and waits for the head of its response.

`ClientSession.request` does that and much more: it merges defaults, follows redirects, arms timers,
builds objects for hooks, and sends a request a second time when its connection drops. All of that
is decided elsewhere here, the second send by the retry policy alone
(tests/transport/test_exchange.py::test_a_dropped_request_is_sent_only_once). What is left is
aiohttp's connector and its parser, a third of the cost (benchmarks: one request).
"""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Mapping
from functools import lru_cache
from http.cookies import BaseCookie, SimpleCookie
from typing import Final, cast

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from multidict import CIMultiDict, getversion
from yarl import URL

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.request import Request, Route
from railhttp.model.stage import Progress, Stage
from railhttp.transport.connector import Destination, KeepaliveConnector
from railhttp.transport.reply import Reply
from railhttp.transport.upload import Upload
from railhttp.wire.request_head import content_length, request_head

_AT_ONCE: Final = 64 * 1024  # what a transport takes before it asks for a pause


class Dispatcher:
    """Sends the requests of one session.

    Args:
        session: Its cookie jar and default header fields are used.
        connector: Its connector.
    """

    __slots__ = ("_connector", "_fields", "_key", "_plain", "session")

    def __init__(self, session: ClientSession, connector: KeepaliveConnector) -> None:
        self.session = session
        self._connector = connector
        # `getversion` is typed for multi-dicts of objects alone.
        self._fields = cast("CIMultiDict[object]", session.headers)
        self._key = lru_cache(maxsize=256)(_connection_key)
        self._plain = lru_cache(maxsize=1024)(self._address_plain)

    async def dispatch(self, request: Request, progress: Progress, proxy: URL | None) -> Reply:
        """Send a request and wait for the head of its response.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.
            proxy: What it goes through; None is nothing.

        Returns:
            The response, with its body unread and its connection held.

        Raises:
            Exception: Whatever aiohttp raises; see `railhttp.transport.exception_map`.
        """
        key, head = self._address(request, proxy)
        connection = self._connector.take_idle(key)
        if connection is None:
            connection = await self._connect(request, progress, proxy)
        progress.stage = Stage.SENDING
        try:
            reply = await _exchanged(request, head, connection)
        except BaseException:
            connection.close()
            raise
        if "Set-Cookie" in reply.headers:
            cookies = reply.headers.getall("Set-Cookie")
            self.session.cookie_jar.update_cookies_from_headers(cookies, request.url)
        return reply

    def _connect(
        self, request: Request, progress: Progress, proxy: URL | None
    ) -> Awaitable[Connection]:
        if self.session.closed:
            raise RuntimeError("the session is closed")  # as aiohttp says it itself
        route = request.route
        destination = Destination(request.url.origin(), proxy, route.ssl_context, progress)
        timeout = _timeout(route.connect_timeout, route.read_timeout)
        return self._connector.connect(destination, traces=[], timeout=timeout)

    def _address(self, request: Request, proxy: URL | None) -> tuple[ConnectionKey, bytes]:
        defaults = self.session.headers
        tls = request.route.ssl_context
        # No bool: a jar of one's own need not have it.
        if _is_plain(request) and len(self.session.cookie_jar) == 0:
            # Who changes the session's fields changes the heads, so their version is asked.
            return self._plain(request.method, request.url, proxy, tls, getversion(self._fields))
        cookies = self._cookies(request)
        head = request_head(
            request, defaults, cookies=cookies, proxy=_forwarding(request.url, proxy)
        )
        return self._key(request.url.origin(), proxy, tls), head

    def _address_plain(
        self, method: str, url: URL, proxy: URL | None, tls: ssl.SSLContext | bool | None, _: int
    ) -> tuple[ConnectionKey, bytes]:
        request = Request(method, url, None, None, None, Route())
        head = request_head(request, self.session.headers, proxy=_forwarding(url, proxy))
        return self._key(url.origin(), proxy, tls), head

    def _cookies(self, request: Request) -> str:
        cookies: BaseCookie[str] = self.session.cookie_jar.filter_cookies(request.url)
        if request.cookies:
            cookies.update(SimpleCookie(dict(request.cookies)))  # which quotes what needs it
        return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in cookies.items())


def _is_plain(request: Request) -> bool:
    return request.headers is None and request.body is None and request.cookies is None


def _forwarding(url: URL, proxy: URL | None) -> URL | None:
    """Give the proxy that reads the request; through all others lead tunnels."""
    return None if url.scheme == "https" else proxy


def _connection_key(
    origin: URL, proxy: URL | None, tls: ssl.SSLContext | bool | None
) -> ConnectionKey:
    return Destination(origin, proxy, tls).connection_key


async def _exchanged(request: Request, head: bytes, connection: Connection) -> Reply:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise ClientConnectionError("the connection is closed")
    protocol.set_response_params(
        skip_payload=request.method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        read_timeout=request.route.read_timeout,
        timeout_ceil_threshold=math.inf,
    )
    upload = _send(protocol, protocol.transport, request, head)
    try:
        while True:
            message, content = await protocol.read()
            if not 100 <= message.code < 200 or message.code == 101:
                return Reply(message, content, connection, upload)
            if upload is not None:
                upload.go_ahead()
    except BaseException:
        if upload is not None:
            upload.cancel()
        raise


def _send(
    protocol: ResponseHandler, transport: asyncio.Transport, request: Request, head: bytes
) -> Upload | None:
    """Send a request; what is still to be sent of it comes back."""
    body, progress = request.body, request.route.upload_progress
    waits = request.headers is not None and _expects_go_ahead(request.headers)
    if not waits:
        match body:
            case None:
                transport.write(head)
                protocol.start_timeout()
                return None
            case BytesBody(content) if len(content) <= _AT_ONCE and progress is None:
                transport.write(head + content)
                protocol.start_timeout()
                return None
    transport.write(head)
    stream = (
        body if isinstance(body, StreamBody) else StreamBody((body.content,) if body else (), "")
    )
    return Upload(protocol, stream, content_length(request), progress, waits=waits)


def _expects_go_ahead(headers: Mapping[str, str]) -> bool:
    return any(
        name.lower() == "expect" and value.lower() == "100-continue"
        for name, value in headers.items()
    )


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> ClientTimeout:
    # Without a threshold aiohttp rounds times above 5 s up to a whole second.
    return ClientTimeout(total=None, connect=connect, sock_read=read, ceil_threshold=math.inf)
