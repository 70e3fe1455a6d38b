"""Laws of targets: a URL in its parts is the same URL."""

from hypothesis import given
from properties import strategies as some

from railhttp.model.request import Request, SendOptions
from railhttp.model.target import Target, parse_target
from railhttp.model.url import QueryParams, encode_query, join_queries, request_url


@given(some.urls())
def test_a_target_is_the_url_that_it_was_split_from(url: str) -> None:
    target, _ = parse_target(url)
    whole = request_url(url).with_user(None)
    assert target == Target.of(whole)
    assert Request("GET", target, None, None, None, SendOptions()).url_text == str(whole)
    assert str(target.url) == str(whole)
    assert target.url == whole
    assert (target.path_qs or "/") == whole.raw_path_qs


@given(some.rfc3986_targets)
def test_a_target_keeps_what_rfc_3986_allows(target: str) -> None:
    url = f"http://h.test{target}"
    parsed, _ = parse_target(url)
    assert str(parsed.url) == url
    assert Target.of(parsed.url) == parsed


@given(some.urls(), some.query_params)
def test_an_existing_query_and_the_fragment_are_kept(url: str, params: QueryParams) -> None:
    before, _ = parse_target(url)
    query = encode_query(params)
    after = before.with_query(query)
    assert (after.site, after.fragment) == (before.site, before.fragment)
    _, mark, present = before.path_qs.partition("?")
    assert after.path_qs.endswith(join_queries(mark + present, query))
    assert before.with_query(encode_query({})) is before
