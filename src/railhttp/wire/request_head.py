"""The head of a request as bytes (RFC 9112, sections 2 to 6)."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Final

from multidict import CIMultiDict
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.errors import HTTPValidationError
from railhttp.model.request import Request
from railhttp.model.site import site_of

_WITHOUT_CONTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")


def content_length(request: Request) -> int | None:
    """Return the length of a body, or the caller's `Content-Length`; None if both are unknown."""
    length = 0 if request.body is None else request.body.length
    if length is not None:
        return length
    value = None if request.headers is None else request.headers.get("Content-Length")
    return None if value is None else int(value)


class DefaultFields:
    """The header fields of every request, encoded once.

    Attributes:
        fields: The fields; those of a request replace them.
        block: The lines of all fields.
        lines: A line for each field, with its name.
        routing: Whether there is a field that depends on more than the request.

    Raises:
        HTTPValidationError: A field cannot be sent: those of a session are not validated.
    """

    __slots__ = ("block", "fields", "lines", "routing")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields: Final = CIMultiDict(fields)
        self.lines: Final = [(name, f"{name}: {text}\r\n") for name, text in fields.items()]
        self.block: Final = "".join(line for _, line in self.lines)
        self.routing: Final = _routes(self.fields)
        _require_sendable("".join(chain.from_iterable(fields.items())))

    def without(self, own: CIMultiDict[str]) -> str:
        """Return the lines of the fields that those of a request do not replace."""
        return "".join([line for name, line in self.lines if name not in own])


def request_head(
    request: Request, defaults: DefaultFields, *, cookies: str = "", proxy: URL | None = None
) -> tuple[bytes, bool]:
    """Encode the request line, the header fields and the blank line after them.

    Only a proxy that forwards the request receives a `Proxy-Authorization` field. A proxy that
    opens a tunnel received it with CONNECT, see `proxy_credentials`.

    Args:
        request: Its header fields override defaults of the same name.
        defaults: Fields of every request.
        cookies: A `Cookie` value, added to the `Cookie` field of the request.
        proxy: The proxy that forwards the request; None for a direct connection or a tunnel.

    Returns:
        The head, and whether it asks for the connection to be closed (RFC 9112, section 9.6).
    """
    url, own = request.url, request.headers
    host = site_of(url).host
    target = url.raw_path_qs if proxy is None else f"{url.scheme}://{host}{url.raw_path_qs}"
    rest = defaults.fields
    if proxy is not None or cookies or defaults.routing or (own is not None and _routes(own)):
        own = rest = _routed_fields(request, defaults, cookies, proxy)
        host = own.pop("Host", host)
        lines = _lines(own)
        _require_sendable("".join(own.values()))  # cookies come from servers
    elif own is None:
        own, lines = rest, defaults.block
    else:
        lines = defaults.without(own) + _lines(own)
    if request.body is not None or request.method not in _WITHOUT_CONTENT:
        lines += _framing(request, own, rest)
    head = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"
    # A cookie goes back in the bytes in which it came, also where these are not UTF-8.
    content = head.encode("utf-8", "surrogateescape")
    closable = "connection" in own or "connection" in rest
    return content, closable and closes_connection(content)


def _routes(fields: CIMultiDict[str]) -> bool:
    """Whether there is a field that depends on more than the request and the defaults."""
    return "host" in fields or "cookie" in fields or "proxy-authorization" in fields


def _lines(fields: CIMultiDict[str]) -> str:
    return "".join([f"{name}: {text}\r\n" for name, text in fields.items()])


def _require_sendable(text: str) -> None:
    if not text.isprintable() and _UNSENDABLE.search(text):
        raise HTTPValidationError("must not have control characters or surrogates", field="headers")


def proxy_credentials(request: Request, defaults: DefaultFields) -> str:
    """Return the `Proxy-Authorization` value for a proxy that opens a tunnel; may be empty."""
    return _merged(request, defaults).get("Proxy-Authorization", "")


def _merged(request: Request, defaults: DefaultFields) -> CIMultiDict[str]:
    fields = CIMultiDict(defaults.fields)
    fields.update(request.headers or {})
    return fields


def _routed_fields(
    request: Request, defaults: DefaultFields, cookies: str, proxy: URL | None
) -> CIMultiDict[str]:
    fields = _merged(request, defaults)
    if cookies:
        fields["Cookie"] = "; ".join([*fields.popall("Cookie", ()), cookies])
    if proxy is None:
        fields.popall("Proxy-Authorization", None)
    elif proxy.raw_user is not None:
        credentials = basic_auth(proxy.user or "", proxy.password or "")["Authorization"]
        fields.setdefault("Proxy-Authorization", credentials)
    return fields


def closes_connection(head: bytes) -> bool:
    """Whether a request with this head is the last one on its connection (RFC 9112, 9.6)."""
    lines = head.lower().split(b"\r\n")
    fields = (line for line in lines if line.startswith(b"connection:"))
    options = chain.from_iterable(field[11:].split(b",") for field in fields)
    return any(option.strip(b" \t") == b"close" for option in options)


def _framing(request: Request, own: CIMultiDict[str], rest: CIMultiDict[str]) -> str:
    """Return the lines that frame and describe the body (RFC 9110, 8.6; RFC 9112, 6)."""
    lines = ""
    body = request.body
    if (
        body is not None
        and body.content_type
        and "content-type" not in own
        and "content-type" not in rest
    ):
        lines = f"Content-Type: {body.content_type}\r\n"
    length = content_length(request)
    if length is None:
        return f"{lines}Transfer-Encoding: chunked\r\n"
    announced = "content-length" in own or "content-length" in rest
    return lines if announced else f"{lines}Content-Length: {length}\r\n"
