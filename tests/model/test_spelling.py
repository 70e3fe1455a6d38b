"""The spelling of references, and their resolution against a URL."""

from collections.abc import Callable
from typing import Final

import pytest

from railhttp.model.spelling import (
    Reference,
    climbs,
    spelled_path,
    spelled_query,
    spelled_user,
    without_dot_segments,
)

UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
DELIMITERS: Final = "!$&'()*+,;="


@pytest.mark.parametrize(
    ("spelled", "allowed"),
    [
        (spelled_user, UNRESERVED + DELIMITERS + ":"),
        (spelled_path, UNRESERVED + DELIMITERS + ":@/"),
        (spelled_query, UNRESERVED + DELIMITERS + ":@/?"),
    ],
    ids=["user", "path", "query"],
)
def test_a_part_is_spelled_with_the_characters_of_rfc_3986(
    spelled: Callable[[str], str], allowed: str
) -> None:
    for character in map(chr, range(0x80)):
        expected = character if character in allowed else f"%{ord(character):02X}"
        assert spelled(character) == expected
        assert spelled(f"a{character * 2}b") == f"a{expected * 2}b"
    assert spelled("é€") == "%C3%A9%E2%82%AC"
    assert spelled("\udcff") == "%FF"  # how the parser of heads writes a byte that is not UTF-8


@pytest.mark.parametrize("spelled", [spelled_user, spelled_path, spelled_query])
def test_a_percent_sign_stays_if_two_hexadecimal_digits_follow(
    spelled: Callable[[str], str],
) -> None:
    for pair in ("%41", "%7e", "%7E", "%fF", "%00", "%25zz"):
        assert spelled(pair) == pair
    for stray, encoded in {"%": "%25", "%4": "%254", "%g1": "%25g1", "%1g%41": "%251g%41"}.items():
        assert spelled(stray) == encoded


@pytest.mark.parametrize(
    ("text", "parts"),
    {
        "": ("", "", "", "", ""),
        "http://h": ("http:", "//h", "", "", ""),
        "https://h:80/a?b#c": ("https:", "//h:80", "/a", "?b", "#c"),
        "//h?": ("", "//h", "", "?", ""),
        "a/b;c": ("", "", "a/b;c", "", ""),
        "?a?b": ("", "", "", "?a?b", ""),
        "#": ("", "", "", "", "#"),
        "x-1+.:y": ("x-1+.:", "", "y", "", ""),
        "HTTP://Ann@[::1]/": ("HTTP:", "//Ann@[::1]", "/", "", ""),
        "http://h/a b?c d#e f#g": ("http:", "//h", "/a%20b", "?c%20d", "#e%20f%23g"),
        "/é#é": ("", "", "/%C3%A9", "", "#%C3%A9"),
        "/\n%zz?\n": ("", "", "/%0A%25zz", "?%0A", ""),
        "/%7e?%7E#%7e": ("", "", "/%7e", "?%7E", "#%7e"),
    }.items(),
)
def test_a_reference_has_five_parts(text: str, parts: tuple[str, str, str, str, str]) -> None:
    assert Reference.of(text) == parts
    clean = Reference.clean(text)
    assert clean is None or clean == parts


@pytest.mark.parametrize("text", ["http://h/a?b#c", "https://h:80", "/a//b", "/a%20b?", "?a#b", ""])
def test_a_clean_reference_is_split_at_once(text: str) -> None:
    clean = Reference.clean(text)
    assert clean is not None
    assert "".join(clean) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://ann@h/",
        "http://[::1]/",
        "HTTP://h/",
        "ftp://h/",
        "http:/h",
        "http://h\\a",
        "//",
        "///a",
    ]
    + [f"http://h/{part}" for part in ("a b", "é", "%", "%zz", "?%", "#%", "#a#b", "\\", "a\n")],
)
def test_a_reference_that_needs_a_closer_look_is_not_clean(text: str) -> None:
    assert Reference.clean(text) is None


