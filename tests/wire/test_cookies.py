"""A server sets cookies, and a later request carries them: the cases that browsers agree on.

The kinds of cases are those of the public http-state tests (attributes, character sets, commas,
domains, names, order, paths, values), in words of our own.
"""

import pytest
from yarl import URL

from railhttp import HTTPValidationError
from railhttp.wire.cookie_store import CookieStore
from railhttp.wire.cookies import Cookie, cookie_header, request_host

NOW = 1_700_000_000.0
FIRST = "http://www.shop.test/cart/add"


def sent(*fields: str, first: str = FIRST, then: str | None = None, later: float = 0.0) -> str:
    """The `Cookie` field of a request after a response with some `Set-Cookie` fields."""
    store = CookieStore().receive([one.encode() for one in fields], URL(first), NOW)
    return cookie_header(store.retrieve(URL(then or first), NOW + later)[1])


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        (["a=1"], "a=1"),
        (["a=1", "b=2"], "a=1; b=2"),
        (["b=2", "a=1"], "b=2; a=1"),
        (["a=1", "a=2"], "a=2"),
        (["a=1", "b=2", "a=3"], "a=3; b=2"),
        (["a=1", "A=2"], "a=1; A=2"),
        (["a", "b=2"], "b=2"),
        (["=1", "a=2", "="], "a=2"),
        (["a=", "b=2"], "a=; b=2"),
        (["a=1, b=2"], "a=1, b=2"),
        (["a=1; version=1; x; y=z; ;;"], "a=1"),
        (["a=1; Secure"], ""),
        (["a=1; Max-Age=0"], ""),
        (["a=1; Max-Age=60", "b=2; Max-Age=60", "a=3; Max-Age=0"], "b=2"),
        (["a=1", "a=2; Max-Age=-1"], ""),
        (["a=1", "a=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
        (["a=1", "a=2; Expires=Thu, 01-Jan-70 00:00:01 GMT"], ""),
        (["a=1; Path=/cart", "a=2; Path=/; Max-Age=0"], "a=1"),
        (["a=caf\xe9", "b=春节"], "a=caf\xe9; b=春节"),
        (["春节=1"], "春节=1"),
        (['a="1"', "b='2'", 'c="3'], 'a="1"; b=\'2\'; c="3'),
        (["$Version=1", "$Path=/"], "$Version=1; $Path=/"),
        (["path=/", "domain=x", "expires=0", "secure"], "path=/; domain=x; expires=0"),
    ],
)
def test_what_comes_back(fields: list[str], header: str) -> None:
    assert sent(*fields) == header


