"""The keyword arguments of `request()` and the verbs."""

import ssl
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypedDict

from multidict import CIMultiDict

from railhttp.model.body import BodyData
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.url import QueryParams

ProgressCallback: TypeAlias = Callable[[int, int | None], bool | float | str | None]
"""Called with the number of bytes transferred so far and the total, which is None if unknown. It
runs on the event loop, so it must be quick."""


class BodilessOptions(TypedDict, total=False):
    """`RequestOptions` without `data`, for verbs that have a parameter of that name."""

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
    retries: int | None
    retry_policy: RetryPolicyProtocol | None
    idempotent: bool


class RequestOptions(BodilessOptions, total=False):
    """The optional arguments of `request()` and the verbs.

    For a time limit, None means no limit. For `headers`, `params`, `json`, `data`, `cookies`,
    `proxy`, `ssl_context`, `upload_progress`, `idempotency_key`, `retries` and `retry_policy`, None
    is the same as leaving the option out.

    Attributes:
        headers: Header fields; a multi-dict may repeat a name, and each of its fields is sent.
        params: Query parameters, added to those of the URL; see `build_url`.
        json: A document, sent as `application/json`.
        data: A body, see `BodyData`; it cannot be combined with `json`.
        cookies: Cookies for the origin of this call, in addition to those of the jar. Values are
            sent unchanged: printable ASCII without `;`.
        timeout: Seconds for the whole call: queue, retries, back-off and body.
        attempt_timeout: Seconds for one attempt.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds without a byte from the server while the response is awaited or read,
            and seconds in which the server accepts no byte of an upload.
        allow_redirects: Whether redirects are followed; the default is True.
        max_redirects: The largest number of redirects that the call follows.
        proxy: The URL of an HTTP proxy for this call; an empty string means no proxy.
        ssl_context: The TLS context of this call. False disables verification, True means the
            context of the pool.
        upload_progress: Called as the bytes of the body are sent; each further attempt starts at 0
            again. An exception that it raises fails the call, like a body that cannot be read.
        idempotency_key: Sent as `Idempotency-Key`, with the same value in every attempt, so that a
            POST can be repeated safely; True generates one.
        retries: The largest number of retries of this call, by the rules of the client's policy; 0
            makes one attempt.
        retry_policy: The retry policy of this call, in place of the client's; it excludes
            `retries`.
        idempotent: Declares that a repeated request does no harm, whatever its method, so that a
            POST may be retried. Nothing is sent for it.

    Example:
        >>> options = RequestOptions(params={"page": 1}, timeout=5)
        >>> sorted(options)
        ['params', 'timeout']
    """

    data: BodyData | None


def with_default_headers(options: RequestOptions, defaults: Mapping[str, str]) -> RequestOptions:
    """Add default header fields to those of a call; a field of the call overrides a default.

    Returns:
        New options. If the headers of the call are invalid, `options` itself: they are refused
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
