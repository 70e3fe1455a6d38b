"""The request after a redirect, decided without a socket."""

from dataclasses import replace

import pytest
from yarl import URL

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions
from railhttp.policy.redirect import RedirectRefused, leads_on, redirected

SECRET = frozenset({"authorization", "cookie", "x-api-key"})
BODY = BytesBody(b"body", "text/plain")
HEADERS = {"Authorization": "a", "X-Api-Key": "k", "Host": "h", "Content-Type": "t", "X-Open": "o"}


def request_of(method: str = "GET", *, url: str = "https://h/a/b?q=1#top") -> Request:
    options = SendOptions(read_timeout=1.0, allow_insecure_redirects=True)
    return Request(method, URL(url), HEADERS, BODY, {"session": "s"}, options)


def followed(
    location: str, *, method: str = "GET", status: int = 302, url: str = "https://h/a/b?q=1#top"
) -> Request:
    step = redirected(request_of(method, url=url), status, location, SECRET)
    assert isinstance(step, Request)
    return step


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/c", "https://h/c#top"),
        ("c", "https://h/a/c#top"),
        ("../c", "https://h/c#top"),
        ("?q=2", "https://h/a/b?q=2#top"),
        ("#else", "https://h/a/b?q=1#else"),
        ("", "https://h/a/b?q=1#top"),
        ("//other/c", "https://other/c#top"),
        ("http://other:8080/c#else", "http://other:8080/c#else"),
        ("HTTPS://OTHER/c", "https://other/c#top"),
        ("https://ann:s3cret@h/c", "https://h/c#top"),
        ("/c?next=http://x/", "https://h/c?next=http://x/#top"),
        ("/é b", "https://h/%C3%A9%20b#top"),
        (b"/caf\xe9".decode("utf-8", "surrogateescape"), "https://h/caf%E9#top"),
        ("/a%2Fb", "https://h/a%2Fb#top"),
    ],
)
def test_where_a_location_leads(location: str, target: str) -> None:
    """The fragment is handed on (RFC 9110, section 10.2.2); a space is mended, as browsers do."""
    assert str(followed(location).url) == target


@pytest.mark.parametrize(
    "location",
    [
        "ftp://h/",
        "file:///etc",
        "http://",
        "http:///c",
        "http://[::1/",
        "https://h:99999/",
    ],
)
def test_a_location_that_cannot_be_asked(location: str) -> None:
    step = redirected(request_of(), 302, location, SECRET)
    assert isinstance(step, RedirectRefused)
    assert location not in step.reason


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", True),
        (303, "GET", "GET", True),
        (301, "HEAD", "HEAD", True),
        (301, "PUT", "PUT", True),
        (302, "DELETE", "DELETE", True),
        (307, "POST", "POST", True),
        (308, "PATCH", "PATCH", True),
        (302, "GET", "GET", True),
    ],
)
def test_method_and_body(status: int, method: str, then: str, keeps_body: bool) -> None:
    step = followed("/c", method=method, status=status)
    assert (step.method, step.body) == (then, BODY if keeps_body else None)
    assert ("Content-Type" in (step.headers or {})) is keeps_body


@pytest.mark.parametrize(
    ("field", "of_a_body"),
    [
        ("Content-Digest", True),
        ("Content-Encoding", True),
        ("Content-Language", True),
        ("Content-Length", True),
        ("Content-Location", True),
        ("Content-Range", True),
        ("Content-Type", True),
        ("digest", True),
        ("Expect", True),
        ("Last-Modified", True),
        ("Repr-Digest", True),
        ("Transfer-Encoding", True),
        ("Accept", False),
        ("Want-Content-Digest", False),
        ("X-Content-Type", False),
    ],
)
def test_what_describes_a_body_goes_with_it(field: str, of_a_body: bool) -> None:
    """RFC 9110, section 15.4: a request that became a GET has no content-specific fields."""
    post = Request("POST", URL("http://h/"), {field: "x"}, BODY, None, SendOptions())
    for status, kept in [(303, not of_a_body), (307, True)]:
        step = redirected(post, status, "/c", SECRET)
        assert isinstance(step, Request)
        assert (field in (step.headers or {})) is kept


@pytest.mark.parametrize("status", [303, 307])
def test_a_signature_is_true_of_the_first_request_only(status: int) -> None:
    fields = {"Signature-Input": "a=()", "signature": "a=:b:", "X-Open": "o"}
    signed = Request("POST", URL("http://h/"), fields, BODY, None, SendOptions())
    step = redirected(signed, status, "/c", SECRET)
    assert isinstance(step, Request)
    assert dict(step.headers or {}) == {"X-Open": "o"}


@pytest.mark.parametrize(
    ("location", "same_origin"),
    [
        ("/c", True),
        ("https://h:443/c", True),
        ("https://h:444/c", False),
        ("http://h/c", False),
        ("https://other/c", False),
        ("https://sub.h/c", False),
        ("//h/c", True),
    ],
)
def test_what_crosses_an_origin(location: str, same_origin: bool) -> None:
    step = followed(location, status=307)
    assert step.headers is not None
    names = {"Authorization", "X-Api-Key", "Host"} & {*step.headers}
    assert len(names) == (3 if same_origin else 0)
    assert step.headers["X-Open"] == "o"
    assert (step.cookies is not None) is same_origin
    assert step.options == request_of().options


def test_a_body_that_was_read_is_not_sent_again() -> None:
    once = Request(
        "POST", URL("http://h/"), None, StreamBody((iter([b"a"]),), ""), None, SendOptions()
    )
    assert isinstance(redirected(once, 307, "/c", SECRET), RedirectRefused)
    after_303 = redirected(once, 303, "/c", SECRET)
    assert isinstance(after_303, Request)
    assert after_303.headers is None


@pytest.mark.parametrize(
    ("status", "headers", "allowed", "follows"),
    [
        (302, {"Location": "/a"}, True, True),
        (302, {"Location": "/a"}, False, False),
        (302, {}, True, False),
        *((status, {"Location": "/a"}, True, True) for status in (301, 303, 307, 308)),
        *((status, {"Location": "/a"}, True, False) for status in (200, 201, 300)),
        *((status, {"Location": "/a"}, True, False) for status in (304, 305, 306, 309)),
    ],
)
def test_a_redirect_is_followed_if_it_names_a_location_and_the_call_allows_it(
    status: int, headers: dict[str, str], allowed: bool, follows: bool
) -> None:
    request = replace(request_of(), options=SendOptions(allow_redirects=allowed))
    assert leads_on(request, status, headers) is follows


def test_a_request_knows_the_url_from_which_the_first_redirect_led() -> None:
    first = followed("/b")
    second = redirected(first, 302, "/c", SECRET)
    assert isinstance(second, Request)
    assert str(first.redirected_from) == str(second.redirected_from) == "https://h/a/b?q=1#top"