@pytest.mark.parametrize(
    ("domain", "first", "then", "comes"),
    [
        (None, "www.shop.test", "www.shop.test", True),
        (None, "www.shop.test", "WWW.Shop.TEST", True),
        (None, "www.shop.test", "www.shop.test:8080", True),
        (None, "www.shop.test", "a.www.shop.test", False),
        (None, "www.shop.test", "shop.test", False),
        ("www.shop.test", "www.shop.test", "www.shop.test", True),
        ("www.shop.test", "www.shop.test", "a.www.shop.test", True),
        ("www.shop.test", "www.shop.test", "b.a.www.shop.test", True),
        ("www.shop.test", "www.shop.test", "shop.test", False),
        ("www.shop.test", "www.shop.test", "awww.shop.test", False),
        (".www.shop.test", "www.shop.test", "a.www.shop.test", True),
        ("SHOP.test", "www.shop.test", "shop.test", True),
        ("shop.test", "WWW.SHOP.TEST", "img.Shop.Test", True),
        ("shop.test", "www.shop.test", "myshop.test", False),
        ("img.shop.test", "www.shop.test", "img.shop.test", False),
        ("a.www.shop.test", "www.shop.test", "a.www.shop.test", False),
        ("other.test", "www.shop.test", "other.test", False),
        ("op.test", "www.shop.test", "www.shop.test", False),
        ("..shop.test", "www.shop.test", "www.shop.test", False),
        ("www..shop.test", "www.shop.test", "www.shop.test", False),
        (". shop.test", "www.shop.test", "www.shop.test", False),
        ("shop.test.", "www.shop.test", "www.shop.test", False),
        ("shop.test:80", "www.shop.test", "www.shop.test", False),
        ('"shop.test"', "www.shop.test", "www.shop.test", False),
        ("http://shop.test", "www.shop.test", "www.shop.test", False),
        ("", "www.shop.test", "www.shop.test", True),
        ("", "www.shop.test", "a.www.shop.test", False),
        (".", "www.shop.test", "www.shop.test", True),
        ("test", "www.shop.test", "www.shop.test", False),
        (".test.", "www.shop.test", "www.shop.test", False),
        ("localhost", "localhost", "localhost", True),
        ("localhost", "localhost", "a.localhost", False),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.1", "a.10.0.0.1", False),
        ("0.0.1", "10.0.0.1", "10.0.0.1", False),
        ("1", "10.0.0.1", "10.0.0.1", False),
        (None, "10.0.0.1", "10.0.0.1:81", True),
        (None, "[::1]", "[::1]:81", True),
        (None, "[::1]", "[0:0::1]", True),
        ("[::1]", "[::1]", "[::1]", True),
        ("::1", "[::1]", "[::1]", False),
        (None, "shop.test.", "shop.test.", True),
        (None, "shop.test.", "shop.test", False),
        ("shop.test", "shop.test.", "shop.test", False),
        ("shop.test.", "www.shop.test.", "shop.test.", True),
        ("xn--bcher-kva.test", "www.bücher.test", "bücher.test", True),
        ("XN--bcher-KVA.test", "www.BÜCHER.test", "BÜCHER.test", True),
        ("bücher.test", "www.bücher.test", "www.bücher.test", False),
    ],
)
def test_which_hosts_get_a_cookie(domain: str | None, first: str, then: str, comes: bool) -> None:
    field = "a=1; Path=/" + ("" if domain is None else f"; Domain={domain}")
    assert sent(field, first=f"http://{first}/", then=f"http://{then}/") == "a=1" * comes


@pytest.mark.parametrize(
    ("domains", "then", "comes"),
    [
        (("shop.test", "www.shop.test"), "img.shop.test", False),
        (("www.shop.test", "shop.test"), "img.shop.test", True),
        (("www.shop.test", "other.test"), "www.shop.test", False),
        (("other.test", "www.shop.test"), "www.shop.test", True),
        (("other.test", ""), "www.shop.test", False),
        (("shop.test", ""), "img.shop.test", True),
    ],
)
def test_of_several_domains_the_last_that_is_not_empty_counts(
    domains: tuple[str, str], then: str, comes: bool
) -> None:
    field = "a=1; Path=/" + "".join(f"; Domain={domain}" for domain in domains)
    assert sent(field, then=f"http://{then}/") == "a=1" * comes


@pytest.mark.parametrize(
    ("path", "first", "then", "comes"),
    [
        (None, "/", "/any", True),
        (None, "/cart", "/", True),
        (None, "/cart/add", "/cart", True),
        (None, "/cart/add", "/cart/", True),
        (None, "/cart/add", "/cart/7/8", True),
        (None, "/cart/add", "/", False),
        (None, "/cart/add", "/cartoon", False),
        (None, "/cart/", "/cart", True),
        (None, "/cart/?a=/b/c", "/cart", True),
        (None, "", "/", True),
        ("/", "/cart/add", "/", True),
        ("/cart", "/", "/cart", True),
        ("/cart", "/", "/cart?x=/", True),
        ("/cart", "/", "/cart/", True),
        ("/cart", "/", "/cart/7", True),
        ("/cart", "/", "/cart//7", True),
        ("/cart", "/", "/carts", False),
        ("/cart", "/", "/Cart", False),
        ("/cart", "/", "/", False),
        ("/cart/", "/", "/cart/", True),
        ("/cart/", "/", "/cart/7", True),
        ("/cart/", "/", "/cart", False),
        ("cart", "/a/b", "/a", True),
        ("cart", "/a/b", "/cart", False),
        ('"/cart"', "/a/b", "/a", True),
        ("/a%20b", "/", "/a%20b", True),
        ("/a%20b", "/", "/a%20b/c", True),
        ("/a b", "/", "/a", False),
        ("/a b", "/", "/a%20b", False),
        ("/a%2Fb", "/", "/a/b", False),
        ("/a%2Fb", "/", "/a%2Fb", True),
        ("/a", "/", "/a%2Fb", False),
        ("/a/b", "/", "/a%2Fb", False),
        (None, "/a%2Fb/c", "/a%2Fb/d", True),
        (None, "/a%2Fb/c", "/a/b/d", False),
        (None, "/a%20b/c", "/a%20b", True),
        ("/caf%C3%A9", "/", "/caf%C3%A9", True),
        ("/café", "/", "/caf%C3%A9", False),
    ],
)
def test_which_paths_get_a_cookie(path: str | None, first: str, then: str, comes: bool) -> None:
    field = "a=1" + ("" if path is None else f"; Path={path}")
    host = "http://shop.test"
    header = sent(field, first=host + first, then=host + then)
    assert header == "a=1" * comes


