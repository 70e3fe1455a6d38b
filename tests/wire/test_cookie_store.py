"""Which cookies are accepted, evicted and expired (RFC 6265, 5.3; RFC 6265bis, 5.7)."""

import pytest
from yarl import URL

from railhttp.wire.cookie_rules import CookieRules
from railhttp.wire.cookie_store import CookieStore
from railhttp.wire.cookies import Cookie

NOW = 1_700_000_000.0
HTTP, HTTPS = URL("http://www.shop.test/cart"), URL("https://www.shop.test/cart")


def received(store: CookieStore, url: URL, *fields: str) -> CookieStore:
    return store.receive([field.encode() for field in fields], url, NOW)


def names(store: CookieStore, now: float = NOW) -> list[str]:
    return [cookie.name for cookie in store.cookies(now)]


def values(store: CookieStore) -> list[str]:
    return [cookie.value for cookie in store.cookies(NOW)]


@pytest.mark.parametrize(
    ("url", "field", "taken"),
    [
        ("http://evil.com/", "a=1; Domain=com", False),
        ("http://evil.com/", "a=1; Domain=.com", False),
        ("http://evil.com/", "a=1; Domain=evil.com", True),
        ("http://a.evil.com/", "a=1; Domain=.evil.com", True),
        ("http://evil.com/", "a=1; Domain=bank.com", False),
        ("http://localhost/", "a=1; Domain=localhost", True),
        ("http://10.0.0.1/", "a=1; Domain=10.0.0.1", True),
        ("http://10.0.0.1/", "a=1; Domain=0.1", False),
        (
            "http://evil.co.uk/",
            "a=1; Domain=co.uk",
            True,
        ),  # only the list of public suffixes knows it
        ("http://h.com/", "a=1; Secure", False),
        ("https://h.com/", "a=1; Secure", True),
        ("https://h.com/", "__Secure-a=1; Secure", True),
        ("https://h.com/", "__secure-a=1", False),
        ("https://h.com/", "__secured=1", True),
        ("http://h.com/", "__Secure-a=1; Secure", False),
        ("http://h.com/", "__SECURE-a=1", False),
        ("https://h.com/", "__Host-a=1; Secure; Path=/", True),
        ("https://h.com/", "__Host-a=1; Secure; Path=/; Domain=", True),
        ("https://h.com/", "__Host-a=1; Secure", False),
        ("https://h.com/", "__Host-a=1; Path=/", False),
        ("https://h.com/", "__HOST-a=1; Secure; Path=/b", False),
        ("https://h.com/", "__host-a=1; Secure; Path=b", False),
        ("https://h.com/", "__Host-a=1; Secure; Path=/; Domain=h.com", False),
        ("http://h.com/", "__Host-a=1; Secure; Path=/", False),
        ("https://h.com/", "__Host=1", True),
        ("http://h.com/", "a=1; SameSite=None", True),  # only browsers have sites
    ],
)
def test_what_a_server_may_set(url: str, field: str, taken: bool) -> None:
    store = received(CookieStore(), URL(url), field, "other=1")
    assert names(store) == ([field.partition("=")[0]] if taken else []) + ["other"]


@pytest.mark.parametrize(
    ("secure", "url", "field", "taken"),
    [
        ("a=1; Secure", "http://www.shop.test/", "a=2", False),
        ("a=1; Secure", "http://www.shop.test/", "a=; Max-Age=0", False),
        ("a=1; Secure", "https://www.shop.test/", "a=2", True),
        ("a=1; Secure", "http://www.shop.test/", "b=2", True),
        ("a=1; Secure", "http://www.shop.test/", "A=2", True),
        ("a=1", "http://www.shop.test/", "a=2", True),
        ("a=1; Secure; Domain=shop.test", "http://www.shop.test/", "a=2", False),
        ("a=1; Secure; Domain=shop.test", "http://img.shop.test/", "a=2", False),
        ("a=1; Secure", "http://img.shop.test/", "a=2; Domain=shop.test", False),
        ("a=1; Secure", "http://img.shop.test/", "a=2", True),
        ("a=1; Secure", "http://shop.test/", "a=2", False),  # by the letter: the domains match
        ("a=1; Secure; Path=/cart", "http://www.shop.test/", "a=2; Path=/", True),
        ("a=1; Secure; Path=/cart", "http://www.shop.test/", "a=2; Path=/cart", False),
        ("a=1; Secure; Path=/cart", "http://www.shop.test/", "a=2; Path=/cart/7", False),
        ("a=1; Secure; Path=/cart", "http://www.shop.test/", "a=2; Path=/carts", True),
    ],
)
def test_a_secure_cookie_is_left_alone_by_http(
    secure: str, url: str, field: str, taken: bool
) -> None:
    before = received(CookieStore(), HTTPS.with_path("/"), secure)
    after = received(before, URL(url), field)
    assert (after.cookies(NOW) != before.cookies(NOW)) is taken


def test_a_secure_cookie_goes_over_https_only() -> None:
    store = received(CookieStore(), HTTPS, "a=1; Secure", "b=2")
    assert [one.name for one in store.retrieve(HTTPS, NOW)[1]] == ["a", "b"]
    assert [one.name for one in store.retrieve(HTTP, NOW)[1]] == ["b"]


