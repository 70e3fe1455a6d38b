"""Puts one request on a connection, and waits for the head of its response.

`ClientSession.request` does that and much more: it merges defaults, follows redirects, arms timers,
builds objects for hooks, and sends a request a second time when its connection drops. All of that
is decided elsewhere here, the second send by the retry policy alone
(tests/transport/test_exchange.py::test_a_dropped_request_is_sent_only_once). What is left is
aiohttp's connector, its connections and its parser.
"""

import math
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple, cast

from aiohttp import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientProxyConnectionError,
    ClientSession,
    ClientTimeout,
    hdrs,
)
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, getversion
from yarl import URL

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import AttemptState, Stage
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.connector import Destination, KeepaliveConnector, Lease
from railhttp.transport.reply import STOPPED, Reply
from railhttp.transport.upload import Upload
from railhttp.wire.request_head import (
    closes_connection,
    content_length,
    proxy_credentials,
    request_head,
)

_AT_ONCE: Final = 64 * 1024  # what a transport takes before it asks for a pause


class Address(NamedTuple):
    """Where a request goes, and how it begins.

    Attributes:
        key: Which connections lead there.
        head: The request's head.
        proxy: What it goes through; None is nothing.
        credentials: What the proxy is told where it opens a tunnel; empty is nothing.
        closes: Whether the connection is closed after it, as its head says.
    """

    key: ConnectionKey
    head: bytes
    proxy: URL | None
    credentials: str
    closes: bool


