"""`Set-Cookie` fields and their attributes (RFC 6265, 5.2)."""

from datetime import UTC, datetime

import pytest

from railhttp.wire.set_cookie import LATEST, SetCookie, parse_set_cookie

NOW = 1_000_000.0


def parse(field: str) -> SetCookie:
    cookie = parse_set_cookie(field.encode("latin-1"), NOW)
    assert cookie is not None
    return cookie


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("a=1", "a", "1"),
        ("a=", "a", ""),
        ("  a \t=\t 1  ", "a", "1"),
        ("a=1;", "a", "1"),
        ("a = 1 ; Path=/", "a", "1"),
        ("a=b=c==", "a", "b=c=="),
        ("a== b", "a", "= b"),
        ('a="1"', "a", '"1"'),
        ('a="1; Path=/"', "a", '"1'),
        ('a="1 "  "2" ', "a", '"1 "  "2"'),
        ('"a=b"=c', '"a', 'b"=c'),
        ("a b=c d", "a b", "c d"),
        ("a=1, b=2", "a", "1, b=2"),
        ("a\tb=c\td", "a\tb", "c\td"),
        ("$Version=1; a=2", "$Version", "1"),
        ("Path=/x; Path=/", "Path", "/x"),
        ("é=\xff", "é", "\xff"),
        ("%20=%3B", "%20", "%3B"),
        ('a={"b":[1,2]}', "a", '{"b":[1,2]}'),
    ],
)
def test_name_and_value_stay_as_they_are_but_for_blanks_around_them(
    field: str, name: str, value: str
) -> None:
    assert parse(field)[:2] == (name, value)


@pytest.mark.parametrize(
    "field",
    [
        "",
        "   ",
        ";",
        "a",
        "a; b=c",
        "=",
        "=1",
        " = 1",
        "==1",
        "; a=1",
        "a;=1",
        "a=\x00",
        "a=1\x01; Path=/",
        "a=1; Path=/\x1f",
        "a\x7f=1",
        "a=1\r",
        "a=1\n",
    ],
)
def test_a_field_without_a_name_or_with_control_characters_is_no_cookie(field: str) -> None:
    assert parse_set_cookie(field.encode("latin-1"), NOW) is None


@pytest.mark.parametrize(("size", "taken"), [(4096, True), (4097, False)])
def test_name_and_value_have_4096_bytes_at_most(size: int, taken: bool) -> None:
    field = b"ab=" + b"\xe9" * (size - 2)
    assert (parse_set_cookie(field, NOW) is not None) is taken
    assert (parse_set_cookie(field + b"; Path=/", NOW) is not None) is taken


EXPIRES = "Expires=Sun, 05 Apr 2037 06:07:08 GMT"
AT = 2_122_524_428


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("", None),
        (EXPIRES, AT),
        (EXPIRES.lower(), AT),
        (EXPIRES + " ; Secure", AT),
        ("EXPIRES  =  05-Apr-37 06:07:08", AT),
        ("Expires=soon", None),
        ("Expires", None),
        (EXPIRES + "; Expires=soon", AT),
        (EXPIRES + "; Expires=05 Apr 2038 06:07:08", AT + 365 * 86400),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Expires=Mon, 01 Jan 1601 00:00:00 GMT", -11644473600),
        ("Max-Age=60", NOW + 60),
        ("max-AGE = 60", NOW + 60),
        ("Max-Age=007", NOW + 7),
        ("Max-Age=1", NOW + 1),
        ("Max-Age=0", 0),
        ("Max-Age=-0", 0),
        ("Max-Age=-60", 0),
        (f"Max-Age={'9' * 1000}", LATEST),
        (f"Max-Age=-{'9' * 1000}", 0),
        (f"{EXPIRES}; Max-Age=60", NOW + 60),
        (f"Max-Age=60; {EXPIRES}", NOW + 60),
        ("Max-Age=60; Max-Age=30", NOW + 30),
        ("Max-Age=60; Max-Age=x", NOW + 60),
        *(
            (f"{EXPIRES}; Max-Age={value}", AT)
            for value in ("x", "", "-", "+5", "1.5", "6x", "-5-")
        ),
        (f"{EXPIRES}; Max-Age", AT),
        (f"{EXPIRES}; Max-Age=²", AT),
        (f"{EXPIRES}; Max-Age={'9' * 1025}", AT),
    ],
)
def test_when_a_cookie_expires(attributes: str, expires: float | None) -> None:
    assert parse(f"a=1; {attributes}").expires == expires


@pytest.mark.parametrize(
    ("attributes", "domain"),
    [
        ("", ""),
        ("Domain=shop.test", "shop.test"),
        ("DOMAIN = .SHOP.Test ", "shop.test"),
        ("Domain=..shop.test", ".shop.test"),
        ("Domain=shop.test.", "shop.test."),
        ("Domain", ""),
        ("Domain=", ""),
        ("Domain=.", ""),
        ("Domain=a.test; Domain=b.test", "b.test"),
        ("Domain=a.test; Domain=", "a.test"),
        ("Domain=a.test; Domain=.", ""),
        ('Domain="shop.test"', '"shop.test"'),
        (f"Domain=a.test; Domain={'b' * 1025}", "a.test"),
    ],
)
def test_the_domain(attributes: str, domain: str) -> None:
    assert parse(f"a=1; {attributes}").domain == domain


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ("", None),
        ("Path=/a", "/a"),
        ("path = /A/ ", "/A/"),
        ("Path=/a b", "/a b"),
        ("Path=/a%20b", "/a%20b"),
        ("Path=/a=b", "/a=b"),
        ("Path=a", None),
        ("Path=", None),
        ("Path", None),
        ('Path="/a"', None),
        ("Path=/a; Path=/b", "/b"),
        ("Path=/a; Path=b", None),
        (f"Path=/a; Path=/{'b' * 1023}", f"/{'b' * 1023}"),
        (f"Path=/a; Path=/{'b' * 1024}", "/a"),
    ],
)
def test_the_path(attributes: str, path: str | None) -> None:
    assert parse(f"a=1; {attributes}").path == path


@pytest.mark.parametrize(
    ("attributes", "secure", "http_only"),
    [
        ("", False, False),
        ("Secure", True, False),
        (";; sEcUrE = no ;", True, False),
        ("Secure; HttpOnly", True, True),
        ("httponly=", False, True),
        ("Secure x; HttpOnly, Secure", False, False),
        ('"Secure"', False, False),
        ('x="a;Secure"', False, False),
        ('x="a;Secure;"', True, False),
    ],
)
def test_flags_need_no_value(attributes: str, secure: bool, http_only: bool) -> None:
    cookie = parse(f"a=1; {attributes}")
    assert (cookie.secure, cookie.http_only) == (secure, http_only)


@pytest.mark.parametrize(
    ("attributes", "same_site"),
    [
        ("", None),
        ("SameSite=Strict", "Strict"),
        ("samesite = LAX", "Lax"),
        ("SameSite=none", "None"),
        ("SameSite", None),
        ("SameSite=Lax; SameSite=unknown", None),
    ],
)
def test_what_is_said_about_other_sites_is_kept(attributes: str, same_site: str | None) -> None:
    assert parse(f"a=1; {attributes}").same_site == same_site


@pytest.mark.parametrize("max_age", ["253402300799", "253402300800", "9" * 30])
def test_no_cookie_lasts_beyond_the_year_9999(max_age: str) -> None:
    """Later times cannot be written as a date."""
    expires = parse(f"a=1; Max-Age={max_age}").expires
    assert expires is not None
    assert datetime.fromtimestamp(expires, UTC) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
