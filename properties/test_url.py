"""Laws of URLs: building and taking apart are inverse, and normal forms stay as they are."""

from contextlib import suppress
from decimal import Decimal
from posixpath import normpath
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp.model.base_url import BaseURL
from railhttp.model.errors import HTTPError, HTTPValidationError
from railhttp.model.field_lines import FieldLines
from railhttp.model.location import resolve_location
from railhttp.model.proxy import ProxySettings
from railhttp.model.target import parse_target
from railhttp.model.url import (
    QueryParams,
    build_url,
    is_absolute,
    join_base_url,
    origin_of,
    parse_url_parts,
    request_url,
)
from railhttp.model.validation import validate_url


def expected(params: QueryParams) -> dict[str, list[str]]:
    lists = {
        name: list(value) if isinstance(value, list | tuple) else [value]
        for name, value in params.items()
    }
    texts = {
        name: [some.query_text(value) for value in values if value is not None]
        for name, values in lists.items()
    }
    return {name: values for name, values in texts.items() if values}


@given(some.origins(), some.paths, some.query_params)
def test_what_is_built_is_taken_apart_again(origin: str, path: str, params: QueryParams) -> None:
    assert parse_url_parts(build_url(origin, path, params))["params"] == expected(params)


@given(some.urls())
def test_what_is_taken_apart_is_built_again(url: str) -> None:
    parts = parse_url_parts(url)
    host = f"[{parts['host']}]" if ":" in parts["host"] else parts["host"]
    port = "" if parts["port"] is None else f":{parts['port']}"
    base = f"{parts['scheme']}://{host}{port}{parts['path']}#{parts['fragment']}"
    again = build_url(base, params=parts["params"])
    if parts["port"] == {"http": 80, "https": 443}[parts["scheme"]]:
        parts["port"] = None  # it is left out
    assert parse_url_parts(again) == parts


@given(some.rfc3986_targets)
def test_a_target_that_rfc_3986_allows_is_never_changed(target: str) -> None:
    url = f"http://h.test{target}"
    assert request_url(url).raw_path_qs == target
    assert build_url(url) == url
    assert build_url("http://h.test", target) == f"http://h.test/{target.lstrip('/')}"


@given(some.rfc3986_targets, some.rfc3986_targets)
def test_a_location_that_rfc_3986_allows_is_never_changed(target: str, before: str) -> None:
    assume("/." not in target and not target.startswith("//"))
    url = f"http://h.test{target}"
    for location in (url, target):
        assert str(resolve_location(request_url(f"http://h.test{before}"), location)) == url


DOTS = st.sampled_from(
    [".", "..", "%2e", "%2E%2e", ".%2e", "a", "", "/", "\\", "%2f", "%5C", ";", "%3B", "?", "#"]
)


@given(st.lists(DOTS, max_size=8).map("".join))
def test_what_is_built_is_a_url_below_its_base(path: str) -> None:
    with suppress(HTTPValidationError):
        url = build_url("https://h.test/v1/x", path)
        validate_url(url)
        # The server at its laxest: it decodes, drops parameters, and joins slashes.
        tail = unquote(urlsplit(url).path).replace("\\", "/")
        plain = "/".join(part.partition(";")[0] for part in tail.split("/") if part)
        assert (normpath(f"/{plain}") + "/").startswith("/v1/x/")


@given(some.hosts)
def test_hosts_compare_without_case(host: str) -> None:
    assume(host.upper().lower() == host)  # else there is no upper case of it
    authority = f"[{host}]" if ":" in host else host
    upper, lower = request_url(f"HTTP://{authority.upper()}/"), request_url(f"http://{authority}/")
    assert origin_of(upper) == origin_of(lower)
    assert str(upper) == str(lower)
    fields = {"Authorization": "Bearer abc"}
    secret = frozenset({"authorization"})
    client = BaseURL.of(f"http://{authority}/v1", fields, secret, share_credentials=False)
    assert client is not None
    assert client.resolve(f"HTTP://{authority.upper()}/v2")[2] == FieldLines.of(fields)
    assert client.resolve(f"HTTP://{authority.upper()}:81/v2")[2] is None
    proxies = ProxySettings.from_environment({"HTTP_PROXY": "p", "NO_PROXY": authority.upper()})
    assert proxies.proxy_for(lower) is None


@given(some.urls())
def test_a_normal_form_stays_as_it_is(url: str) -> None:
    once = str(request_url(url))
    assert str(request_url(once)) == once
    assert build_url(once) == once


@given(some.urls(), some.paths, some.paths)
def test_joining_never_leaves_the_origin_and_puts_one_slash(url: str, base: str, path: str) -> None:
    assume(".." not in base + path)
    joined = request_url(build_url(build_url(url, base), path))
    assert origin_of(joined) == origin_of(request_url(url))
    bare = url.partition("#")[0].partition("?")[0]
    tail = path.lstrip("/")
    assert build_url(f"{bare}//", f"//{tail}") == build_url(bare, f"/{tail}")


@given(some.origins(), st.integers(0, 3).map("/".__mul__), some.urls())
def test_an_absolute_url_ignores_the_base(base: str, slashes: str, url: str) -> None:
    assert is_absolute(url)
    assert join_base_url(base + slashes, url) == url


BASES: Final = [
    "http://h",
    "http://h:80/",
    "https://H/v1",
    "http://h/a%20b/",
    "http://h/v1?k=7",
    "http://ann:x@h/v1",
    "http://h/v1#top",
]


@example("https://h/v1", "a/../../x")
@example("https://h/v1", "a/./x/..")
@given(
    st.sampled_from(BASES),
    st.text("ab1-_~./?&=;%\\: #é", max_size=9) | st.from_regex(r"/?[a-z0-9.]+(/[a-z.]+)*(\?a=b)?"),
)
def test_a_path_is_joined_in_one_way_however_easy_it_is(base: str, path: str) -> None:
    assume(not is_absolute(path))
    client = BaseURL.of(base, None, frozenset(), share_credentials=False)
    assert client is not None
    try:
        expected = build_url(base, path)
    except HTTPError as refusal:
        for join in (lambda: join_base_url(base, path), lambda: client.resolve(path)):
            with pytest.raises(type(refusal)):
                join()
    else:
        assert join_base_url(base, path) == expected
        assert client.resolve(path) == (*parse_target(expected), None)


@example(Decimal("sNaN"), "0", {})
@example([], "0", {})
@given(some.objects, some.objects, some.objects)
def test_nothing_but_an_http_error_comes_out(base: str, path: str, params: QueryParams) -> None:
    for call in (
        lambda: build_url(base, path, params),
        lambda: build_url("http://h", path, params),
        lambda: build_url("http://h", params=params),
        lambda: build_url("http://h", params={"q": path}),
        lambda: parse_url_parts(base),
        lambda: request_url(join_base_url(base, path)),
    ):
        with suppress(HTTPError):
            call()