def test_longer_paths_come_first_and_then_older_cookies() -> None:
    fields = [
        "a=1; Path=/",
        "a=2; Path=/cart",
        "b=3; Path=/; Domain=shop.test",
        "a=4; Path=/; Domain=shop.test",
        "a=5; Path=/cart/add; Domain=shop.test",
        "b=6; Path=/cart",
        "a=7; Path=/other",
    ]
    assert sent(*fields) == "a=5; a=2; b=6; a=1; b=3; a=4"


def test_a_cookie_that_is_set_again_keeps_its_place() -> None:
    assert sent("a=1", "b=2", "a=3") == "a=3; b=2"
    assert sent("a=1", "b=2", "a=1; Max-Age=0", "a=3") == "b=2; a=3"


def test_a_cookie_of_the_host_and_one_of_its_domain_are_one_where_the_names_agree() -> None:
    # RFC 6265, 5.3, step 11: name, domain and path; not whether it is for the host only.
    assert sent("a=1; Path=/", "a=2; Path=/; Domain=www.shop.test") == "a=2"


@pytest.mark.parametrize(("later", "comes"), [(0.0, True), (59.9, True), (60.0, False)])
def test_a_cookie_is_sent_until_it_expires(later: float, comes: bool) -> None:
    assert sent("a=1; Max-Age=60", later=later) == "a=1" * comes


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://user:pw@Shop.TEST:80/", "shop.test"),
        ("http://shop.test./", "shop.test."),
        ("http://BÜCHER.test/", "xn--bcher-kva.test"),
        ("http://[::FFFF:1]:80/", "[::ffff:1]"),
        ("/no/host", ""),
    ],
)
def test_a_host_is_compared_in_one_form(url: str, host: str) -> None:
    assert request_host(URL(url)) == host


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a=b"),
        ("name", "a;b"),
        ("name", " a"),
        ("value", "a;b"),
        ("value", " a"),
        ("value", "a\t"),
        ("value", "a\r\nb"),
        ("value", "a\x00"),
        ("value", "a "),
        ("value", "Ā"),
        ("value", "\udce9"),
        ("domain", "Shop.test"),
        ("domain", ".shop.test"),
        ("domain", "bücher.test"),
        ("domain", "shop test"),
        ("path", "cart"),
        ("path", ""),
        ("expires", float("nan")),
        ("expires", float("inf")),
        ("expires", 10**400),
    ],
)
def test_a_cookie_that_could_not_be_sent_as_it_is_cannot_be_made(field: str, value: object) -> None:
    fields: dict[str, object] = {"name": "a", "value": "1", "domain": "shop.test", field: value}
    with pytest.raises(HTTPValidationError) as caught:
        Cookie(**fields)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_cookie_of_every_host_is_not_for_one_host_only() -> None:
    assert Cookie("a", "1", "", host_only=False).domain == ""
    with pytest.raises(HTTPValidationError, match="host_only"):
        Cookie("a", "1", "")


def test_a_value_is_never_shown() -> None:
    assert "s3cret" not in repr(Cookie("a", "s3cret", "shop.test"))


@pytest.mark.parametrize("field", ["name", "value", "domain", "path"])
@pytest.mark.parametrize("character", ["\u0100", "\x00", "\x7f", ";", "\udc80", "\U0001f36a"])
def test_a_character_that_cannot_be_sent_is_found_anywhere(field: str, character: str) -> None:
    for text in ("/a{}b", "/{}", "/\xff{}", "/{}\xff"):
        fields = {"name": "a", "value": "1", "domain": "h", field: text.format(character)}
        with pytest.raises(HTTPValidationError) as caught:
            Cookie(**fields)  # type: ignore[arg-type]
        assert caught.value.field == field
