"""The head of a request as bytes (RFC 9112, sections 2 to 6)."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Final

from multidict import CIMultiDict
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.body import BytesBody
from railhttp.model.errors import HTTPValidationError
from railhttp.model.request import Request

_WITHOUT_CONTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def content_length(request: Request) -> int | None:
    """Find out how many bytes a request's body has, as its head announces it.

    Returns:
        The number; None where nobody knows it, so that the body is sent in chunks.

    Example:
        >>> from railhttp.model.request import SendOptions
        >>> content_length(Request("GET", URL("http://h/"), None, None, None, SendOptions()))
        0
    """
    match request.body:
        case None:
            return 0
        case BytesBody(content):
            return len(content)
        case body if body.length is not None:
            return body.length
    announced = {name.lower(): value for name, value in (request.headers or {}).items()}
    length = announced.get("content-length")
    return None if length is None else int(length)


def request_head(
    request: Request, defaults: Mapping[str, str], *, cookies: str = "", proxy: URL | None = None
) -> bytes:
    r"""Encode the request line and the header fields, with the blank line behind them.

    A `Proxy-Authorization` field is for a proxy that forwards the request, and for nobody else;
    one that opens a tunnel hears it before, see `proxy_credentials`.

    Args:
        request: The request; its header fields take the place of defaults of the same name.
        defaults: Fields that every request has.
        cookies: Cookies on top of those in the request's own `Cookie` field, as its value.
        proxy: The proxy that forwards it; None where it goes to its origin, be it by a tunnel.

    Raises:
        HTTPValidationError: A field has control characters, which would make it several.

    Example:
        >>> from railhttp.model.request import SendOptions
        >>> sent = SendOptions()
        >>> request = Request("PUT", URL("http://h/a?b#c"), {"X-Id": "7"}, None, None, sent)
        >>> request_head(request, {"Accept": "*/*"})
        b'PUT /a?b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX-Id: 7\r\nContent-Length: 0\r\n\r\n'
    """
    url = request.url
    fields = CIMultiDict(defaults)
    fields.update(request.headers or {})
    target = url.raw_path_qs if proxy is None else str(url.with_fragment(None))
    host = fields.pop("Host", url.host_port_subcomponent or "")
    if cookies:
        fields["Cookie"] = "; ".join([*fields.popall("Cookie", ()), cookies])
    if proxy is None:
        fields.popall("Proxy-Authorization", None)
    elif proxy.raw_user is not None:
        credentials = basic_auth(proxy.user or "", proxy.password or "")["Authorization"]
        fields.setdefault("Proxy-Authorization", credentials)
    _frame(fields, request)
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    # The caller's fields are checked long before; the defaults are those of an open session.
    if _UNSENDABLE.search("".join(lines)):
        raise HTTPValidationError("must not have control characters", field="headers")
    return "\r\n".join([*lines, "", ""]).encode()


def proxy_credentials(request: Request, defaults: Mapping[str, str]) -> str:
    """Find what the proxy that opens a tunnel is told: the `Proxy-Authorization` field.

    Args:
        request: The request; its own field comes before that of the defaults.
        defaults: Fields that every request has.

    Returns:
        The field's value, empty where there is none.

    Example:
        >>> from railhttp.model.request import SendOptions
        >>> headers = {"Proxy-Authorization": "Bearer abc"}
        >>> request = Request("GET", URL("https://h/"), headers, None, None, SendOptions())
        >>> proxy_credentials(request, {})
        'Bearer abc'
    """
    fields = CIMultiDict(defaults)
    fields.update(request.headers or {})
    return fields.get("Proxy-Authorization", "")


def closes_connection(head: bytes) -> bool:
    r"""Whether a request is the last one on its connection (RFC 9112, section 9.6).

    Args:
        head: What `request_head` wrote.

    Example:
        >>> closes_connection(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n")
        True
    """
    lowered = head.lower()
    if b"\r\nconnection:" not in lowered:
        return False
    fields = (line for line in lowered.split(b"\r\n") if line.startswith(b"connection:"))
    options = chain.from_iterable(field[11:].split(b",") for field in fields)
    return any(option.strip() == b"close" for option in options)


def _frame(fields: CIMultiDict[str], request: Request) -> None:
    """Say how long the body is and what it holds (RFC 9110, 8.6; RFC 9112, 6)."""
    if request.body is not None:
        fields.setdefault("Content-Type", request.body.content_type)
    elif request.method in _WITHOUT_CONTENT:
        return
    length = content_length(request)
    if length is None:
        fields["Transfer-Encoding"] = "chunked"
    else:
        fields.setdefault("Content-Length", str(length))
