"""The head of a request as bytes (RFC 9112, sections 2 to 6)."""

import re
from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Final

from multidict import CIMultiDict
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import NO_LINES, FieldLines
from railhttp.model.memo import Memo
from railhttp.model.request import Request

_WITHOUT_CONTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ROUTING: Final = frozenset({"host", "proxy-authorization"})
_UNSENDABLE: Final = r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]"


def content_length(request: Request) -> int | None:
    """Return the length of a body, or the caller's `Content-Length`; None if both are unknown."""
    length = 0 if request.body is None else request.body.length
    if length is not None:
        return length
    value = None if request.headers is None else request.headers.get("Content-Length")
    return None if value is None else int(value)


def _require_sendable(text: str) -> None:
    if not text.isprintable() and re.search(_UNSENDABLE, text):
        raise HTTPValidationError("must not have control characters or surrogates", field="headers")


class HeadShape:
    """What the names of a request's header fields decide about its head.

    Programs use few sets of names, so each is looked at once (benchmarks: three headers).

    Args:
        defaults: The fields of every request.
        names: The names of the fields of a request.

    Attributes:
        lines: The lines of the defaults that are not replaced, and of the fields, with `%s` for
            the value of each field.
        is_routed: Whether there is a field that depends on more than the request and the defaults.
        has_type: Whether there is a `Content-Type`.
        has_length: Whether there is a `Content-Length`.
        is_closable: Whether there is a `Connection` field.
    """

    # An attribute of a named tuple costs six times as much (benchmarks/README.md).
    __slots__ = ("has_length", "has_type", "is_closable", "is_routed", "lines")

    def __init__(self, defaults: CIMultiDict[str], names: tuple[str, ...]) -> None:
        own = {name.lower() for name in names}
        rest = [(name, text) for name, text in defaults.items() if name.lower() not in own]
        lines = [f"{name}: {text}\r\n".replace("%", "%%") for name, text in rest]
        lines += [f"{name.replace('%', '%%')}: %s\r\n" for name in names]
        both = own.union(map(str.lower, defaults))
        self.lines: Final = "".join(lines)
        self.is_routed: Final = not both.isdisjoint(_ROUTING)
        self.has_type: Final = "content-type" in both
        self.has_length: Final = "content-length" in both
        self.is_closable: Final = "connection" in both


class DefaultFields:
    """The header fields of every request.

    Attributes:
        fields: The fields; those of a request replace them.
        shapes: The shapes of heads, by the names of the fields of a request.

    Raises:
        HTTPValidationError: A field cannot be sent: those of a session are not validated.
    """

    __slots__ = ("fields", "shapes")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields: Final = CIMultiDict(fields)
        self.shapes: Final = Memo(partial(HeadShape, self.fields), size=256)
        _require_sendable("".join(chain.from_iterable(fields.items())))


_NO_DEFAULTS: Final = DefaultFields({})


def request_head(
    request: Request, defaults: DefaultFields, cookies: str = "", *, proxy: URL | None = None
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
    site, target, _ = request.target
    host, target = site.host, target or "/"
    names, values = request.lines or NO_LINES
    shape = defaults.shapes[names]
    if proxy is not None or cookies or shape.is_routed:
        fields = _routed_fields(request, defaults, cookies, proxy)
        host = fields.pop("Host", host)
        names, values = FieldLines.of(fields)
        shape = _NO_DEFAULTS.shapes[names]
        _require_sendable("".join(values))  # cookies come from servers
        if proxy is not None:
            target = f"{site.origin.scheme}://{site.host}{target}"
    lines = shape.lines % values
    if request.body is not None or request.method not in _WITHOUT_CONTENT:
        lines += _framing(request, shape)
    head = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"
    # A cookie goes back in the bytes in which it came, also where these are not UTF-8.
    content = head.encode("utf-8", "surrogateescape")
    return content, shape.is_closable and closes_connection(content)


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


def _framing(request: Request, shape: HeadShape) -> str:
    """Return the lines that frame and describe the body (RFC 9110, 8.6; RFC 9112, 6)."""
    body = request.body
    lines = ""
    if body is not None and body.content_type and not shape.has_type:
        lines = f"Content-Type: {body.content_type}\r\n"
    length = content_length(request)
    if length is None:
        return f"{lines}Transfer-Encoding: chunked\r\n"
    return lines if shape.has_length else f"{lines}Content-Length: {length}\r\n"
