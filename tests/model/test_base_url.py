"""A base URL and the default fields, which not every origin receives."""

from collections.abc import Mapping

import pytest

from railhttp.model.base_url import BaseURL
from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import FieldLines
from railhttp.model.target import parse_target
from railhttp.model.url import build_url

FIELDS = {"Accept": "*/*", "X-Key": "s3cret"}


def base(*, share_credentials: bool = False) -> BaseURL:
    made = BaseURL.of(
        "http://h/v1?token=abc",
        FIELDS,
        frozenset({"x-key"}),
        share_credentials=share_credentials,
    )
    assert made is not None
    return made


def test_only_the_bases_origin_receives_secret_fields_unless_they_are_shared() -> None:
    assert base().resolve("http://h/x")[2] == FieldLines.of(FIELDS)
    assert base().resolve("http://other/x")[2] == FieldLines(("Accept",), ("*/*",))
    shared = base(share_credentials=True)
    assert shared.resolve("http://other/x")[2] == FieldLines.of(FIELDS)


def test_a_base_is_shown_without_the_values_of_its_query() -> None:
    assert "url='http://h/v1?token=***'" in repr(base())
    assert "abc" not in repr(base())


SECRET = frozenset({"x-key"})


def of(url: str, headers: Mapping[str, str] | None = None) -> BaseURL:
    made = BaseURL.of(url, headers, SECRET, share_credentials=False)
    assert made is not None
    return made


@pytest.mark.parametrize("headers", [None, {}])
def test_a_client_without_a_base_and_fields_has_no_base(headers: dict[str, str] | None) -> None:
    assert BaseURL.of("", headers, SECRET, share_credentials=True) is None


def test_fields_without_a_base_go_to_every_origin() -> None:
    without = of("", FIELDS)
    assert without[:3] == ("", None, None)
    assert without.resolve("http://h/x")[2] == FieldLines.of(FIELDS)
    with pytest.raises(HTTPValidationError, match=r"^url: "):
        without.resolve("/x")


def test_a_base_without_fields_adds_none() -> None:
    assert of("http://h/v1")[3:] == (None, None)
    assert of("http://h/v1", {"X-Key": "s3cret"}).public_headers is None


@pytest.mark.parametrize("url", ["h/v1", "ftp://h", "http://", "http://h:0"])
def test_a_base_is_an_http_url_or_empty(url: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        of(url)
    assert caught.value.field == "base_url"


def test_an_origin_is_a_scheme_a_host_and_a_port() -> None:
    home = of("https://h:443/v1", FIELDS)
    assert home.origin == ("https", "h", 443)
    for url in ("https://h/x", "HTTPS://H:443", "x", "/x", "/a/../x"):
        assert home.resolve(url)[2] == FieldLines.of(FIELDS)
    for url in ("http://h/x", "https://h:8443/x", "https://www.h/x"):
        assert home.resolve(url)[2] == FieldLines(("Accept",), ("*/*",))


BASES = {
    "http://h": True,
    "http://h/": True,
    "https://H/v1/": True,
    "http://h/v1?": False,
    "http://h/v1?k=7": False,
    "http://h/v1#top": False,
    "http://ann:x@h/v1": False,
}
"""Base URLs, and whether each is a path only."""


@pytest.mark.parametrize(("url", "is_folder"), BASES.items())
def test_a_path_is_joined_in_the_same_way_however_easy_it_is(url: str, is_folder: bool) -> None:
    home = of(url)
    assert (home.folder is not None) is is_folder
    for path in ("x", "/x", "x/y/", "x?a=1&b", "?a", "#b", "x#b", "a/./b/..", "x y", "//x", ""):
        target, credentials = parse_target(build_url(url, path))
        assert home.resolve(path) == (target, credentials, None)


def test_a_base_is_shown_without_its_secret_fields() -> None:
    shown = repr(of("http://h", {"Authorization": "s3cret", "Accept": "a/b"}))
    assert shown.startswith("BaseURL(url='http://h', ")
    assert shown.count("'Accept': 'a/b'") == shown.count("'Authorization': '***'") == 2
    assert "headers={}" in repr(of("http://h"))


@pytest.mark.parametrize("path", ["a/../../x", "/a/../..", "a/b/../../..", "a/%2e%2e/..", "../x"])
def test_a_path_that_leaves_the_base_is_refused_however_easy_it_is(path: str) -> None:
    with pytest.raises(HTTPValidationError, match="must not leave the path of the base"):
        of("http://h/v1").resolve(path)
    assert of("http://h").resolve(path)[0].path_qs == f"/{path.lstrip('/')}"
