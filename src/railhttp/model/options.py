"""The keyword arguments of `request()` and the verbs."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http.cookies import Morsel
from ssl import SSLContext
from typing import TYPE_CHECKING, TypeAlias, TypedDict, cast

from multidict import CIMultiDict, MultiDict
from yarl import URL

from railhttp.model.body import BodyData
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.url import QueryParams, QueryValue, Repeated

if TYPE_CHECKING:
    import aiohttp
else:

    class _Loaded:
        """Stands for aiohttp in the annotations below, so that this module does not import it."""

        def __getattr__(self, name: str) -> object:
            return getattr(sys.modules["aiohttp"], name)

    aiohttp = _Loaded()

ProgressCallback: TypeAlias = Callable[[int, int | None], bool | float | str | None]
"""Called with the number of bytes transferred so far and the total, which is None if unknown. It
runs on the event loop, so it must be quick."""

Query: TypeAlias = QueryParams | Sequence[tuple[str, QueryValue | Repeated[QueryValue]]] | str
"""Query parameters by name or as pairs; in a str, `&`, `=` and `+` keep their meaning."""

FormPairs: TypeAlias = Sequence[tuple[str, QueryValue]]
"""The fields of a form as pairs, which may repeat a name."""

HeaderFields: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]
"""Header fields; a multi-dict or pairs may repeat a name."""

CookieValues: TypeAlias = (
    Mapping[str, str] | Mapping[str, Morsel[str]] | Sequence[tuple[str, str | Morsel[str]]]
)
"""Cookies by name, such as a dict or an `http.cookies.SimpleCookie`."""

StatusCheck: TypeAlias = Callable[[HttpResponse], Awaitable[object]]
"""Looks at a response, and raises if it refuses it."""


class OwnOptions(TypedDict, total=False):
    """`RequestOptions` without `data`, and without what only aiohttp has a name for."""

    headers: HeaderFields | None
    params: Query | None
    json: object
    cookies: CookieValues | None
    timeout: "float | aiohttp.ClientTimeout | None"
    attempt_timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    allow_redirects: bool
    max_redirects: int
    allow_insecure_redirects: bool | None
    proxy: str | URL | None
    ssl_context: SSLContext | bool | None
    upload_progress: ProgressCallback | None
    idempotency_key: str | bool | None
    retries: int | None
    retry_policy: RetryPolicyProtocol | None
    idempotent: bool
    url_template: str


class BodilessOptions(OwnOptions, total=False):
    """`RequestOptions` without `data`, for verbs that have a parameter of that name."""

    auth: "aiohttp.BasicAuth | tuple[str, str] | None"
    auto_decompress: bool | None
    chunked: bool | None
    compress: str | bool | None
    expect100: bool | None
    fingerprint: bytes | None
    max_field_size: int | None
    max_headers: int | None
    max_line_size: int | None
    middlewares: None
    proxy_auth: "aiohttp.BasicAuth | tuple[str, str] | None"
    proxy_headers: HeaderFields | None
    raise_for_status: bool | StatusCheck | None
    read_bufsize: int | None
    read_until_eof: bool | None
    server_hostname: str | None
    skip_auto_headers: Iterable[str] | None
    ssl: "SSLContext | bool | aiohttp.Fingerprint | None"
    trace_request_ctx: None
    upload_tracker: None
    verify_ssl: bool | None


class RequestOptions(BodilessOptions, total=False):
    """The optional arguments of `request()` and the verbs.

    For a time limit, None means no limit. For all others, None is the same as leaving the option
    out, except for `allow_redirects` and `max_redirects`, which are never None.

    The options from `auth` on are those of aiohttp's `ClientSession.request`, with its meaning. A
    call that uses none of them pays nothing for them. An option that aiohttp names differently must
    not be given in both spellings.

    Attributes:
        headers: Header fields; a multi-dict or pairs may repeat a name, and each field is sent.
        params: Query parameters, added to those of the URL; see `build_url`.
        json: A document, sent as `application/json`.
        data: A body, see `BodyData`; a form as pairs; or an `aiohttp.FormData` or a payload of
            aiohttp. It cannot be combined with `json`.
        cookies: Cookies for the origin of this call, in addition to those of the jar. Values are
            sent unchanged: printable ASCII without `;`.
        timeout: Seconds for the whole call: queue, retries, back-off and body. An
            `aiohttp.ClientTimeout` sets this (its `total`), `connect_timeout` (its `connect`) and
            `read_timeout` (its `sock_read`); None or 0 in it is no limit. No limit is rounded up,
            whatever its `ceil_threshold`.
        attempt_timeout: Seconds for one attempt.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds without a byte from the server while the response is awaited or read,
            and seconds in which the server accepts no byte of an upload.
        allow_redirects: Whether redirects are followed; the default is True.
        max_redirects: The largest number of redirects that the call follows.
        allow_insecure_redirects: Whether redirects from https to http are followed; False refuses
            all of them. See `HTTPClientConfig`.
        proxy: The URL of an HTTP proxy for this call; an empty string means no proxy.
        ssl_context: The TLS context of this call. False disables verification, True means the
            context of the pool. Without verification, redirects to other origins are refused.
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
        url_template: The path with placeholders, such as `/users/{user_id}`, for the names of
            spans. Endpoints set it.
        auth: Sent as Basic authentication: a name and a password.
        auto_decompress: Whether content codings of the response are undone; the default is True.
        chunked: True sends the body chunked even if its length is known.
        compress: Compresses the body: `gzip`, or `deflate` for True. It is then sent chunked.
        expect100: Whether to wait for `100 Continue` before a body is sent.
        fingerprint: See `ssl`.
        max_field_size: The largest header field of the response in bytes; the default is 64 KiB.
        max_headers: The largest number of header fields in the response; the default is 256.
        max_line_size: The longest status line of the response in bytes; the default is 8190.
        middlewares: Refused: use interceptors, or `pool.session`.
        proxy_auth: The name and the password for the proxy.
        proxy_headers: Header fields for the proxy only, if it opens a tunnel.
        raise_for_status: True raises `HTTPStatusError` from `request()` and `stream()` for a 4xx or
            5xx; a function is awaited with the response.
        read_bufsize: Bytes of the body that are buffered before reading pauses.
        read_until_eof: Whether a body without a length lasts until the connection ends; the default
            is True.
        server_hostname: The name for SNI and for the check of the certificate, instead of the host.
        skip_auto_headers: Names of default header fields that are not sent: `Accept`,
            `Accept-Encoding`, `Content-Type`, `User-Agent`.
        ssl: Another spelling of `ssl_context`, which also takes an `aiohttp.Fingerprint`: the
            SHA-256 of the one certificate that is accepted.
        trace_request_ctx: Refused: use instruments, or `pool.session`.
        upload_tracker: Refused: use `upload_progress`.
        verify_ssl: False disables verification, like `ssl_context=False`.

    Example:
        >>> options = RequestOptions(params={"page": 1}, timeout=5)
        >>> sorted(options)
        ['params', 'timeout']
    """

    data: "BodyData | FormPairs | aiohttp.FormData | aiohttp.Payload | None"


def with_default_headers(options: RequestOptions, defaults: HeaderFields) -> RequestOptions:
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
    elif not isinstance(given, Mapping):
        given = paired(given)
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        return options
    names = {name.lower() for name in given}
    fields = defaults.items() if isinstance(defaults, Mapping) else defaults
    missing = [field for field in fields if field[0].lower() not in names]
    return {**options, "headers": CIMultiDict([*missing, *given.items()])}


def paired(given: object) -> MultiDict[str] | None:
    """Return what is given as a list or tuple of pairs, its values unchecked; None for others.

    Example:
        >>> paired([("X-Id", "7"), ("X-Id", "8")])
        <MultiDict('X-Id': '7', 'X-Id': '8')>
        >>> paired(["X-Id"])
    """
    if not isinstance(given, list | tuple):
        return None
    pairs: MultiDict[str] = MultiDict()
    for pair in given:
        match pair:
            case [str() as name, value]:
                pairs.add(name, cast("str", value))  # whoever takes the pairs checks it
            case _:
                return None
    return pairs
