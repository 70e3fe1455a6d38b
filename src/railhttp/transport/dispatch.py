"""Sends one request over a connection and waits for the head of its response.

`ClientSession.request` does much more: it merges defaults, follows redirects, starts timers, builds
objects for hooks, and silently sends a request again if its connection drops. Here other rooms
decide all of that; only the retry policy sends twice
(tests/transport/test_exchange.py::test_a_dropped_request_is_sent_only_once). Of aiohttp, this
module uses the connector and the connections.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Final, TypeAlias, cast

from aiohttp import (
    ClientSession,
    hdrs,
)
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, getversion
from yarl import URL

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.memo import Memo
from railhttp.model.request import Request, WireOptions
from railhttp.model.stage import AttemptState
from railhttp.policy.egress import Egress
from railhttp.transport.connection import Arrival, Content, StrictResponseHandler
from railhttp.transport.connector import KeepaliveConnector
from railhttp.transport.cookie_jar import CookieJar
from railhttp.transport.destination import check_egress, connection_key, held_to_proxy
from railhttp.transport.leasing import Address, Leasing
from railhttp.transport.sending import interim_came, start_sending, time_wait
from railhttp.transport.socks import is_socks
from railhttp.transport.upload import Upload
from railhttp.wire.content import ACCEPT_ENCODING
from railhttp.wire.request_head import (
    DefaultFields,
    proxy_credentials,
    request_head,
)
from railhttp.wire.response_head import ResponseHead

STOPPED: Final = "the client was stopped"

Received: TypeAlias = tuple[ResponseHead, Content, StrictResponseHandler, Upload | None]
"""A head, its body, their connection, and the request body if that is still being sent."""


class Dispatcher:
    """Sends the requests of one session.

    Args:
        session: The session whose default header fields are used.
        connector: The connector of that session.
        jar: Stores cookies; None to ignore them.
        proxy_for: Returns the proxy for a URL, or None.
        egress: The gate that every connection must pass.
    """

    __slots__ = (
        *("_defaults", "_direct", "_egress", "_fields", "_jar", "_key"),
        *("_leasing", "_loop", "_proxy_for"),
        *("connector", "session"),
    )

    def __init__(
        self,
        session: ClientSession,
        connector: KeepaliveConnector,
        jar: CookieJar | None,
        proxy_for: Callable[[URL], URL | None],
        egress: Egress | None = None,
    ) -> None:
        self.session = session
        self._egress = egress
        self.connector = connector
        self._leasing = Leasing(connector, egress)
        self._loop = asyncio.get_running_loop()
        self._proxy_for = proxy_for
        self._jar = jar
        # `getversion` is typed for multidicts of `object` only.
        self._fields = cast("CIMultiDict[object]", session.headers)
        self._key = lru_cache(maxsize=64)(connection_key)
        self._direct = Memo(_direct_key, size=1024)
        self._defaults = Memo(self._merge_defaults, size=1)

    def gated_by(self, egress: Egress) -> "Dispatcher":
        """Return a dispatcher that uses connections through an egress gate only."""
        return Dispatcher(self.session, self.connector, self._jar, self._proxy_for, egress)

    def abandon(self) -> None:
        """Give up the session of a closed loop: the garbage collector closes the descriptors."""
        self.connector.abandon()
        self.session.detach()

    def dispatch(
        self, request: Request, attempt: AttemptState, clock: Clock
    ) -> Awaitable[Received]:
        """Send a request and wait for the head of its response.

        This is a plain function that returns a coroutine, which saves a frame per request. Await
        the result at once: an idle connection has been taken already. Cookies expire by `clock`.

        Returns:
            The response, with its body unread; the caller must release the connection.

        Raises:
            HTTPValidationError: The environment names an invalid proxy.
            Exception: Any exception of aiohttp; see `railhttp.transport.exception_map`.
        """
        if request.redirected_from is not None:
            request = held_to_proxy(request, self._proxy_for)
        address = self._address(request, clock)
        idle = self.connector.take_idle(address.key)
        return self._exchanged(request, address, attempt, clock, idle)

    async def _exchanged(
        self,
        request: Request,
        address: Address,
        attempt: AttemptState,
        clock: Clock,
        connection: StrictResponseHandler | None,
    ) -> Received:
        upload: Upload | None = None
        response: asyncio.Future[Arrival] | None = None
        arrival: Arrival | None = None
        try:
            if connection is None:
                connection, arrival = await self._leasing.leased(request, address, attempt)
            timer = attempt.timer
            if arrival is None:
                since = 0.0 if timer is None else timer.now()
                response = self._loop.create_future()
                upload = start_sending(request, address.head, attempt, connection, response)
                if upload is not None:
                    connection.on_interim = partial(interim_came, connection, upload)
                head, content = await response
                if timer is not None:
                    time_wait(timer, upload, since)
            else:
                head, content = arrival
            if address.closes or head.status < 200:  # after a 101 the bytes are no longer HTTP
                connection.force_close()
            if hdrs.KEEP_ALIVE in head.headers:
                connection.obey(head.headers.getall(hdrs.KEEP_ALIVE))
            if self._jar is not None and hdrs.SET_COOKIE in head.headers:
                self._jar.receive(head.set_cookies(), request.url, clock.wall())
        except BaseException as error:
            self._give_up(connection, response, upload)
            if self.session.closed and isinstance(error, Exception):
                raise HTTPConnectionError(STOPPED, kind="closed") from error
            raise
        return head, content, connection, upload

    def _give_up(
        self,
        connection: StrictResponseHandler | None,
        response: "asyncio.Future[Arrival] | None",
        upload: Upload | None,
    ) -> None:
        if response is not None:
            response.cancel()
        if upload is not None:
            upload.cancel()
        if connection is not None:
            self.connector.take_back(connection, reusable=False)

    def _address(self, request: Request, clock: Clock) -> Address:
        jar = self._jar
        if request.cookies is not None or not (jar is None or jar.is_empty()):
            return self._addressed(request, self._cookies(request, clock))
        if request.lines is not None or request.body is not None:
            return self._addressed(request, "")
        # The version changes with the session's header fields.
        key, known = (self, getversion(self._fields)), request.encoded
        if known is not None and known[0] == key:
            return known[1]  # type: ignore[return-value]  # see below
        address = self._addressed(request, cookies="")
        object.__setattr__(request, "encoded", (key, address))
        return address

    def _merge_defaults(self, version: int) -> DefaultFields:
        # The session has no `Accept-Encoding`: aiohttp cannot undo all the codings that we can.
        del version
        defaults = CIMultiDict(self.session.headers)
        defaults.setdefault(hdrs.ACCEPT_ENCODING, ACCEPT_ENCODING)
        return DefaultFields(defaults)

    def _addressed(self, request: Request, cookies: str) -> Address:
        site, options = request.target.site, request.options
        if options.wire is not None:
            return self._addressed_by(options.wire, request, cookies)
        chosen = options.proxy
        proxy = self._proxy_for(site.origin) if chosen is None else URL(chosen) if chosen else None
        if proxy is None and options.ssl_context is None and self._egress is None:  # as usual
            defaults = self._defaults[getversion(self._fields)]
            head, closes = request_head(request, defaults, cookies)
            return Address(self._direct[site.text], head, None, "", closes)
        if self._egress is not None:
            check_egress(self._egress, request.url, proxy)
        defaults = self._defaults[getversion(self._fields)]
        forwarding, credentials = proxy, ""
        if is_socks(proxy):  # it carries bytes, and takes no part in HTTP
            forwarding = None
        elif proxy is not None and site.origin.scheme == "https":  # the proxy opens a tunnel
            forwarding, credentials = None, proxy_credentials(request, defaults)
        head, closes = request_head(request, defaults, cookies=cookies, proxy=forwarding)
        key = self._key(site.origin, proxy, options.ssl_context, credentials, self._egress)
        return Address(key, head, proxy, credentials, closes)

    def _addressed_by(self, wire: WireOptions, request: Request, cookies: str) -> Address:
        """Do the same as `_addressed` for a call with `WireOptions`."""
        url, options = request.url, request.options
        chosen = options.proxy
        proxy = self._proxy_for(url) if chosen is None else URL(chosen) if chosen else None
        if self._egress is not None:
            check_egress(self._egress, url, proxy)
        fields = self._defaults[getversion(self._fields)].fields.copy()
        for name in wire.skip_auto_headers:
            fields.popall(name, None)
        socks = is_socks(proxy)
        tunnel = proxy is not None and url.scheme == "https" and not socks
        if proxy is not None and not tunnel and not socks:
            # Such a proxy reads the fields of the request; those of the call come first.
            for name, text in wire.proxy_headers:
                fields.setdefault(name, text)
        if proxy is not None and not socks and wire.proxy_auth:
            request = request.with_headers({hdrs.PROXY_AUTHORIZATION: wire.proxy_auth})
        defaults = DefaultFields(fields)
        credentials = proxy_credentials(request, defaults) if tunnel else ""
        forwarding = None if tunnel or socks else proxy
        head, closes = request_head(request, defaults, cookies=cookies, proxy=forwarding)
        key = self._key(
            request.target.site.origin,
            proxy,
            options.ssl_context,
            credentials,
            self._egress,
            wire,
        )
        return Address(key, head, proxy, credentials, closes)

    def _cookies(self, request: Request, clock: Clock) -> str:
        own = request.cookies or {}
        pairs = [f"{name}={value}" for name, value in own.items()]
        if self._jar and (kept := self._jar.header_for(request.url, clock.wall(), without=own)):
            pairs.insert(0, kept)
        return "; ".join(pairs)


def _direct_key(origin: str) -> ConnectionKey:
    # By the text: a `URL` is hashed and compared in Python.
    return connection_key(URL(origin, encoded=True), None, None, "", None)
