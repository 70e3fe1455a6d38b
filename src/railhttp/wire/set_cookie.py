"""`Set-Cookie` fields (RFC 6265, section 5.2; RFC 6265bis, section 5.6)."""

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from railhttp.wire.cookie_date import parse_cookie_date

SameSite: TypeAlias = Literal["Strict", "Lax", "None"]
"""The sites whose pages may cause a request with the cookie. Only browsers have sites."""

MAX_NAME_AND_VALUE: Final = 4096
"""Bytes in a cookie's name and value together; larger cookies are ignored."""

MAX_ATTRIBUTE: Final = 1024
"""Bytes in an attribute's value; larger attributes are ignored."""

LATEST: Final = 253402300799
"""9999-12-31 23:59:59 UTC: a `Max-Age` that reaches further ends there."""

_WSP: Final = " \t"
CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DELTA: Final = re.compile(r"-?[0-9]+")
_SAME_SITE: Final[dict[str, SameSite]] = {"strict": "Strict", "lax": "Lax", "none": "None"}


class SetCookie(NamedTuple):
    """A parsed `Set-Cookie` field, before the jar accepts or refuses it.

    Attributes:
        name: The cookie's name.
        value: The cookie's value, with the quotes it came in.
        domain: The `Domain` attribute in lower case and without a leading dot; "" for a cookie of
            the responding host only.
        path: The `Path` attribute; None if the default path applies.
        expires: When the cookie expires, in seconds since 1970-01-01 UTC; None for a cookie of
            the session.
        secure: Whether it is sent over https only.
        http_only: Whether scripts of web pages must not see it.
        same_site: The `SameSite` attribute; None if it is missing or unknown.
    """

    name: str
    value: str
    domain: str = ""
    path: str | None = None
    expires: float | None = None
    secure: bool = False
    http_only: bool = False
    same_site: SameSite | None = None


def parse_set_cookie(field: bytes, now: float) -> SetCookie | None:
    """Parse the value of a `Set-Cookie` field.

    The texts in the result have one character for each byte (Latin-1), so that a cookie goes
    back in the bytes in which it came.

    Args:
        field: The field's value.
        now: The time, in seconds since 1970-01-01 UTC; `Max-Age` counts from it.

    Returns:
        The parsed field. None if the field is ignored: without a name or a `=`, with a
        control character, or with more than 4096 bytes of name and value.

    Example:
        >>> parse_set_cookie(b'sid="7"; domain=.Shop.test; MAX-AGE=60', now=100.0)
        SetCookie(name='sid', value='"7"', domain='shop.test', path=None, expires=160.0,
                  secure=False, http_only=False, same_site=None)
        >>> parse_set_cookie(b"sid", now=100.0) is None
        True
    """
    text = field.decode("latin-1")
    if CONTROLS.search(text):
        return None
    pair, _, attributes = text.partition(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(_WSP), value.strip(_WSP)
    if not (equals and name) or len(name) + len(value) > MAX_NAME_AND_VALUE:
        return None
    parts = (attribute.partition("=") for attribute in attributes.split(";"))
    return with_attributes(SetCookie(name, value), ((key, text) for key, _, text in parts), now)


def with_attributes(
    cookie: SetCookie, attributes: Iterable[tuple[str, str]], now: float
) -> SetCookie:
    """Apply attributes; of two with one name the last that is valid wins.

    Args:
        cookie: Name and value.
        attributes: Names and values, in order; those that are unknown or invalid are ignored.
        now: The time, in seconds since 1970-01-01 UTC.

    Example:
        >>> attributes = [("Max-Age", "5"), ("Max-Age", "x"), ("Path", "/a")]
        >>> with_attributes(SetCookie("a", "1"), attributes, now=1.0)[3:5]
        ('/a', 6.0)
    """
    domain, path = cookie.domain, cookie.path
    expires: float | None = None
    max_age: float | None = None
    secure, http_only, same_site = False, False, cookie.same_site
    for key, text in attributes:
        value = text.strip(_WSP)
        if len(value) > MAX_ATTRIBUTE:
            continue
        match key.strip(_WSP).lower():
            case "expires":
                date = parse_cookie_date(value)
                expires = expires if date is None else date
            case "max-age" if _DELTA.fullmatch(value):
                max_age = _expiry(int(value), now)
            case "domain" if value:
                domain = value.removeprefix(".").lower()
            case "path":
                path = value if value.startswith("/") else None
            case "secure":
                secure = True
            case "httponly":
                http_only = True
            case "samesite":
                same_site = _SAME_SITE.get(value.lower())
    return cookie._replace(
        domain=domain,
        path=path,
        expires=expires if max_age is None else max_age,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
    )


def _expiry(max_age: int, now: float) -> float:
    return min(now + min(max_age, LATEST), LATEST) if max_age > 0 else 0.0
