"""A request, validated and complete, as an exchange sends it."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from multidict import CIMultiDict
from yarl import URL

from railhttp.model.body import Body
from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import FieldLines
from railhttp.model.lazy import lazy
from railhttp.model.options import ProgressCallback
from railhttp.model.redaction import (
    MASK,
    SECRET_HEADERS,
    redact_headers,
    redact_url,
    redacted_repr,
)
from railhttp.model.target import Target
from railhttp.model.validation import TOKEN

_USUAL: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})

IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods for which two identical requests have the effect of one (RFC 9110, section 9.2.2)."""


class WireOptions(NamedTuple):
    """How to send a request, in ways that few callers need; see `RequestOptions`.

    Attributes:
        sock_connect: Seconds for connecting to one address.
        fingerprint: The SHA-256 of the only certificate that is accepted.
        proxy_auth: The `Proxy-Authorization` field; an empty string means none.
        skip_auto_headers: Names, in lower case, of default fields that are not sent.
    """

    sock_connect: float | None = None
    fingerprint: bytes | None = None
    server_hostname: str | None = None
    proxy_auth: str = ""
    proxy_headers: tuple[tuple[str, str], ...] = ()
    skip_auto_headers: frozenset[str] = frozenset()
    auto_decompress: bool = True
    read_until_eof: bool = True
    read_bufsize: int | None = None
    max_line_size: int | None = None
    max_field_size: int | None = None
    max_headers: int | None = None

    def __repr__(self) -> str:
        hidden = tuple((name, MASK) for name, _ in self.proxy_headers)
        return redacted_repr(self, proxy_auth=self.proxy_auth and MASK, proxy_headers=hidden)


class SendOptions(NamedTuple):
    """How to send a request; see `RequestOptions` and `HTTPClientConfig` for most options.

    Attributes:
        proxy: The URL of a proxy. None means the proxy of the pool, an empty string means none.
        ssl_context: The TLS context. None means that of the pool, False disables verification.
        secret_headers: Names, in lower case, of the fields whose values are never shown.
        idempotent: Whether a repeated request does no harm, whatever its method.
        wire: None for the defaults.
        mask_path: Masks the secrets in a path, before it is shown to instruments.
    """

    connect_timeout: float | None = None
    read_timeout: float | None = None
    proxy: str | None = None
    ssl_context: ssl.SSLContext | bool | None = None
    allow_redirects: bool = True
    max_redirects: int = 10
    allow_insecure_redirects: bool | None = None
    max_response_bytes: int = 100 * 1024 * 1024
    upload_progress: ProgressCallback | None = None
    expect_continue_timeout: float | None = 1.0
    secret_headers: frozenset[str] = SECRET_HEADERS
    idempotent: bool = False
    wire: WireOptions | None = None
    url_template: str = ""
    mask_path: Callable[[str], str] | None = None

    def __repr__(self) -> str:
        return redacted_repr(self, proxy=self.proxy and redact_url(self.proxy))


