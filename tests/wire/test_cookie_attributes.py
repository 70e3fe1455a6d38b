"""A cookie in the store has all that its field says, and what the rules add."""

import pytest
from yarl import URL

from railhttp.wire.cookie_rules import CookieRules, SecureCookies, is_single_label
from railhttp.wire.cookie_store import CookieStore
from railhttp.wire.cookies import Cookie, covering_paths, default_path, is_address, path_matches
from railhttp.wire.set_cookie import LATEST, SetCookie

NOW = 1_700_000_000.0
ALL = SetCookie("a", "1", "shop.test", "/x", NOW + 9, True, True, "Lax")
PROGRAM = URL("")


def test_every_attribute_is_kept() -> None:
    url = URL("https://www.shop.test/cart/7")
    kept = Cookie("a", "1", "shop.test", "/x", NOW + 9, True, True, False, "Lax")
    assert CookieRules().accept(ALL, url) == kept
    bare = Cookie("a", "1", "www.shop.test", "/cart", None, False, False, True, None)
    assert CookieRules().accept(SetCookie("a", "1"), url) == bare
    field = b"a=1; Domain=shop.test; Path=/x; Max-Age=9; Secure; HttpOnly; SameSite=Lax"
    assert CookieStore().receive([field], url, NOW).cookies(NOW) == (kept,)


def test_a_cookie_of_the_program_is_not_checked() -> None:
    assert CookieRules().accept(ALL, PROGRAM) == Cookie(
        "a", "1", "shop.test", "/x", NOW + 9, True, True, False, "Lax"
    )
    assert CookieRules().accept(SetCookie("__Host-a", "1"), PROGRAM) == Cookie(
        "__Host-a", "1", "", "/", host_only=False
    )


@pytest.mark.parametrize(
    ("domain", "public"),
    [("com", True), ("com.", True), ("shop.test", False), ("shop.test.", False), ("", True)],
)
def test_a_domain_without_an_inner_dot_is_a_public_suffix(domain: str, public: bool) -> None:
    assert is_single_label(domain) is public


def test_only_secure_cookies_are_protected() -> None:
    protected = SecureCookies(
        [Cookie("a", "1", "h.test"), Cookie("b", "1", "h.test", "/b", secure=True)]
    )
    assert not protected.overlap(Cookie("a", "2", "h.test"))
    for path in ("/b", "/b/", "/b/c"):
        assert protected.overlap(Cookie("b", "2", "h.test", path))
        assert protected.overlap(Cookie("b", "2", "h.test", path))  # remembered
    assert not protected.overlap(Cookie("b", "2", "h.test", "/"))
    assert not protected.overlap(Cookie("b", "2", "other.test", "/b"))


def test_the_next_expiry_is_known_after_one_cookie_was_removed() -> None:
    fields = [b"a=1; Max-Age=5", b"b=1; Max-Age=9", b"c=1; Max-Age=7", b"d=1"]
    store = CookieStore().receive(fields, URL("http://h.test/"), NOW)
    store = store.remove(lambda cookie: cookie.name == "a")
    assert [len(store.purge(NOW + later)) for later in (6, 7, 9)] == [3, 2, 1]
    assert store.purge(NOW + 6) is store
    lasting = store.remove(lambda cookie: cookie.expires is not None)
    assert (lasting.purge(NOW * 2), len(lasting)) == (lasting, 1)


def test_a_domain_without_cookies_leaves_nothing() -> None:
    store = CookieStore().receive([b"a=1"], URL("http://h.test/"), NOW)
    gone = store.receive([b"a=; Max-Age=0"], URL("http://h.test/"), NOW)
    assert (gone, len(gone)) == (gone.remove(lambda _: True), 0)
    again = gone.receive([b"a=2"], URL("http://h.test/"), NOW)
    assert [cookie.value for cookie in again.cookies(NOW)] == ["2"]


def test_stores_that_have_forgotten_different_domains_are_equal() -> None:
    stores = []
    for host in ("h.test", "i.test"):
        store = CookieStore().receive([b"a=1", b"b=1; Max-Age=5"], URL(f"http://{host}/"), NOW)
        stores.append(store.receive([b"a=; Max-Age=0"], URL(f"http://{host}/"), NOW).purge(NOW + 5))
    assert stores[0] == stores[1]


