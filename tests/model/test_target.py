"""The target of a request: a site, what is sent to it, and a fragment."""

import pytest
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.errors import HTTPValidationError
from railhttp.model.target import TARGETS, Target, parse_target

PARTS = {
    "http://h": ("http://h", "h", "", ""),
    "http://h/": ("http://h", "h", "/", ""),
    "HTTP://H.Example:80/a?b": ("http://h.example", "h.example", "/a?b", ""),
    "https://h:443": ("https://h", "h", "", ""),
    "https://h:8443/a%2Fb?": ("https://h:8443", "h:8443", "/a%2Fb?", ""),
    "http://h?a": ("http://h", "h", "/?a", ""),
    "http://h#top": ("http://h", "h", "/", "#top"),
    "http://[::1]:8080/a#é": ("http://[::1]:8080", "[::1]:8080", "/a", "#%C3%A9"),
    "http://ann:x@h/a": ("http://h", "h", "/a", ""),
    "http://h/é?é": ("http://h", "h", "/%C3%A9?%C3%A9", ""),
    "http://h/a|b%zz%7e": ("http://h", "h", "/a%7Cb%25zz%7e", ""),
    "http://h?#": ("http://h", "h", "/?", ""),
    "https://a.b.example/%7E?%7e#%7E": ("https://a.b.example", "a.b.example", "/%7E?%7e", "#%7E"),
    "https://H/a#": ("https://h", "h", "/a", ""),
    "http://h.": ("http://h.", "h", "", ""),
    "http://bücher.example/a": ("http://xn--bcher-kva.example", "xn--bcher-kva.example", "/a", ""),
}


@pytest.mark.parametrize(("url", "parts"), PARTS.items())
def test_a_url_has_a_site_what_is_sent_to_it_and_a_fragment(
    url: str, parts: tuple[str, str, str, str]
) -> None:
    target, _ = parse_target(url)
    assert (target.site.text, target.site.host, target.path_qs, target.fragment) == parts


@pytest.mark.parametrize(
    ("user_info", "user", "password"),
    [
        ("ann:x%21", "ann", "x!"),
        ("ann", "ann", ""),
        ("ann:", "ann", ""),
        ("a%40b:p%3Aw%2F", "a@b", "p:w/"),
        ("añ:é", "añ", "é"),
    ],
)
def test_user_info_becomes_a_header_field(user_info: str, user: str, password: str) -> None:
    target, fields = parse_target(f"http://{user_info}@h:8080/a")
    assert fields == basic_auth(user, password)
    assert target == parse_target("http://h:8080/a")[0]
    assert parse_target("http://h:8080/a")[1] is None


@pytest.mark.parametrize("url", PARTS)
def test_a_target_is_the_same_url_taken_apart(url: str) -> None:
    target, _ = parse_target(url)
    whole = target.site.text + target.path_qs + target.fragment
    assert str(target.url) == whole
    assert Target.of(target.url) == target
    assert TARGETS[url] == parse_target(url)
    assert TARGETS[url] is TARGETS[url]


@pytest.mark.parametrize("url", ["", "/a", "ftp://h/", "http://", "http://h:0/", "http://-h/"])
def test_what_is_no_absolute_http_url_is_refused(url: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^url: "):
        parse_target(url)


@pytest.mark.parametrize("rest", ["a", "ä"])
def test_a_url_has_at_most_65536_characters(rest: str) -> None:
    longest = "http://h/" + rest * (65_536 - len("http://h/"))
    assert parse_target(longest)[0].site.host == "h"
    with pytest.raises(HTTPValidationError, match="1 to 65536 characters"):
        parse_target(longest + rest)


QUERIES = {
    ("http://h", "?a=1"): "http://h/?a=1",
    ("http://h?", "?a=1"): "http://h/?a=1",
    ("http://h/b?a=1&", "?a=2"): "http://h/b?a=1&a=2",
    ("http://h/b?a=1#top", "?c"): "http://h/b?a=1&c#top",
    ("http://h", ""): "http://h",
    ("http://h/b?#top", "?"): "http://h/b?#top",
    ("http://h/b?a", "?"): "http://h/b?a",
    ("http://h/b", "?a?b"): "http://h/b?a?b",
    ("http://h/b?a?b", "?c"): "http://h/b?a?b&c",
    ("https://h:8443#top", "?a"): "https://h:8443/?a#top",
}


@pytest.mark.parametrize(("url", "query"), QUERIES)
def test_a_query_is_appended_before_the_fragment(url: str, query: str) -> None:
    assert str(Target.of(URL(url)).with_query(query).url) == QUERIES[url, query]


@pytest.mark.parametrize("origin", ["http://H.Example", "http://a%62c", "https://bücher.example:1"])
def test_a_url_that_was_built_as_it_is_sent_is_split_as_it_is(origin: str) -> None:
    url = URL(f"{origin}/a?b#c", encoded=True)
    target = Target.of(url)
    assert (target.site.text, target.path_qs, target.fragment) == (origin, "/a?b", "#c")
    assert str(target.url) == str(url)