NORMAL: Final = {
    "g:h": "g:h",
    "g": "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q#s",
    "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s",
    ";x": "http://a/b/c/;x",
    "g;x": "http://a/b/c/g;x",
    "g;x?y#s": "http://a/b/c/g;x?y#s",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../": "http://a/",
    "../../g": "http://a/g",
}
ABNORMAL: Final = {
    "../../../g": "http://a/g",
    "../../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g",
    "g..": "http://a/b/c/g..",
    "..g": "http://a/b/c/..g",
    "./../g": "http://a/b/g",
    "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h",
    "g/../h": "http://a/b/c/h",
    "g;x=1/./y": "http://a/b/c/g;x=1/y",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/./x": "http://a/b/c/g?y/./x",
    "g?y/../x": "http://a/b/c/g?y/../x",
    "g#s/./x": "http://a/b/c/g#s/./x",
    "g#s/../x": "http://a/b/c/g#s/../x",
    "http:g": "http:g",
}
MORE: Final = {
    "https://h/a/../b": "https://h/b",
    "//h:80/a/./b?c": "http://h:80/a/b?c",
    "a//../b": "http://a/b/c/a/b",
    "/": "http://a/",
    "..//g": "http://a/b//g",
}


@pytest.mark.parametrize(("reference", "url"), {**NORMAL, **ABNORMAL, **MORE}.items())
def test_a_reference_is_resolved_as_in_the_examples_of_rfc_3986(reference: str, url: str) -> None:
    """Sections 5.4.1 and 5.4.2."""
    base = Reference.of("http://a/b/c/d;p?q")
    assert "".join(base.resolve(Reference.of(reference))) == url
    with_fragment = Reference.of("http://a/b/c/d;p?q#top")
    assert "".join(with_fragment.resolve(Reference.of(reference))) == url


def test_a_reference_to_a_url_without_a_path_begins_at_its_root() -> None:
    assert "".join(Reference.of("http://h").resolve(Reference.of("a/../b"))) == "http://h/b"
    assert "".join(Reference.of("http://h?q").resolve(Reference.of(""))) == "http://h?q"


@pytest.mark.parametrize(
    ("path", "resolved"),
    {
        "": "",
        "/": "/",
        "/a/b": "/a/b",
        "/.": "/",
        "/..": "/",
        "/./": "/",
        "/a/.": "/a/",
        "/a/..": "/",
        "/a/b/..": "/a/",
        "/a/../../b": "/b",
        "/a/b/c/../../d": "/a/d",
        "/a//../b": "/a/b",
        "/.a/..b/...": "/.a/..b/...",
        "/a/%2e%2E/b": "/a/%2e%2E/b",
        "/./a/": "/a/",
    }.items(),
)
def test_dot_segments_are_resolved_where_they_stand_alone(path: str, resolved: str) -> None:
    assert without_dot_segments(path) == resolved


@pytest.mark.parametrize(
    ("path", "is_out"),
    [
        *((path, False) for path in ("", "a", "a/..", "a/b/../..", "./a/..", "...", "a..b", "..a")),
        *((path, False) for path in ("a/../b/..", "/a/./..", ".%2e./a", "a;x/..", "%2e", "a..")),
        *((path, True) for path in ("..", "a/../..", "a/b/../../..", "/..", "./..", "a//../..")),
        *((path, True) for path in ("%2e%2E", ".%2e", "%252e.", "%25252e%2e", "..;x", ";/..")),
        *((path, True) for path in ("a\\..\\..", "a%2f..%5C..", "a/../..%2fa", "a/./../..")),
        *((path, True) for path in ("a/../b/../..", "../a/b/c", "..%3bx", "..%253bx/a")),
    ],
)
def test_a_path_climbs_if_a_server_at_its_laxest_would_leave_the_folder(
    path: str, is_out: bool
) -> None:
    assert climbs(path) is is_out
