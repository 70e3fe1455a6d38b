"""URLs: building, joining, taking apart (RFC 3986; RFC 9110, section 4.2)."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias, TypedDict
from uuid import UUID

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import LARGEST_INT, SCHEME, describe, require_text, require_url

QueryValue: TypeAlias = str | int | float | bool | Decimal | Enum | date | UUID | None
"""What a query parameter can hold; a `datetime` is a `date` too."""

QueryParams: TypeAlias = Mapping[str, QueryValue | Sequence[QueryValue]]
"""Query parameters by name; a list or tuple repeats its name."""

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class UrlParts(TypedDict):
    """The parts of a URL.

    Keys:
        scheme: `http` or `https`.
        host: In lower case and ASCII (IDNA), an IPv6 address without its brackets.
        port: The port that the URL names; None where it names none.
        path: As sent, percent-encoded; at least `/`.
        params: The query, decoded; each name with all its values in order.
        fragment: Percent-encoded, empty where there is none.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    params: dict[str, list[str]]
    fragment: str


def build_url(base: str, path: str = "", params: QueryParams | None = None) -> str:
    """Build a complete URL from a base, a path and query parameters.

    The path is put behind the base's own with one slash between them, whatever slashes both have
    there: this is prefixing, not the resolution of RFC 3986. Queries of base, path and `params`
    follow one another; the fragment, the path's rather than the base's, comes last. What is
    percent-encoded in base or path stays as it is, everything else is encoded as need be.

    Args:
        base: An http or https URL, such as `https://api.example.com/v1`.
        path: What follows, perhaps with a query and a fragment.
        params: Query parameters, see `extend_query`.

    Returns:
        The URL in normal form.

    Raises:
        HTTPValidationError: The base is no URL, the path has control characters, or a parameter
            has no form in a query.

    Example:
        >>> build_url("https://api.example.com", "/users", {"page": 1})
        'https://api.example.com/users?page=1'
        >>> build_url("https://api.example.com/v1/?key=7", "users", {"tag": ["a b", None, "c"]})
        'https://api.example.com/v1/users?key=7&tag=a+b&tag=c'
    """
    return str(extend_query(_join(_parse_as(base, "base"), path), params or {}))


def _join(base: URL, path: str) -> URL:
    if not require_text(path, field="path"):
        return base
    head, _, fragment = path.partition("#")
    tail, _, query = head.partition("?")
    whole_path = f"{base.raw_path.rstrip('/')}/{tail.lstrip('/')}" if tail else base.raw_path
    whole_query = "&".join(filter(None, [base.raw_query_string, query]))
    start = f"{base.scheme}://{base.raw_authority}{whole_path}"
    return URL(f"{start}?{whole_query}#{fragment or base.raw_fragment}")


def parse_url_parts(url: str) -> UrlParts:
    """Take a URL apart.

    `build_url` puts it together again, with scheme, host, port and path as its base.

    Args:
        url: An http or https URL.

    Returns:
        Its parts.

    Raises:
        HTTPValidationError: It is no such URL.

    Example:
        >>> parse_url_parts("https://api.example.com:8443/users?tag=a+b&tag=c#top")
        {'scheme': 'https', 'host': 'api.example.com', 'port': 8443, 'path': '/users',
         'params': {'tag': ['a b', 'c']}, 'fragment': 'top'}
    """
    parsed = request_url(url)
    params: dict[str, list[str]] = {}
    for name, value in parsed.query.items():
        params.setdefault(name, []).append(value)
    return {
        "scheme": parsed.scheme,
        "host": parsed.raw_host or "",
        "port": parsed.explicit_port,
        "path": parsed.raw_path,
        "params": params,
        "fragment": parsed.raw_fragment,
    }


def request_url(url: str) -> URL:
    """Check the URL of a request and give it as it is sent; a URL seen lately costs a look-up.

    Args:
        url: An absolute http or https URL.

    Returns:
        The URL in normal form.

    Raises:
        HTTPValidationError: It is no such URL, see `require_url`.

    Example:
        >>> request_url("HTTP://Example.com:8080/é")
        URL('http://example.com:8080/%C3%A9')
    """
    return _parse_as(url, "url")


