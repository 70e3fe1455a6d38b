"""Cookies that are kept between requests."""

from collections.abc import Sequence
from http.cookies import Morsel

import aiohttp
from aiohttp._cookie_helpers import parse_set_cookie_headers
from typing_extensions import override
from yarl import URL

from railhttp.wire.cookies import may_be_set


class CookieJar(aiohttp.CookieJar):
    """Takes the cookies that a server may set, and gives them back as they came.

    aiohttp's own jar puts values into quotes, or takes them out of theirs, and both make other
    values of them (RFC 6265, section 5.4).
    """

    def __init__(self) -> None:
        super().__init__(unsafe=True, quote_cookie=False)

    @override
    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        cookies = [
            (name, _verbatim(cookie))
            for name, cookie in parse_set_cookie_headers(headers)
            if may_be_set(name, cookie.coded_value, cookie, response_url)
        ]
        self.update_cookies(cookies, response_url)


def _verbatim(cookie: "Morsel[str]") -> "Morsel[str]":
    # Not `set`, which takes a cookie named `path` for an attribute.
    state = {"key": cookie.key, "value": cookie.coded_value, "coded_value": cookie.coded_value}
    cookie.__setstate__(state)  # type: ignore[attr-defined]  # typeshed does not know it
    return cookie
