"""Cookies as text: JSON, and the `cookies.txt` that Mozilla began and curl and wget read."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeGuard

from railhttp.model.errors import HTTPValidationError
from railhttp.wire.cookies import Cookie
from railhttp.wire.set_cookie import LATEST, SameSite

_VERSION: Final = 1
_SECONDS: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?)?")
_HTTP_ONLY: Final = "#HttpOnly_"
_NETSCAPE_HEAD: Final = "# Netscape HTTP Cookie File\n# Written by railhttp. It holds secrets.\n\n"


def to_json(cookies: Iterable[Cookie]) -> str:
    """Write cookies as JSON, all that is known of them.

    Example:
        >>> loads(to_json([Cookie("sid", "7", "shop.test")]))
        (Cookie(name='sid', domain='shop.test', path='/', expires=None, secure=False,
                http_only=False, host_only=True, same_site=None),)
    """
    rows = [
        {
            "name": cookie.name,
            "value": cookie.value,
            "domain": cookie.domain,
            "path": cookie.path,
            "expires": cookie.expires,
            "secure": cookie.secure,
            "http_only": cookie.http_only,
            "host_only": cookie.host_only,
            "same_site": cookie.same_site,
        }
        for cookie in cookies
    ]
    return json.dumps({"version": _VERSION, "cookies": rows}, indent=1) + "\n"


def to_netscape(cookies: Iterable[Cookie]) -> str:
    r"""Write cookies as `cookies.txt`, which has no place for `SameSite` and parts of seconds.

    A cookie with a tab in its name or path cannot be written so, and is left out. So is one of
    every host.

    Example:
        >>> cookie = Cookie("sid", "7", "shop.test", expires=60.0, host_only=False)
        >>> to_netscape([cookie]).splitlines()[-1]
        '.shop.test\tTRUE\t/\tFALSE\t60\tsid\t7'
    """
    rows = (
        _netscape_row(cookie)
        for cookie in cookies
        if cookie.domain and "\t" not in cookie.name + cookie.path
    )
    return _NETSCAPE_HEAD + "".join(f"{row}\n" for row in rows)


def _netscape_row(cookie: Cookie) -> str:
    fields = (
        (_HTTP_ONLY if cookie.http_only else "")
        + ("" if cookie.host_only else ".")
        + cookie.domain,
        _flag(not cookie.host_only),
        cookie.path,
        _flag(cookie.secure),
        # 0 stands for the end of the session.
        "0" if cookie.expires is None else str(max(1, int(cookie.expires))),
        cookie.name,
        cookie.value,
    )
    return "\t".join(fields)


def loads(text: str) -> tuple[Cookie, ...]:
    """Read cookies from either form.

    Args:
        text: The text, with one character for each byte.

    Raises:
        HTTPValidationError: It is neither, or one of its cookies could not be sent.

    Example:
        >>> loads("shop.test FALSE / FALSE 0 sid 7".replace(" ", chr(9)))[0].name
        'sid'
    """
    if text.lstrip().startswith("{"):
        return tuple(_from_json(text))
    return tuple(_from_netscape(text))


def _from_json(text: str) -> Iterator[Cookie]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable("it is not JSON") from None
    rows = document.get("cookies")
    if document.get("version") != _VERSION or not isinstance(rows, list):
        raise _unreadable(f"it is not of version {_VERSION}")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise _unreadable(f"cookie {number} is not an object")
        yield _from_row(row, f"cookie {number}")


def _from_row(row: dict[str, object], place: str) -> Cookie:
    name, value, domain, path = (row.get(key) for key in ("name", "value", "domain", "path"))
    secure, http_only, host_only = (row.get(key) for key in ("secure", "http_only", "host_only"))
    expires, same_site = row.get("expires"), row.get("same_site")
    if (
        isinstance(name, str)
        and isinstance(value, str)
        and isinstance(domain, str)
        and isinstance(path, str)
        and isinstance(secure, bool)
        and isinstance(http_only, bool)
        and isinstance(host_only, bool)
        and (expires is None or _is_number(expires))
        and (same_site is None or _is_same_site(same_site))
    ):
        fields = name, value, domain, path, expires, secure, http_only, host_only, same_site
        return _checked(place, *fields)
    raise _unreadable(f"{place} has a field that is missing or of another type")


def _from_netscape(text: str) -> Iterator[Cookie]:
    for number, line in enumerate(text.split("\n"), 1):
        row = line.removesuffix("\r")
        http_only = row.startswith(_HTTP_ONLY)
        row = row.removeprefix(_HTTP_ONLY)
        if not row.strip() or row.startswith("#"):
            continue
        fields = row.split("\t", 6)
        if len(fields) == 6:  # editors take the tab before an empty value for a blank
            fields.append("")
        if len(fields) != 7:
            raise _unreadable(f"line {number} has not seven fields with tabs between them")
        domain, below, path, secure, expires, name, value = fields
        if not _SECONDS.fullmatch(expires):
            raise _unreadable(f"the time in line {number} is not a number")
        yield _checked(
            f"line {number}",
            name,
            value,
            domain.removeprefix(".").lower(),
            path,
            min(float(expires or 0), LATEST) or None,
            _is_true(secure),
            http_only,
            not _is_true(below),
            None,
        )


def _checked(
    place: str,
    name: str,
    value: str,
    domain: str,
    path: str,
    expires: float | None,
    secure: bool,
    http_only: bool,
    host_only: bool,
    same_site: SameSite | None,
) -> Cookie:
    try:
        return Cookie(name, value, domain, path, expires, secure, http_only, host_only, same_site)
    except HTTPValidationError as error:
        raise _unreadable(f"{place}: {error}") from None


def _unreadable(reason: str) -> HTTPValidationError:
    return HTTPValidationError(f"must be a file of cookies: {reason}", field="path")


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _is_true(field: str) -> bool:
    return field.strip().upper() == "TRUE"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_same_site(value: object) -> TypeGuard[SameSite]:
    return value in ("Strict", "Lax", "None")