def _parse_as(url: str, field: str) -> URL:
    if not isinstance(url, str):  # what cannot be hashed must not reach the cache
        raise HTTPValidationError(f"must be a str, got {describe(url)}", field=field)
    return _parse(str.__str__(url), field)  # an enum's text, not its name


@lru_cache(maxsize=1024)
def _parse(url: str, field: str) -> URL:
    require_url(url, field=field)
    return URL(url)  # the normal form would lose a port that is named though it is the default


def extend_query(url: URL, params: QueryParams) -> URL:
    """Put query parameters behind those that a URL has.

    Each kind of value has one form: text as it is; `true` and `false`; numbers as Python prints
    them (`0.1`, `1e+16`); a date or datetime in ISO 8601; a UUID with hyphens; an enum as its
    value. None is left out, alone or in a list; a list or tuple repeats the name.

    Args:
        url: The URL.
        params: Parameters by name; a multi-dict keeps its repeated names.

    Returns:
        The longer URL, with the fragment still last.

    Raises:
        HTTPValidationError: A name is no text, or a value none of these: bytes, nan and
            infinities, sets, nested lists and anything else.

    Example:
        >>> extend_query(URL("http://h/?a=1#top"), {"b": [True, None, 2.5], "c": "x&y"})
        URL('http://h/?a=1&b=true&b=2.5&c=x%26y#top')
    """
    return url.extend_query(query_pairs(params))


def query_pairs(params: QueryParams) -> list[tuple[str, str]]:
    """Give the parameters of a query, or of a form, one by one and as text.

    Args:
        params: Parameters by name, see `extend_query`.

    Returns:
        Names and texts, not encoded yet.

    Raises:
        HTTPValidationError: As in `extend_query`.

    Example:
        >>> query_pairs({"a": [1, None, True]})
        [('a', '1'), ('a', 'true')]
    """
    if not isinstance(params, Mapping):
        raise HTTPValidationError(f"must be a mapping, got {describe(params)}", field="params")
    return [
        (_query_name(name), _query_text(plain, name))
        for name, value in params.items()
        for plain in _plain_items(value)
        if plain is not None
    ]


def _query_name(name: object) -> str:
    if isinstance(name, str) and not _SURROGATE.search(name):
        return str.__str__(name)  # an enum's text, not its name
    raise HTTPValidationError(f"must have names of text, got {describe(name)}", field="params")


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
    """Tell whether a URL names its scheme, in any spelling and be it one that cannot be sent.

    Example:
        >>> is_absolute("HTTP://h/"), is_absolute("ftp://h/")
        (True, True)
        >>> is_absolute("//h/"), is_absolute("localhost:8080")
        (False, False)
    """
    return isinstance(url, str) and SCHEME.match(url) is not None


def join_base_url(base: str, url: str) -> str:
    """Find the URL that a client with a base URL means.

    Args:
        base: The client's base URL; empty where it has none.
        url: A path behind the base, as in `build_url`, or an absolute URL, which is left alone.

    Returns:
        A URL for `request_url`.

    Raises:
        HTTPValidationError: The base is no URL, or the path has control characters.

    Example:
        >>> join_base_url("https://api.example.com/v1?key=7", "/users")
        'https://api.example.com/v1/users?key=7'
        >>> join_base_url("https://api.example.com/v1", "HTTP://other.example/")
        'HTTP://other.example/'
    """
    if not base or is_absolute(url):
        return url
    return build_url(base, url)


def origin_of(url: URL) -> tuple[str, str, int]:
    """Give a URL's origin: scheme, host and port (RFC 6454, section 4).

    Example:
        >>> origin_of(URL("https://Example.com/a")) == origin_of(URL("https://example.com:443/b"))
        True
    """
    return url.scheme, url.raw_host or "", url.port or 0
