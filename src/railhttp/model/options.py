"""The keyword arguments that every verb takes."""

import ssl
from collections.abc import Mapping
from typing import TypedDict

from railhttp.model.body import BodyData
from railhttp.model.url import QueryParams


class RequestOptions(TypedDict, total=False):
    """What `request()` and the verbs take beside method and URL; all of it is optional.

    Attributes:
        headers: Header fields; of two with the same name in any case the later one counts.
        params: Query parameters, added to those of the URL; see `build_url`.
        json: A document, sent as `application/json`; None sends no body.
        data: A body, see `BodyData`; not together with `json`.
        cookies: Cookies for this call's origin, on top of those in the jar.
        timeout: Seconds for the whole call: queue, retries, back-off and body. None is no limit.
        attempt_timeout: Seconds for one attempt. None is no limit.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds of silence allowed while waiting for the answer and inside it.
        allow_redirects: Whether redirects are followed (default True).
        max_redirects: How many of them.
        proxy: The URL of an HTTP proxy for this call; an empty string is no proxy.
        ssl_context: The TLS context of this call; False skips verification, True is the default.
    """

    headers: Mapping[str, str]
    params: QueryParams | None
    json: object
    data: BodyData | None
    cookies: Mapping[str, str]
    timeout: float | None
    attempt_timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    allow_redirects: bool
    max_redirects: int
    proxy: str | None
    ssl_context: ssl.SSLContext | bool
