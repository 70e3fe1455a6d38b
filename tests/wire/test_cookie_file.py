"""Cookies as text: files of ours and of other programs are read back as they were written."""

import json

import pytest

from railhttp import HTTPValidationError
from railhttp.wire.cookie_file import loads, to_json, to_netscape
from railhttp.wire.cookies import Cookie
from railhttp.wire.set_cookie import LATEST, SameSite

EVERYTHING = [
    Cookie("a", "1", "shop.test"),
    Cookie("b", "", "shop.test", "/a b", 1_700_000_000.5, True, True, False, "Lax"),
    Cookie("\xe9", "\xc3\xa9 \xff", "10.0.0.1", "/%20", float(LATEST)),
    Cookie("sp ace", '"quoted"\tand=tab', "[::1]"),
    Cookie("c", "3", "", host_only=False, same_site="None"),
]


def test_json_keeps_everything_and_the_order() -> None:
    text = to_json(EVERYTHING)
    assert text.isascii()
    assert list(loads(text)) == EVERYTHING
    assert loads(to_json([])) == ()


def test_cookies_txt_keeps_what_it_has_a_place_for() -> None:
    text = to_netscape([*EVERYTHING, Cookie("t\tab", "1", "shop.test")])
    assert list(loads(text)) == [
        Cookie("a", "1", "shop.test"),
        Cookie("b", "", "shop.test", "/a b", 1_700_000_000.0, True, True, False),
        Cookie("\xe9", "\xc3\xa9 \xff", "10.0.0.1", "/%20", float(LATEST)),
        Cookie("sp ace", '"quoted"\tand=tab', "[::1]"),
    ]
    assert text.splitlines()[0] == "# Netscape HTTP Cookie File"
    assert loads(to_netscape([])) == ()


@pytest.mark.parametrize(
    ("line", "cookie"),
    [
        ("shop.test FALSE / FALSE 0 a 1", Cookie("a", "1", "shop.test")),
        (
            ".Shop.test TRUE /x TRUE 60 a 1",
            Cookie("a", "1", "shop.test", "/x", 60.0, True, host_only=False),
        ),
        ("#HttpOnly_shop.test FALSE / FALSE 0 a 1", Cookie("a", "1", "shop.test", http_only=True)),
        ("shop.test FALSE / FALSE  a 1", Cookie("a", "1", "shop.test")),
        ("shop.test FALSE / FALSE 60.75 a 1", Cookie("a", "1", "shop.test", expires=60.75)),
        ("shop.test FALSE / FALSE 0 a ", Cookie("a", "", "shop.test")),
        ("shop.test FALSE / FALSE 0 a", Cookie("a", "", "shop.test")),
        ("shop.test FALSE / FALSE 0 a 1\r", Cookie("a", "1", "shop.test")),
        (
            "shop.test FALSE / FALSE 9223372036854775807 a 1",
            Cookie("a", "1", "shop.test", expires=LATEST),
        ),
    ],
)
def test_lines_of_other_programs(line: str, cookie: Cookie) -> None:
    text = f"# a comment\n\n{line.replace(' ', chr(9))}\n#\t\n   \n"
    assert loads(text) == (cookie,)


