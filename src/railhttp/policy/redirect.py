"""The next request after a redirect (RFC 9110, section 15.4; WHATWG Fetch, section 4.4)."""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import NO_LINES
from railhttp.model.location import resolve_location
from railhttp.model.request import Request
from railhttp.model.target import Target
from railhttp.model.url import origin_of

REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})

_BODY_HEADERS: Final = frozenset(
    {"content-encoding", "content-language", "content-length", "content-location", "content-range"}
    | {"content-type", "content-digest", "repr-digest", "digest", "last-modified"}
    | {"expect", "transfer-encoding"}
)
_SIGNATURE: Final = frozenset({"signature", "signature-input"})
_FOR_PROXIES: Final = frozenset({"proxy-authorization"})

_INSECURE: Final = "a redirect from https to http is refused"
_WITH_CREDENTIALS: Final = f"{_INSECURE} for a call with credentials"
_UNVERIFIED: Final = (
    "a redirect to another origin is refused for a call whose ssl_context verifies no certificate"
)


class RedirectRefused(NamedTuple):
    """Why a redirect is not followed; without the location, which may contain secrets."""

    reason: str


def leads_on(request: Request, status: int, headers: Mapping[str, str]) -> bool:
    """Whether a response with these case-insensitive headers is a redirect to follow."""
    return status in REDIRECT_STATUSES and request.options.allow_redirects and "Location" in headers


def redirected(
    request: Request,
    status: int,
    location: str,
    secret: frozenset[str],
    first: Request | None = None,
) -> Request | RedirectRefused:
    """Build the next request after a redirect.

    A 303, and a 301 or 302 to a POST, turn the request into a GET, as browsers do: the body is
    dropped with the header fields that describe it. Other redirects repeat method and body. A
    signature (RFC 9421) is always dropped, because it is valid for the first request only. Another
    origin receives neither the `secret` header fields, named in lower case, nor the cookies of the
    call. User-info in the location is dropped.

    A redirect from https to http is refused if the `first` request of the call carried credentials,
    unless its `allow_insecure_redirects` decides otherwise. A redirect to another origin is refused
    if certificates are not verified: that was meant for one host.
    """
    try:
        target = resolve_location(request.url, location).with_user(None)
    except HTTPValidationError:
        return RedirectRefused("the server names a location that is not an http or https URL")
    same_origin = origin_of(target) == origin_of(request.url)
    if not same_origin and (reason := _refusal(first or request, request.url, target, secret)):
        return RedirectRefused(reason)
    bodiless = _becomes_get(request.method, status)
    if request.body is not None and not bodiless and not request.body.replayable:
        return RedirectRefused("the body cannot be sent a second time")
    dropped = _SIGNATURE | _BODY_HEADERS if bodiless else _SIGNATURE
    return replace(
        request,
        method="GET" if bodiless else request.method,
        target=Target.of(target),
        lines=request.lines
        and request.lines.without(dropped if same_origin else dropped | secret | {"host"}),
        body=None if bodiless else request.body,
        cookies=request.cookies if same_origin else None,
        redirected_from=request.redirected_from or request.url,
    )


def _refusal(first: Request, base: URL, target: URL, secret: frozenset[str]) -> str:
    """Return why a redirect to another origin is not followed; empty if it may be."""
    options = first.options
    if _is_unverified(options.ssl_context):
        return _UNVERIFIED
    if (base.scheme, target.scheme) == ("https", "http"):
        if options.allow_insecure_redirects is None and carries_credentials(first, secret):
            return _WITH_CREDENTIALS
        if options.allow_insecure_redirects is False:
            return _INSECURE
    return ""


def _is_unverified(context: ssl.SSLContext | bool | None) -> bool:
    if isinstance(context, ssl.SSLContext):
        return context.verify_mode is ssl.CERT_NONE
    return context is False


def carries_credentials(request: Request, secret: frozenset[str]) -> bool:
    """Whether a request has secret header fields, named in lower case, or cookies of its own.

    Cookies of the jar do not count, because their `Secure` attribute decides where they are sent.
    `Proxy-Authorization` is for the proxy alone.
    """
    names = set(map(str.lower, (request.lines or NO_LINES).names))
    return bool(request.cookies) or not names.isdisjoint(secret - _FOR_PROXIES)


def _becomes_get(method: str, status: int) -> bool:
    if status == 303:
        return method not in {"GET", "HEAD"}
    return status in {301, 302} and method == "POST"