@pytest.mark.parametrize(
    ("url", "domain", "host_only"),
    [
        ("http://a.co.test/", "co.test", None),
        ("http://co.test/", "co.test", True),
        ("http://a.co.test/", "a.co.test", False),
        ("http://b.a.co.test/", "a.co.test", False),
    ],
)
def test_a_public_suffix_sets_cookies_for_itself_alone(
    url: str, domain: str, host_only: bool | None
) -> None:
    rules = CookieRules(is_public_suffix=lambda domain: domain == "co.test")
    store = received(CookieStore(rules), URL(url), f"a=1; Domain={domain}")
    assert [one.host_only for one in store.cookies(NOW)] == (
        [] if host_only is None else [host_only]
    )


SMALL = CookieRules(max_per_domain=3, max_cookies=5)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (["a=1", "b=1", "c=1"], "abc"),
        (["a=1", "b=1", "c=1", "d=1"], "bcd"),
        (["a=1", "b=1", "c=1", "a=2", "d=1"], "acd"),
        (["a=1; Secure", "b=1", "c=1", "d=1"], "acd"),
        (["a=1; Secure", "b=1; Secure", "c=1; Secure", "d=1"], "abc"),
        (["a=1; Secure", "b=1; Secure", "c=1; Secure", "d=1; Secure"], "bcd"),
        (["a=1", "b=1", "c=1", "d=1; Max-Age=0"], "abc"),
    ],
)
def test_a_domain_keeps_so_many_secure_ones_and_those_used_last(
    fields: list[str], kept: str
) -> None:
    assert "".join(sorted(names(received(CookieStore(SMALL), HTTPS, *fields)))) == kept
    one_by_one = CookieStore(SMALL)
    for field in fields:
        one_by_one = received(one_by_one, HTTPS, field)
    assert "".join(sorted(names(one_by_one))) == kept


def test_a_cookie_that_is_sent_is_evicted_later() -> None:
    store = received(CookieStore(SMALL), HTTP, "a=1; Path=/cart", "b=1; Path=/b", "c=1; Path=/c")
    store, _ = store.retrieve(HTTP, NOW)
    assert names(received(store, HTTP, "d=1")) == ["a", "c", "d"]


def test_each_of_the_cookies_that_are_sent_together_is_evicted_later() -> None:
    store = received(CookieStore(SMALL), HTTP, "a=1; Path=/cart", "b=1; Path=/b", "c=1; Path=/cart")
    store, sent = store.retrieve(HTTP, NOW)
    assert [cookie.name for cookie in sent] == ["a", "c"]
    assert names(received(store, HTTP, "d=1")) == ["a", "c", "d"]


def test_it_does_not_matter_how_often_a_cookie_is_sent() -> None:
    store = received(CookieStore(SMALL), HTTP, "a=1; Path=/cart", "b=1; Path=/b", "c=1; Path=/cart")
    for path in ("/b", "/cart", "/cart", "/cart", "/b", "/b"):
        store, _ = store.retrieve(HTTP.with_path(path), NOW)
    assert names(received(store, HTTP, "d=1", "e=1")) == ["b", "d", "e"]


def test_there_are_so_many_cookies_in_all() -> None:
    store = CookieStore(SMALL)
    for number in range(8):
        store = received(store, URL(f"http://h{number}.test/"), f"a{number}=1; Secure", "b=1")
    assert [cookie.domain for cookie in store.cookies(NOW)] == [f"h{n}.test" for n in range(3, 8)]
    assert len(store) == 5


def test_the_limits_are_those_of_browsers() -> None:
    store = CookieStore()
    for number in range(20):
        url = URL(f"http://h{number}.test/")
        store = received(store, url, *(f"a{n}=1" for n in range(200)))
    assert len(store) == 3000
    assert sum(cookie.domain == "h19.test" for cookie in store.cookies(NOW)) == 180


def test_what_has_expired_is_gone_wherever_one_looks() -> None:
    store = received(CookieStore(), HTTP, "a=1; Max-Age=5", "b=1; Max-Age=9", "c=1")
    assert names(store, NOW + 5) == ["b", "c"]
    later, found = store.retrieve(URL("http://other.test/"), NOW + 5)
    assert (len(later), found) == (2, ())
    assert len(store.receive([], HTTP, NOW + 9)) == 1
    assert len(store.purge(NOW + 9)) == 1
    assert len(store.purge(NOW + 4)) == 3


def test_a_cookie_loses_its_expiry_when_it_is_set_again_without_one() -> None:
    store = received(CookieStore(), HTTP, "a=1; Max-Age=5", "a=2")
    assert names(store.purge(NOW + 9), NOW + 9) == ["a"]


def test_an_expired_cookie_does_not_come_back_when_the_clock_goes_back() -> None:
    store = received(CookieStore(), HTTP, "a=1; Max-Age=5")
    store, _ = store.retrieve(HTTP, NOW + 5)
    assert store.retrieve(HTTP, NOW)[1] == ()


def test_each_event_makes_another_store() -> None:
    before = received(CookieStore(), HTTP, "a=1")
    after = received(before, HTTP, "a=2", "b=1")
    gone = after.remove(lambda cookie: cookie.name == "a")
    assert (values(before), values(after), values(gone)) == (["1"], ["2", "1"], ["1"])
    assert (len(before), len(after), len(gone)) == (1, 2, 1)


def test_cookies_of_the_program_are_taken_as_they_are() -> None:
    store = CookieStore().add([Cookie("a", "1", "shop.test", host_only=False)], NOW)
    store = store.add([Cookie("b", "2", "", host_only=False)], NOW)
    store = store.add([Cookie("c", "3", "shop.test", expires=NOW)], NOW)
    assert [one.name for one in store.retrieve(HTTP, NOW)[1]] == ["a", "b"]
    assert [one.name for one in store.retrieve(URL("http://10.0.0.1/"), NOW)[1]] == ["b"]
