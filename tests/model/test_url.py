"""URLs: each form of a parameter, each way of joining, and what is refused."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Final
from uuid import UUID

import pytest
from multidict import MultiDict
from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.url import (
    QueryParams,
    build_url,
    encode_query,
    is_absolute,
    join_base_url,
    join_queries,
    origin_of,
    parse_url_parts,
    path_of,
    query_pairs,
    request_url,
)
from railhttp.model.validation import LARGEST_INT

HUGE: Final = pytest.param(10**5000, id="huge")  # its digits are more than str() allows


class Color(Enum):
    RED = "red"
    NONE = None
    DAY = date(2024, 2, 29)
    NESTED = ("a", "b")


class Level(IntEnum):
    HIGH = 3


class Flavor(StrEnum):
    SWEET = "sweet"


JOINS = [
    ("https://h", "", "https://h"),
    ("https://h/", "", "https://h/"),
    ("https://h", "/", "https://h/"),
    ("https://h", "users", "https://h/users"),
    ("https://h", "/users", "https://h/users"),
    ("https://h/", "users", "https://h/users"),
    ("https://h//", "//users/", "https://h/users/"),
    ("https://h/v1", "users/7", "https://h/v1/users/7"),
    ("https://h/v1/", "/users", "https://h/v1/users"),
    ("https://h/v1?key=7", "users", "https://h/v1/users?key=7"),
    ("https://h/v1?key=7", "users?page=1", "https://h/v1/users?key=7&page=1"),
    ("https://h/v1?key=7", "?page=1", "https://h/v1?key=7&page=1"),
    ("https://h/v1", "?", "https://h/v1?"),
    ("https://h/v1", "#", "https://h/v1#"),
    ("https://h/v1", "#top", "https://h/v1#top"),
    ("https://h/v1/", "#top", "https://h/v1/#top"),
    ("https://h/v1?k=7#base", "#top", "https://h/v1?k=7#top"),
    ("https://h", "#top", "https://h/#top"),
    ("https://h", "?a", "https://h/?a"),
    ("https://h:443", "a", "https://h/a"),
    ("https://h:80", "a", "https://h:80/a"),
    ("http://h:443", "a", "http://h:443/a"),
    ("https://h/v1#base", "users", "https://h/v1/users#base"),
    ("https://h/v1#base", "users?q#path", "https://h/v1/users?q#path"),
    ("https://h", "a b/ü%2Fé", "https://h/a%20b/%C3%BC%2F%C3%A9"),
    ("https://h/%C3%BC", "%41%20", "https://h/%C3%BC/%41%20"),
    ("https://h", "//evil.example/x", "https://h/evil.example/x"),
    ("https://h", "http://evil.example/", "https://h/http://evil.example/"),
    ("https://h/v1", "a:b", "https://h/v1/a:b"),
    ("https://Bücher.example", "x", "https://xn--bcher-kva.example/x"),
    ("HTTP://[0::1]:8080", "x", "http://[::1]:8080/x"),
    ("https://ann:p%40w@h", "x", "https://ann:p%40w@h/x"),
    (
        "https://h/a%3bb?x=%3A%2f",
        "c%3Bd%2Ce/%7E;v=1,2?y=%7e#%41",
        "https://h/a%3bb/c%3Bd%2Ce/%7E;v=1,2?x=%3A%2f&y=%7e#%41",
    ),
    ("https://h", "a?", "https://h/a?"),
    ("https://h/a?", "", "https://h/a?"),
    ("https://h?", "a?b", "https://h/a?b"),
    ("https://h/v1", "a/../b/./c", "https://h/v1/a/../b/./c"),
    ("https://h", "a?b c|^é%zz", "https://h/a?b%20c%7C%5E%C3%A9%25zz"),
    ("https://API.☃.example/", "x", "https://api.xn--n3h.example/x"),
]


@pytest.mark.parametrize(("base", "path", "url"), JOINS)
def test_a_path_is_put_behind_the_base(base: str, path: str, url: str) -> None:
    assert build_url(base, path) == url


@pytest.mark.parametrize(
    "path",
    [
        *("..", "../x", "/../x", "a/../../x", "%2e%2e/x", ".%2E/x", "%2e./x", "./../x", "//../x"),
        *("a//../../x", "..%2fx", "a%2F..%2F..%2fx", "..\\x", "..%5Cx", "..;v=1/x", "..%3b/x"),
        *("%252e%252e/x", "%25252E./x", "..%252fx", "..%25255Cx"),
    ],
)
@pytest.mark.parametrize("join", [build_url, join_base_url])
def test_a_path_does_not_leave_the_base_in_any_spelling(
    join: Callable[[str, str], str], path: str
) -> None:
    """Servers resolve `..` after they decode, cut off parameters and join slashes."""
    with pytest.raises(HTTPValidationError, match="must not leave the path of the base") as caught:
        join("https://h/v1/", path)
    assert caught.value.field == "path"


def test_nothing_leaves_a_base_without_a_path() -> None:
    assert build_url("https://h", "../x") == "https://h/../x"


PARAMS_ON = {
    "https://h/a%3B?x=%3A": "https://h/a%3B?x=%3A&q=a+b%3D",
    "https://h/a?": "https://h/a?q=a+b%3D",
    "https://h/a?b&": "https://h/a?b&q=a+b%3D",
    "https://h": "https://h/?q=a+b%3D",
    "https://h/~%7E?%7e#%7E": "https://h/~%7E?%7e&q=a+b%3D#%7E",
}


@pytest.mark.parametrize(("url", "extended"), PARAMS_ON.items())
def test_params_leave_the_url_before_them_as_it_is(url: str, extended: str) -> None:
    assert build_url(url, params={"q": "a b="}) == extended


@pytest.mark.parametrize(
    ("query", "more", "joined"),
    [
        ("", "", ""),
        ("", "?", "?"),
        ("", "?b", "?b"),
        ("?", "", "?"),
        ("?", "?", "?"),
        ("?", "?b", "?b"),
        ("?a", "", "?a"),
        ("?a", "?", "?a"),
        ("?a", "?b", "?a&b"),
        ("?a&", "", "?a&"),
        ("?a&", "?b", "?a&b"),
        ("?a", "?&", "?a&&"),
        ("?&", "?b", "?&b"),
        ("?a=1", "?b&c", "?a=1&b&c"),
    ],
)
def test_two_queries_are_joined_with_one_ampersand(query: str, more: str, joined: str) -> None:
    assert join_queries(query, more) == joined


FORMS: list[tuple[object, str]] = [
    ("a&b=c", "q=a%26b%3Dc"),
    ("a&b", "q=a%26b"),
    ("a=b", "q=a%3Db"),
    (" a  b ", "q=+a++b+"),
    ("Az09._~-", "q=Az09._~-"),
    (-7, "q=-7"),
    (0, "q=0"),
    (-0.0, "q=-0.0"),
    ("a b&c=d+e%41", "q=a+b%26c%3Dd%2Be%2541"),
    ("", "q="),
    ("é\n", "q=%C3%A9%0A"),
    (True, "q=true"),
    (False, "q=false"),
    (7, "q=7"),
    (0.1, "q=0.1"),
    (1e16, "q=1e%2B16"),
    (Decimal("1.50"), "q=1.50"),
    (date(2024, 2, 29), "q=2024-02-29"),
    (datetime(2024, 2, 29, 12, tzinfo=UTC), "q=2024-02-29T12:00:00%2B00:00"),
    (datetime(2024, 2, 29, 1, tzinfo=timezone(timedelta(hours=-1))), "q=2024-02-29T01:00:00-01:00"),
    (UUID(int=7), "q=00000000-0000-0000-0000-000000000007"),
    (Color.RED, "q=red"),
    (Color.DAY, "q=2024-02-29"),
    (Level.HIGH, "q=3"),
    (Flavor.SWEET, "q=sweet"),
    (["a", 1, True], "q=a&q=1&q=true"),
    (("a", None, Color.NONE, "b"), "q=a&q=b"),
    (range(2), "q=0&q=1"),
]


@pytest.mark.parametrize(("value", "query"), FORMS)
def test_each_kind_of_value_has_one_form(value: str, query: str) -> None:
    assert build_url("http://h", params={"q": value}) == f"http://h/?{query}"


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({}, ""),
        ({"a": 1, "b": "x y", "c": "é"}, "?a=1&b=x+y&c=%C3%A9"),
        ({"a": None, "b": 1}, "?b=1"),
        ({"a": "", "b": ""}, "?a=&b="),
        ({"": "a"}, "?=a"),
        ({"a b&": "c"}, "?a+b%26=c"),
        ({"a=b": "c&d=e", "f": 1}, "?a%3Db=c%26d%3De&f=1"),
        ({"&a": 1}, "?%26a=1"),
        ({Flavor.SWEET: 1}, "?sweet=1"),
        ({Flavor.SWEET: [1, 2], "b": True}, "?sweet=1&sweet=2&b=true"),
    ],
)
def test_a_query_is_the_same_for_any_mapping(params: dict[str, str], query: str) -> None:
    assert encode_query(params) == query
    assert encode_query(MultiDict(params)) == query
    assert build_url("http://h/", params=params) == f"http://h/{query}"


def test_a_form_has_pairs_of_text() -> None:
    pairs = query_pairs({"a": ["x", None, 2], Flavor.SWEET: True, "b": None, "c": []})
    assert pairs == [("a", "x"), ("a", "2"), ("sweet", "true")]
    assert {type(text) for pair in pairs for text in pair} == {str}


@pytest.mark.parametrize("value", [None, [], [None], Color.NONE])
def test_nothing_is_left_out(value: None) -> None:
    assert build_url("http://h/x", params={"q": value}) == "http://h/x"


REFUSED: list[object] = [
    b"bytes",
    bytearray(b"bytes"),
    memoryview(b"bytes"),
    math.nan,
    -math.inf,
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    ["a", b"b"],
    HUGE,
    pytest.param(LARGEST_INT, id="largest"),
    pytest.param(-LARGEST_INT, id="smallest"),
    "\ud800",
    {"a", "b"},
    {"a": 1},
    [["nested"]],
    Color.NESTED,
    object(),
    iter("ab"),
]


def test_a_number_may_have_640_digits() -> None:
    for sign in ("", "-"):
        digits = f"{sign}{LARGEST_INT - 1}"
        assert len(digits) == 640 + len(sign)
        for value in (int(digits), [int(digits)]):
            assert build_url("http://h", params={"q": value}) == f"http://h/?q={digits}"


@pytest.mark.parametrize("value", REFUSED)
def test_what_has_no_form_is_refused_by_name(value: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^params: 'q' must be text"):
        build_url("http://h", params={"q": value})


@pytest.mark.parametrize("params", [{1: "a"}, {b"a": "a"}, {"\ud800": "a"}, {None: "a"}])
def test_a_parameter_is_named_by_text(params: QueryParams) -> None:
    with pytest.raises(HTTPValidationError, match=r"^params: must have names of type str"):
        build_url("http://h", params=params)


@pytest.mark.parametrize("params", ["a=1", [("a", 1)], 7])
def test_parameters_are_a_mapping(params: QueryParams) -> None:
    with pytest.raises(HTTPValidationError, match=r"^params: must be a mapping"):
        build_url("http://h", params=params)


def test_parameters_extend_the_query_and_the_fragment_stays_last() -> None:
    url = build_url("https://h/?a=1&flag#top", params={"a": 2, "b": "c"})
    assert url == "https://h/?a=1&flag&a=2&b=c#top"


def test_a_multi_dict_keeps_its_repeated_names() -> None:
    params: Mapping[str, str] = MultiDict([("a", "1"), ("b", "2"), ("a", "3")])
    assert build_url("http://h/", params=params) == "http://h/?a=1&b=2&a=3"


@pytest.mark.parametrize("path", ["a\nb", "\x00", "\ud800", b"a", None])
def test_a_path_that_cannot_be_sent_is_refused(path: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^path: "):
        build_url("http://h", path)


@pytest.mark.parametrize(
    "base", ["", "/v1", "h/v1", "ftp://h", "http://h:0", None, b"http://h", []]
)
def test_a_base_is_an_http_url(base: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^base: must"):
        build_url(base, "/x")


def test_a_url_is_taken_apart() -> None:
    assert parse_url_parts("HTTPS://ann:pw@Bücher.example:443/a%2Fb?x=1&y&x=a+b%26#ü") == {
        "scheme": "https",
        "host": "xn--bcher-kva.example",
        "port": 443,
        "path": "/a%2Fb",
        "params": {"x": ["1", "a b&"], "y": [""]},
        "fragment": "%C3%BC",
    }


def test_what_a_url_does_not_name_is_none_or_empty() -> None:
    assert parse_url_parts("http://[::1]") == {
        "scheme": "http",
        "host": "::1",
        "port": None,
        "path": "/",
        "params": {},
        "fragment": "",
    }


@pytest.mark.parametrize(
    ("url", "text", "path"),
    [
        ("http://h", "http://h", "/"),
        ("http://h?", "http://h/?", "/"),
        ("http://h#", "http://h/", "/"),
        ("http://h/", "http://h/", "/"),
        ("http://h/a?", "http://h/a?", "/a"),
        ("http://h/a?#b", "http://h/a?#b", "/a"),
        ("http://h?a", "http://h/?a", "/"),
        ("http://h#b", "http://h/#b", "/"),
        ("HTTP://H:80/%7E%2f?%7E#%7e", "http://h/%7E%2f?%7E#%7e", "/%7E%2f"),
        ("https://ann:p%3aw@h:8443/", "https://ann:p%3aw@h:8443/", "/"),
        ("http://h/a??b", "http://h/a??b", "/a"),
    ],
)
def test_a_url_stays_as_it_is_given(url: str, text: str, path: str) -> None:
    parsed = request_url(url)
    assert (str(parsed), path_of(parsed)) == (text, path)
    assert parse_url_parts(url)["path"] == path


@pytest.mark.parametrize("url", ["", "h/x", "http://a b/", None, ["http://h"], 5])
def test_only_a_url_is_taken_apart_or_sent(url: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^url: must"):
        parse_url_parts(url)
    with pytest.raises(HTTPValidationError, match=r"^url: must"):
        request_url(url)


def test_a_url_is_checked_once() -> None:
    assert request_url("http://h/once") is request_url("http://h/once")


@pytest.mark.parametrize("url", ["http://h", "HTTPS://h", "hTTp://h/", "ftp://h", "a+b-c.1://x"])
def test_a_url_with_a_scheme_is_absolute(url: str) -> None:
    assert is_absolute(url)
    assert join_base_url("http://base", url) == url


@pytest.mark.parametrize(
    "url", ["", "/x", "//h/x", "h:80/x", "http:/h", " http://h", "1a://x", "?a"]
)
def test_any_other_url_goes_behind_the_base(url: str) -> None:
    assert not is_absolute(url)
    assert join_base_url("http://base/v1", url) == build_url("http://base/v1", url)


def test_without_a_base_a_url_stays_as_it_is() -> None:
    assert join_base_url("", "/x") == "/x"


def test_what_is_no_url_at_all_does_not_go_behind_a_base() -> None:
    url: str = b"/x"  # type: ignore[assignment]  # what a caller without a type checker may do
    with pytest.raises(HTTPValidationError, match=r"^path: "):
        join_base_url("http://base", url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h/x?y#z", ("http", "h", 80)),
        ("https://ann:pw@H/", ("https", "h", 443)),
        ("https://h:8443/", ("https", "h", 8443)),
        ("http://[::1]/", ("http", "::1", 80)),
        ("/x", ("", "", 0)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(URL(url)) == origin


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://[fe80::1%25eth0]/", "fe80::1%eth0", None),
        ("http://ann:s3cret@[FE80::0:1%25Eth%2D0]:8080/x?a=1#b", "fe80::1%Eth-0", 8080),
        ("HTTPS://[fe80::1%2525]", "fe80::1%25", None),
    ],
)
def test_the_zone_of_an_ipv6_address_is_a_part_of_the_host(
    url: str, host: str, port: int | None
) -> None:
    parts = parse_url_parts(url)
    assert (parts["host"], parts["port"]) == (host, port)


@pytest.mark.parametrize(
    "url", ["https://[fe80::1%25]/", "https://[fe80::1%eth0]/", "https://h%25x/"]
)
def test_a_zone_that_is_no_zone_is_refused(url: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^url: "):
        parse_url_parts(url)
