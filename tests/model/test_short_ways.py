"""Shortcuts for the usual arguments: each test shuts the long way, which returns the same.

If a shortcut were lost, only a benchmark would show it.
"""

from typing import NoReturn

import pytest
from multidict import CIMultiDict

from railhttp.model.headers import require_headers
from railhttp.model.spelling import without_dot_segments
from railhttp.model.target import Target, parse_target
from railhttp.model.url import encode_query, request_url
from railhttp.model.validation import LARGEST_INT, MAX_URL_LENGTH


def closed(*_: object) -> NoReturn:
    raise AssertionError("the long way was taken")


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"page": 1}, "?page=1"),
        ({"q": "a b", "size": -5, "Az09._~-": "Az09._~-"}, "?q=a+b&size=-5&Az09._~-=Az09._~-"),
        ({"q": ""}, "?q="),
        ({"q": LARGEST_INT - 1}, f"?q={LARGEST_INT - 1}"),
    ],
)
def test_a_query_of_plain_text_and_ints_needs_no_encoding(
    params: dict[str, str], query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("railhttp.model.url.query_pairs", closed)
    assert encode_query(params) == query


@pytest.mark.parametrize(
    "url",
    [
        "http://h/",
        "https://h/",
        "http://h:80/a?b",
        "https://a.b.example:8443/%7E/a;b?c=d&e",
        "http://h/".ljust(MAX_URL_LENGTH, "a"),
        "https://127.0.0.1/?",
    ],
)
def test_a_url_that_needs_no_encoding_is_not_parsed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Target.of(request_url(url))
    monkeypatch.setattr("railhttp.model.target.request_url", closed)
    assert parse_target(url) == (expected, None)


def test_a_printable_field_is_not_searched_for_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railhttp.model.headers.has_control", closed)
    fields = {"Accept": " a/b ", "X-Name": "é", "X-Empty": ""}
    expected = {"Accept": "a/b", "X-Name": "é", "X-Empty": ""}
    assert require_headers(fields) == CIMultiDict(expected)


@pytest.mark.parametrize("path", ["", "/", "/a/b", "/a.b/c.", "//a"])
def test_a_path_without_dot_segments_is_not_copied(path: str) -> None:
    assert without_dot_segments(path) is path
