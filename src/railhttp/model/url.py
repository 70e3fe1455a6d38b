"""URLs: building, joining and splitting (RFC 3986; RFC 9110, section 4.2)."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias, TypedDict
from urllib.parse import unquote
from uuid import UUID

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import (
    LARGEST_INT,
    SCHEME,
    describe,
    mismatch,
    require_str,
    require_text,
    require_url,
)

QueryValue: TypeAlias = str | int | float | bool | Decimal | Enum | date | UUID | None
"""The value of a query parameter; a `datetime` is a `date` too."""

QueryParams: TypeAlias = Mapping[str, QueryValue | Sequence[QueryValue]]
"""Query parameters by name; a list or tuple repeats the name for each of its values."""

_ZONE: Final = re.compile(
    r"(https?://(?:[^/?#@]*@)?\[[0-9a-f:.]+)(%25(?:[a-z0-9._~-]|%[0-9a-f]{2})+)\]", re.IGNORECASE
)
"""The start of a URL with an IPv6 zone (RFC 6874, section 2)."""

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class UrlParts(TypedDict):
    """The parts of a URL.

    Keys:
        scheme: `http` or `https`.
        host: Lower-case ASCII (IDNA); an IPv6 address has no brackets, and its zone is decoded, as
            in `fe80::1%eth0`.
        port: The port in the URL; None if it has none.
        path: Percent-encoded, as it is sent; at least `/`.
        params: The decoded query; each name has all its values in order.
        fragment: Percent-encoded; empty if the URL has none.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    params: dict[str, list[str]]
    fragment: str


def build_url(base: str, path: str = "", params: QueryParams | None = None) -> str:
    """Build a complete URL from a base, a path and query parameters.

    The path is appended to that of the base with exactly one slash between them; this is prefixing,
    not the resolution of RFC 3986. The queries of base, path and `params` are joined in this order.
    The fragment of the path replaces that of the base. Percent-encoded characters stay unchanged,
    other characters are encoded if necessary.

    Args:
        base: An http or https URL, such as `https://api.example.com/v1`.
        path: May have a query and a fragment.
        params: Text is unchanged; a bool is `true` or `false`; a number is written as Python prints
            it (`0.1`, `1e+16`), a date or datetime in ISO 8601, a UUID with hyphens, an enum as its
            value. None is left out, alone or in a list; a list or tuple repeats the name.

    Raises:
        HTTPValidationError: The base is not a URL, the path has control characters, or a parameter
            has another type: bytes, nan, infinities, sets, nested lists and so on.

    Example:
        >>> build_url("https://api.example.com", "/users", {"page": 1})
        'https://api.example.com/users?page=1'
        >>> build_url("https://api.example.com/v1/?key=7", "users", {"tag": ["a b", None, "c"]})
        'https://api.example.com/v1/users?key=7&tag=a+b&tag=c'
    """
    return str(extend_query(_join(_parse_as(base, "base"), path), params or {}))


def _join(base: URL, path: str) -> URL:
    if not require_text(path, "path"):
        return base
    head, _, fragment = path.partition("#")
    tail, _, query = head.partition("?")
    whole_path = f"{base.raw_path.rstrip('/')}/{tail.lstrip('/')}" if tail else base.raw_path
    whole_query = "&".join(filter(None, [base.raw_query_string, query]))
    start = f"{base.scheme}://{base.raw_authority}{whole_path}"
    return URL(f"{start}?{whole_query}#{fragment or base.raw_fragment}")


def parse_url_parts(url: str) -> UrlParts:
    """Split an http or https URL into its parts.

    Raises:
        HTTPValidationError: The URL is malformed, or its scheme is another one.

    Example:
        >>> parse_url_parts("https://api.example.com:8443/users?tag=a+b&tag=c#top")
        {'scheme': 'https', 'host': 'api.example.com', 'port': 8443, 'path': '/users',
         'params': {'tag': ['a b', 'c']}, 'fragment': 'top'}
    """
    zone = _ZONE.match(require_str(url, "url"))
    parsed = request_url(url[: zone.end(1)] + url[zone.end(2) :] if zone else url)
    zone_text = f"%{unquote(zone[2].removeprefix('%25'))}" if zone else ""
    params: dict[str, list[str]] = {}
    for name, value in parsed.query.items():
        params.setdefault(name, []).append(value)
    return {
        "scheme": parsed.scheme,
        "host": (parsed.raw_host or "") + zone_text,
        "port": parsed.explicit_port,
        "path": parsed.raw_path,
        "params": params,
        "fragment": parsed.raw_fragment,
    }


def request_url(url: str) -> URL:
    """Parse the URL of a request by the rules of `require_url`, with a cache of recent URLs."""
    return _parse_as(url, "url")


def _parse_as(url: str, field: str) -> URL:
    return _parse(require_str(url, field), field)  # the cache needs a hashable key


@lru_cache(maxsize=1024)
def _parse(url: str, field: str) -> URL:
    require_url(url, field)
    return URL(url)  # the normal form would lose an explicit default port


def extend_query(url: URL, params: QueryParams) -> URL:
    """Append query parameters, see `build_url`, to a URL, which keeps its query and fragment."""
    return url.extend_query(query_pairs(params))


def query_pairs(params: QueryParams) -> list[tuple[str, str]]:
    """Return the parameters of a query or a form, see `build_url`, as pairs of text."""
    if not isinstance(params, Mapping):
        raise mismatch("a mapping", params, "params")
    return [
        (_query_name(name), _query_text(plain, name))
        for name, value in params.items()
        for plain in _plain_items(value)
        if plain is not None
    ]


def _query_name(name: object) -> str:
    if isinstance(name, str) and not _SURROGATE.search(name):
        return str.__str__(name)  # an enum's value, not its name
    raise HTTPValidationError(f"must have names of type str, got {describe(name)}", field="params")


def _plain_items(value: object) -> Iterator[object]:
    one = isinstance(value, str | bytes | bytearray | memoryview)
    for item in value if isinstance(value, Sequence) and not one else [value]:
        yield item.value if isinstance(item, Enum) else item


def _query_text(value: object, name: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() if not _SURROGATE.search(value):
            return str(value)
        case int() if abs(value) < LARGEST_INT:
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case Decimal() if value.is_finite():
            return str(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
    raise HTTPValidationError(
        f"{name!r} must be text, a finite number, a bool, a date, a UUID, an enum of these or a "
        f"list of these, got {describe(value)}",
        field="params",
    )


def is_absolute(url: object) -> bool:
    """Whether a URL names its scheme, in any case, even if the scheme is unsupported."""
    return isinstance(url, str) and SCHEME.match(url) is not None


def join_base_url(base: str, url: str) -> str:
    """Prefix a path with a base URL, unless the base is empty or the URL absolute."""
    return url if not base or is_absolute(url) else build_url(base, url)


def origin_of(url: URL) -> tuple[str, str, int]:
    """Return the origin of a URL: scheme, host and port (RFC 6454, section 4)."""
    return url.scheme, url.raw_host or "", url.port or 0