ROW = json.loads(to_json(EVERYTHING[:1]))["cookies"][0]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"version": 1}',
        '{"version": 2, "cookies": []}',
        '{"version": 1, "cookies": [1]}',
        '{"version": 1, "cookies": [{}]}',
        '{"version": 1, "cookies": {}}',
        *(
            json.dumps({"version": 1, "cookies": [ROW | {field: value}]})
            for field, value in [
                ("name", 1),
                ("name", ""),
                ("value", "a;b"),
                ("value", "a\nb"),
                ("value", "\u0100"),
                ("domain", None),
                ("domain", "Shop.test"),
                ("path", "x"),
                ("expires", "1"),
                ("expires", True),
                ("expires", float("nan")),
                ("secure", 1),
                ("http_only", None),
                ("host_only", "yes"),
                ("same_site", "lax"),
                ("same_site", []),
            ]
        ),
        "{" + '"a":[' * 100_000,
        "just a text",
        "shop.test FALSE / FALSE 0".replace(" ", "\t"),
        "shop.test FALSE / FALSE soon a 1".replace(" ", "\t"),
        "shop.test FALSE / FALSE -1 a 1".replace(" ", "\t"),
        "shop.test FALSE / FALSE 0  1".replace(" ", "\t"),
        "shop.test FALSE x FALSE 0 a 1".replace(" ", "\t"),
        "[]",
    ],
)
def test_what_is_no_file_of_cookies_is_refused(text: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        loads(text)
    assert caught.value.field == "path"


def test_no_value_is_shown_where_a_file_is_refused() -> None:
    row = ROW | {"value": "s3cret\n"}
    for text in (json.dumps({"version": 1, "cookies": [row]}), "shop.test\ts3cret"):
        with pytest.raises(HTTPValidationError) as caught:
            loads(text)
        assert "s3cret" not in str(caught.value)


def test_the_error_says_where_the_fault_is() -> None:
    with pytest.raises(HTTPValidationError, match=r"line 2: path: must begin"):
        loads("#\nshop.test FALSE x FALSE 0 a 1".replace(" ", "\t"))
    text = json.dumps({"version": 1, "cookies": [ROW, ROW | {"value": ";"}]})
    with pytest.raises(HTTPValidationError, match=r"cookie 2: value: must not"):
        loads(text)


def row_of(cookie: Cookie) -> list[str]:
    return to_netscape([cookie]).splitlines()[-1].split("\t")


@pytest.mark.parametrize(
    ("cookie", "row"),
    [
        (Cookie("a", "1", "h.test"), ["h.test", "FALSE", "/", "FALSE", "0", "a", "1"]),
        (
            Cookie("a", "1", "h.test", "/p", 60.9, True, True, False),
            ["#HttpOnly_.h.test", "TRUE", "/p", "TRUE", "60", "a", "1"],
        ),
        # 0 would make it a cookie of the session, which does not expire.
        *(
            (Cookie("a", "1", "h", expires=time), ["h", "FALSE", "/", "FALSE", "1", "a", "1"])
            for time in (0.0, 0.5, -5.0, 1.0)
        ),
    ],
)
def test_a_row_of_cookies_txt(cookie: Cookie, row: list[str]) -> None:
    assert row_of(cookie) == row


def test_a_cookie_with_a_tab_is_left_out_of_cookies_txt() -> None:
    tabs = [Cookie("a\tb", "1", "h"), Cookie("a", "1", "h", "/a\tb"), Cookie("c", "1", "h")]
    assert [cookie.name for cookie in loads(to_netscape(tabs))] == ["c"]


@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None", None])
@pytest.mark.parametrize("expires", [None, 0, 60, 60.5])
def test_each_field_comes_back_from_json(same_site: SameSite | None, expires: float | None) -> None:
    for flags in ((True, False, False), (False, True, False), (False, False, True)):
        cookie = Cookie("a", "1", "h", "/", expires, *flags, same_site)
        text = to_json([cookie])
        assert loads(f" \n{text}") == (cookie,)
        assert (json.loads(text)["version"], text[-2:]) == (1, "}\n")


@pytest.mark.parametrize(("flag", "is_true"), [("TRUE", True), ("true ", True), ("yes", False)])
def test_a_flag_is_true_in_any_case(flag: str, is_true: bool) -> None:
    (cookie,) = loads(f"h\t{flag}\t/\t{flag}\t0\ta\t1")
    assert (cookie.secure, cookie.host_only) == (is_true, not is_true)


@pytest.mark.parametrize("field", ROW)
def test_json_without_one_of_the_fields_that_a_cookie_needs_is_refused(field: str) -> None:
    text = json.dumps({"version": 1, "cookies": [{k: v for k, v in ROW.items() if k != field}]})
    if field in {"expires", "same_site"}:
        assert loads(text) == (Cookie("a", "1", "shop.test"),)
    else:
        with pytest.raises(HTTPValidationError, match="cookie 1 has a field that is missing"):
            loads(text)


def test_json_has_a_line_for_each_field() -> None:
    """Two files can be compared line by line."""
    cookie = Cookie("a", "1", "h.test", "/p", 60.5, True, True, False, "Lax")
    assert to_json([cookie]).splitlines() == [
        "{",
        ' "version": 1,',
        ' "cookies": [',
        "  {",
        '   "name": "a",',
        '   "value": "1",',
        '   "domain": "h.test",',
        '   "path": "/p",',
        '   "expires": 60.5,',
        '   "secure": true,',
        '   "http_only": true,',
        '   "host_only": false,',
        '   "same_site": "Lax"',
        "  }",
        " ]",
        "}",
    ]


@pytest.mark.parametrize("field", ROW)
@pytest.mark.parametrize("value", [[], {}, [None]])
def test_json_with_a_field_of_another_type_is_refused(field: str, value: object) -> None:
    text = json.dumps({"version": 1, "cookies": [ROW | {field: value}]})
    with pytest.raises(HTTPValidationError, match="cookie 1 has a field that is missing or of"):
        loads(text)
