"""What of a URL or a header may be shown. Errors, logs and spans all ask here."""

import re
from collections.abc import Iterable, Mapping
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
    """Make headers fit to be shown: the values of secret ones are masked.

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
    return {name: MASK if name.lower() in names else value for name, value in headers.items()}
