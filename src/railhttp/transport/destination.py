"""Names where a connection goes, in the form that aiohttp's connector expects."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from aiohttp import ClientRequest, Fingerprint, hdrs
from aiohttp.client_reqrep import ConnectionKey
from typing_extensions import override
from yarl import URL

from railhttp.model.errors import HTTPConnectionError
from railhttp.model.request import Request, WireOptions
from railhttp.model.stage import AttemptState
from railhttp.policy.egress import Egress

_OF_THE_PROXY: Final = frozenset({"proxy-authorization"})


def refused_by_egress(reason: str) -> HTTPConnectionError:
    """Build the failure of a destination that the egress gate refuses."""
    return HTTPConnectionError(f"the egress gate refused: {reason}", kind="rejected")


class Destination(ClientRequest):
    """The destination of a connection, as the request object that aiohttp's connector expects.

    `credentials` are the `Proxy-Authorization` of a tunnel, and replace the user in `proxy`. If
    `tls` is None, the pool's context is used; False skips verification. The address must pass the
    gate `egress`.
    """

    def __init__(
        self,
        origin: URL,
        proxy: URL | None,
        tls: ssl.SSLContext | bool | None,
        credentials: str = "",
        attempt: AttemptState | None = None,
        egress: Egress | None = None,
        wire: WireOptions | None = None,
    ) -> None:
        fields: dict[str, str] = {}
        verified: ssl.SSLContext | bool | Fingerprint = True if tls is None else tls
        if wire is not None:
            fields.update(wire.proxy_headers)
            if wire.fingerprint is not None:
                verified = _pinned(wire.fingerprint)
        if proxy is not None and credentials:
            proxy = proxy.with_user(None)
            fields[hdrs.PROXY_AUTHORIZATION] = credentials
        if fields:
            # These fields are part of the connection key. aiohttp adds Host to them later, which
            # would change the key.
            fields[hdrs.HOST] = origin.host_port_subcomponent or ""
        super().__init__(
            "GET",
            origin,
            loop=asyncio.get_running_loop(),
            proxy=proxy,
            proxy_headers=fields or None,
            ssl=verified,
            server_hostname=None if wire is None else wire.server_hostname,
        )
        self.attempt = attempt
        self.egress: Egress | None = egress
        self.is_checked: bool = egress is None

    @property
    @override
    def connection_key(self) -> ConnectionKey:
        key = super().connection_key
        if self.egress is None:
            return key
        # A gate has connections of its own, each of which has passed it
        # (tests/client/test_egress.py, "shared pool"). There is no proxy, so the field is free.
        return key._replace(proxy_headers_hash=hash(self.egress))


@lru_cache(maxsize=64)
def _pinned(digest: bytes) -> Fingerprint:
    # aiohttp compares them by identity, and requests with equal ones share connections.
    return Fingerprint(digest)


def connection_key(
    origin: URL,
    proxy: URL | None,
    tls: ssl.SSLContext | bool | None,
    credentials: str,
    egress: Egress | None,
    wire: WireOptions | None = None,
) -> ConnectionKey:
    """Return the name of a destination; connections with one name are interchangeable."""
    return Destination(origin, proxy, tls, credentials, egress=egress, wire=wire).connection_key


def check_egress(egress: Egress, url: URL, proxy: URL | None) -> None:
    """Check all that is known before a connection is made; the connector checks its address."""
    reason = egress.refusal(url.scheme, url.raw_host or "", url.port or 0)
    if proxy is not None:
        reason = "a proxy would choose the address; set `trust_env=False` or `proxy=''`"
    if reason:
        raise refused_by_egress(reason)


def held_to_proxy(request: Request, proxy_for: Callable[[URL], URL | None]) -> Request:
    """Remove the call's credentials for a proxy if a redirect leads through another proxy."""
    first, options = request.redirected_from, request.options
    if first is None or options.proxy is not None or proxy_for(first) == proxy_for(request.url):
        return request
    lines = request.lines and request.lines.without(_OF_THE_PROXY)
    if options.wire is not None:
        wire = options.wire._replace(proxy_auth="", proxy_headers=())
        options = options._replace(wire=wire)
    return replace(request, lines=lines, options=options)