def test_a_store_that_has_sent_its_cookies_last_stays_the_same() -> None:
    """Most requests of a client go to one place: they change nothing."""
    url = URL("http://h.test/")
    store = CookieStore().receive([b"a=1; Path=/a", b"b=1; Path=/b"], url, NOW)
    first, second = url.with_path("/a"), url.with_path("/b")
    once, _ = store.retrieve(first, NOW)
    assert once is not store
    assert once.retrieve(first, NOW)[0] is once
    other, _ = once.retrieve(second, NOW)
    assert other is not once
    assert other.retrieve(first, NOW)[0] is not other


def test_cookies_that_are_added_stay_within_the_limits() -> None:
    rules = CookieRules(max_per_domain=2, max_cookies=3)
    cookies = [Cookie(name, "1", f"{domain}.test") for domain in "hij" for name in "abc"]
    store = CookieStore(rules).add(cookies, NOW)
    found = [(cookie.domain, cookie.name) for cookie in store.cookies(NOW)]
    assert found == [("i.test", "c"), ("j.test", "b"), ("j.test", "c")]


def test_a_store_shows_no_cookie() -> None:
    store = CookieStore().add([Cookie("session", "s3cret", "shop.test")], NOW)
    assert "session" not in repr(store)
    assert "s3cret" not in repr(store)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        *((text, True) for text in ("10.0.0.1", "1", "a.1", "a.0x", "a.0x1f", "1.", "[::1]")),
        *((text, False) for text in ("", "a", "a.1b", "1.test", "a.0xg", "a.x1", "0x1.test")),
    ],
)
def test_a_host_whose_last_label_is_a_number_is_an_address(host: str, address: bool) -> None:
    assert is_address(host) is address


@pytest.mark.parametrize(
    ("path", "directory"),
    [("", "/"), ("a/b", "/"), ("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b/c", "/a/b")],
)
def test_the_path_of_a_cookie_without_one(path: str, directory: str) -> None:
    assert default_path(path) == directory


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a/b", "/a//b/", "//"])
def test_the_paths_that_cover_a_path_are_those_that_match(path: str) -> None:
    covering = set(covering_paths(path))
    candidates = {path[:end] for end in range(1, len(path) + 1)} | {f"{path}/", f"{path}x", "/x"}
    assert {one for one in candidates if path_matches(path, one)} == covering


@pytest.mark.parametrize("expires", [LATEST, -LATEST, 0, 0.5])
def test_times_up_to_the_year_9999_are_taken(expires: float) -> None:
    assert Cookie("a", "1", "h", expires=expires).expires == expires


def test_a_cookie_expires_at_its_moment() -> None:
    cookie = Cookie("a", "1", "h", expires=5.0)
    assert [cookie.is_expired(now) for now in (4.9, 5.0, 5.1)] == [False, True, True]
    assert not Cookie("a", "1", "h").is_expired(float(LATEST))


@pytest.mark.parametrize(
    ("secure", "other", "overlaps"),
    [
        ("h.test", "h.test", True),
        ("h.test", "www.h.test", True),
        ("www.h.test", "h.test", True),
        ("a.h.test", "b.h.test", False),
        ("h.test", "xh.test", False),
    ],
)
def test_a_secure_cookie_protects_the_domains_above_and_below_its_own(
    secure: str, other: str, overlaps: bool
) -> None:
    protected = SecureCookies([Cookie("a", "1", secure, secure=True)])
    assert protected.overlap(Cookie("a", "2", other)) is overlaps
    assert not protected.overlap(Cookie("b", "2", other))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_cookies_that_were_set_or_sent_together_are_sent_again_from_the_same_store(
    number: int,
) -> None:
    url = URL("http://h.test/a")
    fields = [b"c%d=1" % one for one in range(number)]
    store = CookieStore().receive(fields, url, NOW)
    assert store.retrieve(url, NOW)[0] is store
    store = store.receive([b"other=1; Path=/b"], url, NOW)
    once, sent = store.retrieve(url, NOW)
    assert once is not store
    assert len(sent) == number
    assert once.retrieve(url, NOW)[0] is once
