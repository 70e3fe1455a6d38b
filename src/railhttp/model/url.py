"""URLs: building, joining and splitting (RFC 3986; RFC 9110, section 4.2)."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol, TypeAlias, TypedDict, TypeVar
from urllib.parse import unquote
from uuid import UUID

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.spelling import Reference, climbs
from railhttp.model.validation import (
    LARGEST_INT,
    SCHEME,
    describe,
    has_surrogate,
    mismatch,
    require_str,
    require_text,
    require_url_parts,
    url_text,
)

QueryValue: TypeAlias = str | int | float | bool | Decimal | Enum | date | UUID | None
"""The value of a query parameter; a `datetime` is a `date` too."""

T_co = TypeVar("T_co", covariant=True)


class Repeated(Protocol[T_co]):
    """A sequence that is no bytes: a `Sequence[int]` would let type checkers accept `b"x"`."""

    def __contains__(self, value: object, /) -> bool: ...  # bytes accept only int and bytes here
    def __getitem__(self, index: int, /) -> T_co: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...
    def __reversed__(self) -> Iterator[T_co]: ...


QueryParams: TypeAlias = Mapping[str, QueryValue | Repeated[QueryValue]]
"""Query parameters by name; a list or tuple repeats the name for each of its values."""

_ZONE: Final = r"(?i)(https?://(?:[^/?#@]*@)?\[[0-9a-f:.]+)(%25(?:[a-z0-9._~-]|%[0-9a-f]{2})+)\]"
"""The start of a URL with an IPv6 zone (RFC 6874, section 2)."""

_NO_URL: Final = URL()
_CLEAN_PAIRS: Final = re.compile(r"(?:&[A-Za-z0-9._~-]++=[A-Za-z0-9._~ -]*+)++")


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
    The fragment of the path replaces that of the base. Base, path and their queries stay as they
    were given; only characters that RFC 3986 does not allow are percent-encoded. The path must not
    leave that of the base by `..`, however the dots and slashes are written.

    Args:
        base: An http or https URL, such as `https://api.example.com/v1`.
        path: May have a query and a fragment.
        params: Text is unchanged; a bool is `true` or `false`; a number is written as Python prints
            it (`0.1`, `1e+16`), a date or datetime in ISO 8601, a UUID with hyphens, an enum as its
            value. None is left out, alone or in a list; a list or tuple repeats the name.

    Raises:
        HTTPValidationError: The base is not a URL, the path has control characters or leaves the
            path of the base, or a parameter has another type: bytes, nan, infinities, sets, nested
            lists and so on.

    Example:
        >>> build_url("https://api.example.com", "/users", {"page": 1})
        'https://api.example.com/users?page=1'
        >>> build_url("https://api.example.com/v1/?key=7", "users", {"tag": ["a b", None, "c"]})
        'https://api.example.com/v1/users?key=7&tag=a+b&tag=c'
    """
    joined = _join(_base_parts(require_str(base, "base")), require_text(path, "path"))
    if params is None:
        return url_text(joined)
    return url_text(joined._replace(query=join_queries(joined.query, encode_query(params))))


@lru_cache(maxsize=64)
def _base_parts(base: str) -> Reference:
    return require_url_parts(base, "base")


def _join(base: Reference, path: str) -> Reference:
    if not path:
        return base
    tail = Reference.of(f"/{path.lstrip('/')}")
    folder = base.path.rstrip("/")
    if folder and climbs(tail.path):
        message = "must not leave the path of the base: its `..` goes above it"
        raise HTTPValidationError(message, field="path")
    return Reference(
        base.scheme,
        base.authority,
        base.path if path[0] in "?#" else folder + tail.path,
        join_queries(base.query, tail.query),
        tail.fragment or base.fragment,
    )


def join_queries(query: str, more: str) -> str:
    """Join two queries, each empty or with its question mark."""
    if len(query) < 2:
        return more or query
    if len(more) < 2:
        return query
    return f"{query}{'' if query.endswith('&') else '&'}{more[1:]}"


def encode_query(params: QueryParams) -> str:
    """Return the query of parameters, see `build_url`, with its question mark; '' without any."""
    if type(params) is dict and (text := _clean_pairs(params)):  # as almost all are
        return f"?{text[1:].replace(' ', '+')}"
    pairs = query_pairs(params)
    return f"?{_NO_URL.with_query(pairs).raw_query_string}" if pairs else ""


def _clean_pairs(params: Mapping[str, QueryValue]) -> str:
    """Return the pairs, each with its ampersand, if none needs a closer look; otherwise ''."""
    text = ""
    for name, value in params.items():
        kind = type(value)
        if type(name) is not str or (
            kind is not str and (type(value) is not int or abs(value) >= LARGEST_INT)
        ):
            return ""
        text += f"&{name}={value}"
    clean = text.count("&") == len(params) and _CLEAN_PAIRS.fullmatch(text)
    return text if clean else ""


def parse_url_parts(url: str) -> UrlParts:
    """Split an http or https URL into its parts.

    Raises:
        HTTPValidationError: The URL is malformed, or its scheme is another one.

    Example:
        >>> parse_url_parts("https://api.example.com:8443/users?tag=a+b&tag=c#top")
        {'scheme': 'https', 'host': 'api.example.com', 'port': 8443, 'path': '/users',
         'params': {'tag': ['a b', 'c']}, 'fragment': 'top'}
    """
    zone = re.match(_ZONE, require_str(url, "url"))
    parsed = request_url(url[: zone.end(1)] + url[zone.end(2) :] if zone else url)
    zone_text = f"%{unquote(zone[2].removeprefix('%25'))}" if zone else ""
    params: dict[str, list[str]] = {}
    for name, value in parsed.query.items():
        params.setdefault(name, []).append(value)
    return {
        "scheme": parsed.scheme,
        "host": (parsed.raw_host or "") + zone_text,
        "port": parsed.explicit_port,
        "path": path_of(parsed),
        "params": params,
        "fragment": parsed.raw_fragment,
    }


def request_url(url: str) -> URL:
    """Parse the URL of a request by the rules of `require_url`, with a cache of recent URLs."""
    return _parse(require_str(url, "url"))  # the cache needs a hashable key


@lru_cache(maxsize=1024)
def _parse(url: str) -> URL:
    scheme, authority, path, query, fragment = require_url_parts(url, "url")
    # `URL` would normalise the text, and drop the question mark of an empty query.
    path = path or ("/" if query or fragment else "")
    return URL.build(
        scheme=scheme[:-1],
        authority=authority[2:],
        path=f"{path}?" if query == "?" else path,
        query_string=query[1:],
        fragment=fragment[1:],
        encoded=True,
    )


def path_of(url: URL) -> str:
    """Return the path of a URL that `request_url` built, as it is sent.

    `URL.raw_path` ends with the question mark of a query that is empty but not missing.

    Example:
        >>> path_of(request_url("http://h/a%7E?"))
        '/a%7E'
    """
    return url.raw_path.removesuffix("?")


def query_pairs(params: QueryParams) -> list[tuple[str, str]]:
    """Return the parameters of a query or a form, see `build_url`, as pairs of text."""
    if not isinstance(params, Mapping):
        raise mismatch("a mapping", params, "params")
    pairs = []
    for name, value in params.items():
        plain = [item for item in _plain_items(value) if item is not None]
        pairs += [(_query_name(name), _query_text(item, name)) for item in plain]
    return pairs


def _query_name(name: object) -> str:
    if isinstance(name, str) and not has_surrogate(name):
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
        case str() if not has_surrogate(value):
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
