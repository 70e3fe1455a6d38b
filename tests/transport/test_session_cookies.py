"""Cookies as aiohttp's session reads and writes them."""

from http.cookies import Morsel, SimpleCookie

import pytest
from yarl import URL

from railhttp.cookies import Cookie, CookieJar
from railhttp.transport.session_cookies import SessionCookieJar
from railhttp.wire.set_cookie import SameSite

NOW = 1_700_000_000.0
HTTPS, HTTP = URL("https://www.shop.test/cart/7"), URL("http://www.shop.test/cart/7")


@pytest.fixture
def kept() -> CookieJar:
    return CookieJar(wall=lambda: NOW)


@pytest.fixture
async def jar(kept: CookieJar) -> SessionCookieJar:
    return SessionCookieJar(kept)


def set_attributes(morsel: "Morsel[str]") -> dict[str, object]:
    return {name: text for name, text in morsel.items() if text}


@pytest.mark.parametrize(
    ("cookie", "attributes"),
    [
        (Cookie("a", "1", "h.test"), {"domain": "h.test", "path": "/"}),
        (Cookie("a", "1", "", "/x", host_only=False), {"path": "/x"}),
        (
            Cookie("a", "1", "h.test", expires=NOW + 60.5),
            {"domain": "h.test", "path": "/", "expires": "Tue, 14 Nov 2023 22:14:20 GMT"},
        ),
        (
            Cookie("a", "1", "h.test", secure=True),
            {"domain": "h.test", "path": "/", "secure": True},
        ),
        (
            Cookie("a", "1", "h.test", http_only=True),
            {"domain": "h.test", "path": "/", "httponly": True},
        ),
        *(
            (
                Cookie("a", "1", "h.test", same_site=same_site),
                {"domain": "h.test", "path": "/", "samesite": same_site},
            )
            for same_site in ("Strict", "Lax", "None")
        ),
    ],
)
async def test_each_attribute_is_that_of_the_cookie(
    kept: CookieJar, jar: SessionCookieJar, cookie: Cookie, attributes: dict[str, object]
) -> None:
    kept.add(cookie)
    (morsel,) = jar
    assert (morsel.key, morsel.value, morsel.coded_value) == ("a", "1", "1")
    assert set_attributes(morsel) == attributes
    assert jar.cookies[cookie.domain, cookie.path]["a"].value == "1"
    assert set(jar.host_only_cookies) == ({("h.test", "/", "a")} if cookie.domain else set())
    assert len(jar) == 1


@pytest.mark.parametrize("name", ["path", "expires", "a b", "é"])
async def test_a_cookie_may_have_any_name(
    kept: CookieJar, jar: SessionCookieJar, name: str
) -> None:
    kept.add(Cookie(name.encode().decode("latin-1"), '"1; 2"'.replace(";", ","), "www.shop.test"))
    assert [(morsel.key, morsel.coded_value) for morsel in jar] == [(name, '"1, 2"')]
    assert list(jar.filter_cookies(HTTPS)) == [name]


async def test_of_two_with_one_name_the_session_sends_the_one_that_goes_out_first(
    kept: CookieJar, jar: SessionCookieJar
) -> None:
    kept.add(Cookie("a", "root", "www.shop.test"), Cookie("a", "cart", "www.shop.test", "/cart"))
    kept.add(Cookie("b", "2", "www.shop.test"), Cookie("c", "\xe9", "www.shop.test"))
    found = jar.filter_cookies(HTTPS)
    assert {name: morsel.value for name, morsel in found.items()} == {"a": "cart", "b": "2"}


async def test_a_secure_cookie_is_for_https(kept: CookieJar, jar: SessionCookieJar) -> None:
    kept.add(Cookie("a", "1", "www.shop.test", secure=True))
    assert list(jar.filter_cookies(HTTPS)) == ["a"]
    assert list(jar.filter_cookies(HTTP)) == []


MORSEL = SimpleCookie(
    "a=1; Domain=shop.test; Path=/x; Secure; HttpOnly; SameSite=Lax; Max-Age=60; Comment=x"
)
WHOLE = Cookie("a", "1", "shop.test", "/x", NOW + 60, True, True, False, "Lax")


@pytest.mark.parametrize(
    ("given", "cookies"),
    [
        ({"a": "1"}, [Cookie("a", "1", "www.shop.test", "/cart")]),
        ([("a", "1"), ("b", 2)], [Cookie(name, str(number), "www.shop.test", "/cart")
                                  for number, name in enumerate("ab", 1)]),
        (MORSEL, [WHOLE]),
        ({"other": MORSEL["a"]}, [WHOLE]),
        ([("other", MORSEL["a"])], [WHOLE]),
        ({"a": "x y"}, [Cookie("a", '"x y"', "www.shop.test", "/cart")]),
        ({}, []),
    ],
)  # fmt: skip
async def test_what_a_program_sets_is_a_cookie_of_the_url(
    kept: CookieJar, jar: SessionCookieJar, given: object, cookies: list[Cookie]
) -> None:
    jar.update_cookies(given, HTTPS)  # type: ignore[arg-type]  # as aiohttp takes it
    assert list(kept) == cookies


@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None"])
async def test_a_field_is_read_as_one_of_a_response(
    kept: CookieJar, jar: SessionCookieJar, same_site: SameSite
) -> None:
    fields = [f"a=é; SameSite={same_site}", "b=\udce9; Max-Age=5", "c=3; Domain=other.test"]
    jar.update_cookies_from_headers(fields, HTTPS)
    assert list(kept) == [
        Cookie("a", "\xc3\xa9", "www.shop.test", "/cart", same_site=same_site),
        Cookie("b", "\xe9", "www.shop.test", "/cart", NOW + 5),
    ]


async def test_cookies_are_removed_whole_by_domain_and_by_a_predicate(
    kept: CookieJar, jar: SessionCookieJar
) -> None:
    def names() -> list[str]:
        kept.clear()
        hosts = ("shop.test", "www.shop.test", "myshop.test", "other.test")
        kept.add(*(Cookie(name, name, host) for name, host in zip("abcd", hosts, strict=True)))
        return [cookie.name for cookie in kept]

    assert names() == ["a", "b", "c", "d"]
    jar.clear_domain("shop.test")
    assert [cookie.name for cookie in kept] == ["c", "d"]
    names()
    jar.clear(lambda morsel: morsel.value in "bd")
    assert [cookie.name for cookie in kept] == ["a", "c"]
    names()
    jar.clear()
    assert len(jar) == 0
