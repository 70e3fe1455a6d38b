"""What of a URL or a header may be shown. Errors, logs and spans all ask here."""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Final

MASK: Final = "***"

SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-amz-security-token",
    }
)
"""Header names, in lower case, whose values are never shown and never cross an origin."""

_URL_HEADERS: Final = frozenset({"location", "content-location", "referer"})
_SHOWABLE_PATH: Final = re.compile(r"/[^@]*|[^:@]*(:\d*(/[^:@]*)?)?")
_SHOWABLE_SCHEME: Final = re.compile(r"[^:@]*:?")
_SHOWABLE_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]\\]+)(:\d*)?")


def redact_url(url: str) -> str:
    """Make a URL fit to be shown: no user-info, no query value, no fragment.

    It takes any text, because an error has to name a URL that could not be parsed; where the
    authority is not plainly `host` or `host:port`, it and what follows are masked too.

    Args:
        url: A URL, valid or not.

    Returns:
        The URL with what may be secret replaced by `***`; applying it twice changes nothing.

    Example:
        >>> redact_url("https://ann:s3cret@api.example/v1?token=abc&page#top")
        'https://api.example/v1?token=***&***'
        >>> redact_url("https://ann:p/w@api.example/")
        'https://***'
    """
    head, mark, query = url.partition("#")[0].partition("?")
    shown = _redact_head(head)
    if not shown.endswith(MASK):  # a `?` within a password makes its end look like a query
        shown += mark + "&".join(map(_redact_pair, query.split("&")))
    return shown if shown.isprintable() else re.sub(r"[^ -~]", "\N{REPLACEMENT CHARACTER}", shown)


def _redact_head(head: str) -> str:
    scheme, separator, rest = head.partition("//")
    if not separator:
        return head if _SHOWABLE_PATH.fullmatch(head) else MASK
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    if not _SHOWABLE_SCHEME.fullmatch(scheme):
        return f"{MASK}//{MASK}"
    if not _SHOWABLE_AUTHORITY.fullmatch(host):
        return f"{scheme}//{MASK}"
    return f"{scheme}//{host}{slash}{path}"


def _redact_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and "@" not in name:
        return f"{name}={MASK}"
    return MASK if name else ""


def redact_headers(
    headers: Mapping[str, str], secret: Iterable[str] = SECRET_HEADERS
) -> dict[str, str]:
    """Make headers fit to be shown: secret values are masked, and secrets in those that are URLs.

    Args:
        headers: Header names and values.
        secret: Names, in lower case, whose values must not be shown.

    Returns:
        A new dict with the names as given.

    Example:
        >>> redact_headers({"Accept": "*/*", "Authorization": "Bearer abc"})
        {'Accept': '*/*', 'Authorization': '***'}
    """
    names = frozenset(secret)
    return {name: redact_header(name, value, names) for name, value in headers.items()}


def redact_header(name: str, value: str, secret: Set[str]) -> str:
    """Make the value of one header fit to be shown, see `redact_headers`.

    Example:
        >>> redact_header("Location", "/login?token=abc", SECRET_HEADERS)
        '/login?token=***'
    """
    folded = name.lower()
    if folded in secret:
        return MASK
    return redact_url(value) if folded in _URL_HEADERS else value


def redacted_repr(value: object, **shown: object) -> str:
    """Write a dataclass or named tuple as Python does, but for some of its fields.

    Args:
        value: The value.
        **shown: What is shown in place of a field.

    Example:
        >>> from typing import NamedTuple
        >>> class Login(NamedTuple):
        ...     user: str
        ...     password: str
        >>> redacted_repr(Login("ann", "s3cret"), password=MASK)
        "Login(user='ann', password='***')"
    """
    names: Iterable[str] = (
        [field.name for field in fields(value) if field.repr]
        if is_dataclass(value)
        else getattr(value, "_fields", ())
    )
    parts = [f"{name}={shown.get(name, getattr(value, name))!r}" for name in names]
    return f"{type(value).__name__}({', '.join(parts)})"
