"""Redirects: credentials never leave their origin, and a redirected request can be sent."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import any_text, header_names, secrets, urls

from railhttp.model.body import BytesBody
from railhttp.model.redaction import SECRET_HEADERS
from railhttp.model.request import Request, SendOptions
from railhttp.model.url import origin_of, request_url
from railhttp.policy.redirect import REDIRECT_STATUSES, RedirectRefused, redirected

METHODS: Final = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
STATUSES: Final = st.sampled_from(sorted(REDIRECT_STATUSES))
LOCATIONS: Final = st.one_of(
    urls(), urls().map(lambda url: url.partition("/")[2]), any_text, st.just("/c")
)


@given(urls(), LOCATIONS, METHODS, STATUSES, secrets, st.lists(header_names))
def test_a_secret_never_reaches_another_origin(
    url: str, location: str, method: str, status: int, secret: str, mine: list[str]
) -> None:
    names = SECRET_HEADERS | {name.lower() for name in mine}
    headers = dict.fromkeys((*names, *mine), secret)
    start = request_url(url).with_user(None)
    request = Request(method, start, headers, BytesBody(b"x", "t"), {"s": secret}, SendOptions())
    step = redirected(request, status, location, names)
    if isinstance(step, Request) and origin_of(step.url) != origin_of(request.url):
        assert secret not in repr((step.headers, step.cookies))


@given(urls(), LOCATIONS, METHODS, STATUSES)
def test_what_is_sent_next_is_a_request_like_any_other(
    url: str, location: str, method: str, status: int
) -> None:
    body = BytesBody(b"x", "t")
    request = Request(method, request_url(url).with_user(None), None, body, None, SendOptions())
    step = redirected(request, status, location, frozenset())
    if isinstance(step, RedirectRefused):
        return
    assert str(request_url(str(step.url))) == str(step.url)
    assert step.url.raw_user is None
    assert step.body in {None, body}
    assert (step.body is body) is (
        step.method == method and (status != 303 or method in {"GET", "HEAD"})
    )
