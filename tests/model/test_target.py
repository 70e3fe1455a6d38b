"""The target of a request: a site, what is sent to it, and a fragment."""

import pytest
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.errors import HTTPValidationError
from railhttp.model.target import Target, parse_target

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
    "http://bücher.example/a": ("http://xn--bcher-kva.example", "xn--bcher-kva.example", "/a", ""),
}


@pytest.mark.parametrize(("url", "parts"), PARTS.items())
def test_a_url_has_a_site_what_is_sent_to_it_and_a_fragment(
    url: str, parts: tuple[str, str, str, str]
) -> None:
    target, _ = parse_target(url)
    assert (target.site.text, target.site.host, target.path_qs, target.fragment) == parts


def test_user_info_becomes_a_header_field() -> None:
    assert parse_target("http://ann:x%21@h/")[1] == basic_auth("ann", "x!")
    assert parse_target("http://h/")[1] is None


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
}


@pytest.mark.parametrize(("url", "query"), QUERIES)
def test_a_query_is_appended_before_the_fragment(url: str, query: str) -> None:
    assert str(Target.of(URL(url)).with_query(query).url) == QUERIES[url, query]
