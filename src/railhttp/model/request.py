"""A request, checked and complete: what an exchange sends."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from railhttp.model.body import Body


@dataclass(frozen=True, slots=True)
class Route:
    """How a request travels.

    Attributes:
        connect_timeout: Seconds for getting a connection; None is no limit.
        read_timeout: Seconds of silence while waiting for the answer and inside it.
        proxy: The proxy's URL; None leaves it to the pool, an empty string goes without.
        ssl_context: The TLS context; None leaves it to the pool, False skips verification.
        allow_redirects: Whether redirects are followed.
        max_redirects: How many of them.
        max_response_bytes: The largest body that is read into memory, after decompression.
    """

    connect_timeout: float | None = None
    read_timeout: float | None = None
    proxy: str | None = None
    ssl_context: ssl.SSLContext | bool | None = None
    allow_redirects: bool = True
    max_redirects: int = 10
    max_response_bytes: int = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: The method, upper-case.
        url: An absolute http(s) URL without user-info.
        headers: The caller's header fields; None where there are none.
        body: What it carries.
        cookies: Cookies for the URL's origin on top of those in the jar.
        route: How it travels.
    """

    method: str
    url: URL
    headers: Mapping[str, str] | None
    body: Body | None
    cookies: Mapping[str, str] | None
    route: Route
