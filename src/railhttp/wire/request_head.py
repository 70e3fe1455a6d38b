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

_WITHOUT_CONTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")


def content_length(request: Request) -> int | None:
    """Return the length of a body, or the caller's `Content-Length`; None if both are unknown."""
    length = 0 if request.body is None else request.body.length
    if length is not None:
        return length
    announced = {name.lower(): value for name, value in (request.headers or {}).items()}
    value = announced.get("content-length")
    return None if value is None else int(value)


def request_head(
    request: Request, defaults: Mapping[str, str], *, cookies: str = "", proxy: URL | None = None
) -> bytes:
    """Encode the request line, the header fields and the blank line after them.

    Only a proxy that forwards the request receives a `Proxy-Authorization` field. A proxy that
    opens a tunnel received it with CONNECT, see `proxy_credentials`.

    Args:
        request: Its header fields override defaults of the same name.
        defaults: Fields of every request.
        cookies: A `Cookie` value, added to the `Cookie` field of the request.
        proxy: The proxy that forwards the request; None for a direct connection or a tunnel.
    """
    url = request.url
    fields = _merged(request, defaults)
    authority = url.host_port_subcomponent or ""
    target = url.raw_path_qs if proxy is None else f"{url.scheme}://{authority}{url.raw_path_qs}"
    host = fields.pop("Host", authority)
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
    # The caller's fields are already validated, but the defaults are those of a mutable session.
    if _UNSENDABLE.search("".join(lines)):
        raise HTTPValidationError("must not have control characters or surrogates", field="headers")
    # A cookie goes back in the bytes in which it came, also where these are not UTF-8.
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def proxy_credentials(request: Request, defaults: Mapping[str, str]) -> str:
    """Return the `Proxy-Authorization` value for a proxy that opens a tunnel; may be empty."""
    return _merged(request, defaults).get("Proxy-Authorization", "")


def _merged(request: Request, defaults: Mapping[str, str]) -> CIMultiDict[str]:
    fields = CIMultiDict(defaults)
    fields.update(request.headers or {})
    return fields


def closes_connection(head: bytes) -> bool:
    """Whether a request with this head is the last one on its connection (RFC 9112, 9.6)."""
    lowered = head.lower()
    if b"\r\nconnection:" not in lowered:
        return False
    fields = (line for line in lowered.split(b"\r\n") if line.startswith(b"connection:"))
    options = chain.from_iterable(field[11:].split(b",") for field in fields)
    return any(option.strip() == b"close" for option in options)


def _frame(fields: CIMultiDict[str], request: Request) -> None:
    """Add the fields that frame and describe the body (RFC 9110, 8.6; RFC 9112, 6)."""
    if request.body is not None:
        if request.body.content_type:
            fields.setdefault("Content-Type", request.body.content_type)
    elif request.method in _WITHOUT_CONTENT:
        return
    length = content_length(request)
    if length is None:
        fields["Transfer-Encoding"] = "chunked"
    else:
        fields.setdefault("Content-Length", str(length))
