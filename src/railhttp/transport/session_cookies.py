"""A pool's cookies as aiohttp wants them, for requests that are made with `pool.session`."""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate
from http.cookies import BaseCookie, Morsel, SimpleCookie
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractCookieJar, ClearCookiePredicate
from aiohttp.typedefs import LooseCookies
from typing_extensions import override
from yarl import URL

from railhttp.transport.cookie_jar import CookieJar

if TYPE_CHECKING:
    from railhttp.wire.cookies import Cookie

_NO_URL: Final = URL()


class SessionCookieJar(AbstractCookieJar):
    """Lets aiohttp read and write a `CookieJar`.

    aiohttp sends one cookie of each name; of several it is given the one that goes out first.

    Args:
        jar: The jar.
    """

    def __init__(self, jar: CookieJar) -> None:
        super().__init__()
        self._jar = jar

    def __len__(self) -> int:
        return len(self._jar)

    def __iter__(self) -> "Iterator[Morsel[str]]":
        return map(_to_morsel, self._jar)

    @property
    @override
    def unsafe(self) -> bool:
        return True

    @property
    @override
    def quote_cookie(self) -> bool:
        return False

    @property
    @override
    def cookies(self) -> MappingProxyType[tuple[str, str], SimpleCookie]:
        found: dict[tuple[str, str], SimpleCookie] = {}
        for cookie in self._jar:
            simple = found.setdefault((cookie.domain, cookie.path), SimpleCookie())
            _put(simple, cookie)
        return MappingProxyType(found)

    @property
    @override
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        jar = self._jar
        return frozenset(
            (one.domain, one.path, _to_morsel(one).key) for one in jar if one.host_only
        )

    @override
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        if predicate is None:
            self._jar.clear()
        else:
            self._jar.clear(lambda cookie: predicate(_to_morsel(cookie)))

    @override
    def clear_domain(self, domain: str) -> None:
        from railhttp.wire.cookies import domain_matches  # noqa: PLC0415  # see `CookieJar._store`

        self._jar.clear(lambda cookie: domain_matches(cookie.domain, domain))

    @override
    def update_cookies(self, cookies: LooseCookies, response_url: URL = _NO_URL) -> None:
        pairs = cookies.items() if isinstance(cookies, Mapping) else cookies
        self._jar.receive((_set_cookie(str(name), value) for name, value in pairs), response_url)

    @override
    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        fields = (header.encode("utf-8", "surrogateescape") for header in headers)
        self._jar.receive(fields, response_url)

    @override
    def filter_cookies(self, request_url: URL) -> "BaseCookie[str]":
        filtered: BaseCookie[str] = BaseCookie()
        # aiohttp sends fields as UTF-8, so it cannot send other bytes.
        for cookie in reversed(self._jar.cookies_for(request_url)):
            if _is_utf8(cookie.name + cookie.value):
                _put(filtered, cookie)
        return filtered


def _is_utf8(octets: str) -> bool:
    try:
        octets.encode("latin-1").decode()
    except UnicodeDecodeError:
        return False
    return True


def _set_cookie(name: str, value: object) -> bytes:
    """Write as a `Set-Cookie` field what aiohttp takes for a cookie."""
    if isinstance(value, Morsel):
        morsel = value
    else:
        simple = SimpleCookie()
        simple[name] = str(value)
        morsel = simple[name]
    attributes = (
        f"; {key}" if text is True else f"; {key}={text}" for key, text in morsel.items() if text
    )
    field = f"{morsel.key}={morsel.coded_value}{''.join(attributes)}"
    return field.encode("utf-8", "surrogateescape")


def _to_morsel(cookie: "Cookie") -> "Morsel[str]":
    from railhttp.wire.cookies import field_text  # noqa: PLC0415  # see `CookieJar._store`

    morsel: Morsel[str] = Morsel()
    name, value = field_text(cookie.name), field_text(cookie.value)
    # Not `set`, which refuses a cookie with the name of an attribute.
    state = {"key": name, "value": value, "coded_value": value}
    morsel.__setstate__(state)  # type: ignore[attr-defined]  # typeshed does not know it
    morsel["domain"] = cookie.domain
    morsel["path"] = cookie.path
    if cookie.expires is not None:
        morsel["expires"] = formatdate(cookie.expires, usegmt=True)
    if cookie.secure:
        morsel["secure"] = True
    if cookie.http_only:
        morsel["httponly"] = True
    if cookie.same_site is not None:
        morsel["samesite"] = cookie.same_site
    return morsel


def _put(cookies: "BaseCookie[str]", cookie: "Cookie") -> None:
    # Not by `cookies[name] =`, which would encode the value once more.
    morsel = _to_morsel(cookie)
    dict.__setitem__(cookies, morsel.key, morsel)