class Derived:
    """Holds what is derived from a request, which is no field of the dataclass.

    Attributes:
        encoded: Where the transport keeps the encoded head, with what it depends on: a request
            without options is built once for its URL, and sent many times (benchmarks: the same
            URL).
    """

    __slots__ = ("__dict__", "__weakref__", "encoded")

    encoded: tuple[object, object] | None


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Request(Derived):
    """One HTTP request.

    Derived values are computed on first use and kept, because a client sends the same `Request`
    value many times (benchmarks: one request).

    Attributes:
        method: The method, upper-case.
        target: An absolute http or https URL without user-info, in its parts.
        lines: The caller's header fields, validated.
        cookies: Cookies for the origin of the URL, in addition to those of the jar.
        redirected_from: The URL of the first request, if this one follows a redirect: its
            credentials for a proxy are for the proxy of that URL.
        url_text: The URL as text, with its secrets.
    """

    method: str
    target: Target
    lines: FieldLines | None
    body: Body | None
    cookies: Mapping[str, str] | None
    options: SendOptions
    redirected_from: URL | None = None
    # Every response has it, and to compute it on first use costs thrice as much.
    url_text: str = field(init=False, repr=False, compare=False)

    # By hand, because a URL and a mapping become what the attributes are.
    def __init__(
        self,
        method: str,
        target: Target | URL,
        lines: FieldLines | Mapping[str, str] | None,
        body: Body | None,
        cookies: Mapping[str, str] | None,
        options: SendOptions,
        redirected_from: URL | None = None,
    ) -> None:
        if isinstance(target, URL):
            target = Target.of(target)
        if lines is not None and not isinstance(lines, FieldLines):
            lines = FieldLines.of(lines)
        site, path_qs, fragment = target
        put = object.__setattr__
        put(self, "method", method)
        put(self, "target", target)
        put(self, "lines", lines)
        put(self, "body", body)
        put(self, "cookies", cookies)
        put(self, "options", options)
        put(self, "redirected_from", redirected_from)
        put(self, "url_text", f"{site.text}{path_qs}{fragment}")
        put(self, "encoded", None)

    def __repr__(self) -> str:
        return redacted_repr(
            self,
            target=self.shown_url,
            lines=self.headers and redact_headers(self.headers, self.options.secret_headers),
            cookies=self.cookies and dict.fromkeys(self.cookies, MASK),
            redirected_from=self.redirected_from and redact_url(str(self.redirected_from)),
        )

    def __reduce__(self) -> tuple[type["Request"], tuple[object, ...]]:
        # A copy is built anew: what was derived for the transport belongs to one client.
        arguments = self.method, self.target, self.lines, self.body, self.cookies, self.options
        return Request, (*arguments, self.redirected_from)

    @lazy
    def headers(self) -> CIMultiDict[str] | None:
        """The header fields by their names, in any case."""
        return None if self.lines is None else self.lines.fields

    @lazy
    def url(self) -> URL:
        """The URL, with its secrets."""
        return self.target.url

    @lazy
    def shown_url(self) -> str:
        """The URL as text, redacted."""
        mask = self.options.mask_path
        return redact_url(self.url_text if mask is None else _masked(self.target, mask))

    @lazy
    def replayable(self) -> bool:
        """Whether the body can be sent again: it is in memory, or its source can be reread."""
        return self.body is None or self.body.replayable

    @lazy
    def repeatable(self) -> bool:
        """Whether a second send is possible and harmless.

        It is harmless if the method is idempotent, the request has an `Idempotency-Key`, or the
        caller declared it `idempotent`.

        Example:
            >>> url = URL("http://h/")
            >>> Request("POST", url, {"Idempotency-Key": "7"}, None, None, SendOptions()).repeatable
            True
        """
        harmless = self.method in IDEMPOTENT_METHODS or self.options.idempotent
        return self.replayable and (harmless or self._is_keyed())

    def _is_keyed(self) -> bool:
        keys = () if self.headers is None else self.headers.getall("Idempotency-Key", ())
        return any(map(_identifies, keys))

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        """Return a copy with more header fields; they replace fields of the same name.

        Args:
            headers: The fields, already validated.

        Example:
            >>> fields = {"accept": "a/b"}
            >>> request = Request("GET", URL("http://h/"), fields, None, None, SendOptions())
            >>> request.with_headers({"Accept": "c/d"}).headers
            <CIMultiDict('Accept': 'c/d')>
        """
        merged = CIMultiDict(self.headers or {})
        merged.update(headers)
        return replace(self, lines=FieldLines.of(merged))


def _identifies(key: str) -> bool:
    """Whether a key has a visible character: blanks of any kind identify nothing."""
    return any(one.isprintable() and one != " " for one in key)


def _masked(target: Target, mask: Callable[[str], str]) -> str:
    path, mark, query = target.path_qs.partition("?")
    try:
        shown: object = mask(path or "/")
    except Exception:  # noqa: BLE001  # a hook never breaks a call; without it nothing is shown
        shown = None
    if not isinstance(shown, str):
        shown = f"/{MASK}"
    return f"{target.site.text}{shown}" + (mark + query if query else "")


def require_framing(headers: CIMultiDict[str], body: Body | None) -> None:
    """Require header fields that agree with the body and each other.

    Otherwise a server could read two requests in one. `Content-Length` must be the length of the
    body; for a body of unknown length the caller announces it, and the upload is held to it.
    Neither `Content-Length` nor `Host` may be repeated (RFC 9112, section 3.2). The transport alone
    sets `Transfer-Encoding` (RFC 9112, section 6).

    Example:
        >>> from railhttp.model.body import BytesBody
        >>> fields = CIMultiDict({"Content-Length": "3"})
        >>> require_framing(fields, BytesBody(b"four", "text/plain"))
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: headers: Content-Length must be 4, the length of
        the body
    """
    if "transfer-encoding" in headers:
        message = "Transfer-Encoding must not be set: the transport chooses it"
        raise HTTPValidationError(message, field="headers")
    if "host" in headers and len(headers.getall("host")) > 1:
        raise HTTPValidationError("Host must not be repeated", field="headers")
    if "content-length" in headers:
        _check_length(headers.getall("content-length"), body)


def _check_length(values: Sequence[str], body: Body | None) -> None:
    if len(values) > 1:
        raise HTTPValidationError("Content-Length must not be repeated", field="headers")
    [value] = values
    length = 0 if body is None else body.length
    if length is not None and value != str(length):
        raise HTTPValidationError(
            f"Content-Length must be {length}, the length of the body", field="headers"
        )
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise HTTPValidationError("Content-Length must be a number of bytes", field="headers")


def require_method(method: object) -> str:
    """Require a method (RFC 9110, section 9.1) other than CONNECT, and return it in upper case.

    Example:
        >>> require_method("get")
        'GET'
    """
    if type(method) is str and method in _USUAL:
        return method
    if not isinstance(method, str) or not TOKEN.fullmatch(method):
        raise HTTPValidationError("must be a token (RFC 9110, section 9.1)", field="method")
    upper = method.upper()
    if upper == "CONNECT":
        raise HTTPValidationError("CONNECT opens a tunnel; name a proxy instead", field="method")
    return upper
