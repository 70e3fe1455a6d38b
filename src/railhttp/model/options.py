"""The keyword arguments that every verb takes."""

import ssl
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypedDict

from multidict import CIMultiDict

from railhttp.model.body import BodyData
from railhttp.model.url import QueryParams

ProgressCallback: TypeAlias = Callable[[int, int | None], object]
"""Gets the bytes transferred so far and in all, None where the latter is not known. It is called
on the spot, so it must be quick."""


class BodilessOptions(TypedDict, total=False):
    """`RequestOptions` but for `data`, for methods that have a parameter of that name."""

    headers: Mapping[str, str] | None
    params: QueryParams | None
    json: object
    cookies: Mapping[str, str] | None
    timeout: float | None
    attempt_timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    allow_redirects: bool
    max_redirects: int
    proxy: str | None
    ssl_context: ssl.SSLContext | bool | None
    upload_progress: ProgressCallback | None
    idempotency_key: str | bool | None


class RequestOptions(BodilessOptions, total=False):
    """What `request()` and the verbs take beside method and URL; all of it is optional.

    None as `headers`, `params`, `json`, `data`, `cookies`, `proxy`, `ssl_context`,
    `upload_progress` or `idempotency_key` is as if it were not given; as a time limit it is none.

    Attributes:
        headers: Header fields; each is sent, also where two have the same name (a multi-dict).
        params: Query parameters, added to those of the URL; see `build_url`.
        json: A document, sent as `application/json`.
        data: A body, see `BodyData`; not together with `json`.
        cookies: Cookies for this call's origin, on top of those in the jar. Values are sent as they
            are: printable ASCII without `;`.
        timeout: Seconds for the whole call: queue, retries, back-off and body. None is no limit.
        attempt_timeout: Seconds for one attempt. None is no limit.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds of silence allowed while waiting for the answer and inside it, and
            while the server takes nothing of what it is sent.
        allow_redirects: Whether redirects are followed (default True).
        max_redirects: How many of them.
        proxy: The URL of an HTTP proxy for this call; an empty string is no proxy.
        ssl_context: The TLS context of this call; False skips verification, True is the default.
        upload_progress: Told of the body's bytes as they are sent; a second attempt begins at 0
            again. What it raises fails the call like a body that cannot be read.
        idempotency_key: Sent as `Idempotency-Key`, the same in every attempt of the call, which
            makes a POST one that may be repeated; True draws one.

    Example:
        >>> options = RequestOptions(params={"page": 1}, timeout=5)
        >>> sorted(options)
        ['params', 'timeout']
    """

    data: BodyData | None


def with_default_headers(options: RequestOptions, defaults: Mapping[str, str]) -> RequestOptions:
    """Put header fields behind those of a call: of two with the same name the call's counts.

    Args:
        options: What the caller gave.
        defaults: Names, in any case, and values.

    Returns:
        New options; the caller's own where its headers are no mapping from text, which is refused
        later.

    Example:
        >>> given = RequestOptions(headers={"accept": "a/b"})
        >>> with_default_headers(given, {"Accept": "c/d", "X-Id": "7"})["headers"]
        <CIMultiDict('X-Id': '7', 'accept': 'a/b')>
    """
    given: object = options.get("headers")
    if given is None:
        given = {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        return options
    names = {name.lower() for name in given}
    missing = [field for field in defaults.items() if field[0].lower() not in names]
    return {**options, "headers": CIMultiDict([*missing, *given.items()])}