class Dispatcher:
    """Sends the requests of one session.

    Args:
        session: Its cookie jar and default header fields are used.
        connector: Its connector.
        proxy_for: Finds the proxy for a URL; None is nothing.
    """

    __slots__ = ("_connector", "_fields", "_jar", "_key", "_plain", "_proxy_for", "session")

    def __init__(
        self,
        session: ClientSession,
        connector: KeepaliveConnector,
        proxy_for: Callable[[URL], URL | None],
    ) -> None:
        self.session = session
        self._connector = connector
        self._proxy_for = proxy_for
        self._jar = session.cookie_jar
        # `getversion` is typed for multi-dicts of objects alone.
        self._fields = cast("CIMultiDict[object]", session.headers)
        self._key = lru_cache(maxsize=64)(_connection_key)
        self._plain = lru_cache(maxsize=1024)(self._address_plain)

    def dispatch(self, request: Request, progress: AttemptState) -> Awaitable[Reply]:
        """Send a request and wait for the head of its response.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.

        Returns:
            The response, with its body unread and its connection held; to be awaited at once.

        Raises:
            HTTPValidationError: The environment names a proxy that cannot be used.
            Exception: Whatever aiohttp raises; see `railhttp.transport.exception_map`.
        """
        address = self._address(request)
        lease = self._connector.take_idle(address.key)
        if lease is None:
            return self._connected(request, address, progress)
        return self._exchanged(request, address, progress, lease)

    async def _connected(self, request: Request, address: Address, progress: AttemptState) -> Reply:
        self._check_open()
        route = request.options
        destination = partial(
            Destination,
            request.url.origin(),
            address.proxy,
            route.ssl_context,
            address.credentials,
            progress,
        )
        timeout = _timeout(route.connect_timeout, route.read_timeout)
        try:
            lease = await self._connector.connected(address.key, destination, timeout)
        except Exception as error:
            self._check_open()
            if address.proxy is not None and isinstance(error, ClientConnectorDNSError):
                raise ClientProxyConnectionError(address.key, error.os_error) from error
            raise
        return await self._exchanged(request, address, progress, lease)

    async def _exchanged(
        self, request: Request, address: Address, progress: AttemptState, lease: Lease
    ) -> Reply:
        progress.stage = Stage.SENDING
        protocol = lease.protocol
        upload: Upload | None = None
        try:
            protocol.expect(request.method != "HEAD", request.options.read_timeout)
            upload = _send(protocol, request, address.head)
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:
                if message.code == 100 and upload is not None:
                    upload.go_ahead()
                if upload is None or not upload.is_sending:
                    protocol.expect_more()
                message, content = await protocol.read()
            if address.closes or message.code < 200:  # what follows a 101 is no answer of ours
                protocol.force_close()
            if hdrs.SET_COOKIE in message.headers:
                cookies = message.headers.getall(hdrs.SET_COOKIE)
                self._jar.update_cookies_from_headers(cookies, request.url)
        except BaseException as error:
            if upload is not None:
                upload.cancel()
            lease.give_back(reusable=False)
            if isinstance(error, Exception):
                self._check_open()
            raise
        return Reply(message, content, lease, upload)

    def _check_open(self) -> None:
        if self.session.closed:
            raise HTTPConnectionError(STOPPED, kind="closed")

    def _address(self, request: Request) -> Address:
        # No bool: a jar of one's own need not have it.
        if request.is_plain and len(self._jar) == 0:
            # Who changes the session's fields changes the heads, so their version is asked.
            return self._plain(request.method, request.url_text, getversion(self._fields))
        return self._addressed(request, self._cookies(request))

    def _address_plain(self, method: str, url: str, version: int) -> Address:
        plain = Request(method, URL(url, encoded=True), None, None, None, SendOptions())
        return self._addressed(plain, cookies="")

    def _addressed(self, request: Request, cookies: str) -> Address:
        url, route = request.url, request.options
        chosen = route.proxy
        proxy = self._proxy_for(url) if chosen is None else URL(chosen) if chosen else None
        defaults = self.session.headers
        forwarding, credentials = proxy, ""
        if proxy is not None and url.scheme == "https":  # it leads a tunnel
            forwarding, credentials = None, proxy_credentials(request, defaults)
        head = request_head(request, defaults, cookies=cookies, proxy=forwarding)
        key = self._key(url.origin(), proxy, route.ssl_context, credentials)
        return Address(key, head, proxy, credentials, closes_connection(head))

    def _cookies(self, request: Request) -> str:
        kept = self._jar.filter_cookies(request.url)
        cookies = {name: cookie.coded_value for name, cookie in kept.items()}
        cookies.update(request.cookies or {})
        return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _connection_key(
    origin: URL, proxy: URL | None, tls: ssl.SSLContext | bool | None, credentials: str
) -> ConnectionKey:
    return Destination(origin, proxy, tls, credentials).connection_key


def _send(protocol: StrictResponseHandler, request: Request, head: bytes) -> Upload | None:
    """Send a request; what is still to be sent of it comes back."""
    transport = protocol.transport
    if transport is None:
        raise ClientConnectionError("the connection is closed")
    body, progress = request.body, request.options.upload_progress
    headers = request.headers
    waits = body is not None and headers is not None and _expects_go_ahead(headers)
    rest: StreamBody | None = None
    match body:
        case None:
            transport.write(head)
        case BytesBody(content) if len(content) <= _AT_ONCE and progress is None and not waits:
            transport.write(head + content)
        case BytesBody(content):
            transport.write(head)
            rest = StreamBody((content,), "")
        case StreamBody():
            transport.write(head)
            rest = body
    if rest is None:
        if request.options.read_timeout is not None:
            protocol.start_timeout()
        return None
    return Upload(protocol, rest, content_length(request), progress, waits=waits)


def _expects_go_ahead(headers: Mapping[str, str]) -> bool:
    return any(
        name.lower() == "expect" and value.lower() == "100-continue"
        for name, value in headers.items()
    )


@lru_cache(maxsize=256)
def _timeout(connect: float | None, read: float | None) -> ClientTimeout:
    # Without a threshold aiohttp rounds times above 5 s up to a whole second.
    return ClientTimeout(total=None, connect=connect, sock_read=read, ceil_threshold=math.inf)
