"""A request: its parts, its `repr`, refused fields, and whether it may be sent twice."""

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from dataclasses import replace
from enum import StrEnum
from pickle import dumps, loads
from typing import Final

import pytest
from multidict import CIMultiDict
from yarl import URL

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import FieldLines
from railhttp.model.redaction import SECRET_HEADERS
from railhttp.model.request import (
    Request,
    SendOptions,
    WireOptions,
    require_framing,
    require_method,
)
from railhttp.model.request_draft import checked_request
from railhttp.model.target import Target, parse_target

USUAL = SendOptions()


def request(
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    options: SendOptions = USUAL,
    redirected_from: URL | None = None,
) -> Request:
    return Request(method, URL("http://h/"), headers, None, None, options, redirected_from)


@pytest.mark.parametrize(
    ("method", "is_repeatable"),
    [
        *((method, True) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")),
        *((method, False) for method in ("POST", "PATCH", "LINK")),
    ],
)
def test_a_request_of_an_idempotent_method_may_be_repeated(
    method: str, is_repeatable: bool
) -> None:
    """RFC 9110, section 9.2.2."""
    assert request(method).repeatable is is_repeatable


def test_any_request_may_be_repeated_if_it_has_a_key_or_its_caller_says_so() -> None:
    assert request("POST", headers={"idempotency-key": "7"}).repeatable
    assert not request("POST", headers={"Idempotency-Key": " \u2060"}).repeatable
    assert request("POST", options=SendOptions(idempotent=True)).repeatable


def test_the_repr_shows_no_secret_of_any_part() -> None:
    shown = repr(
        request(
            headers={"Authorization": "Bearer s3cret", "Accept": "a/b"},
            redirected_from=URL("https://first.example/?token=s3cret"),
        )
    )
    assert "s3cret" not in shown
    assert "first.example" in shown
    assert "a/b" in shown


def test_a_request_is_sent_as_usual_unless_its_options_say_otherwise() -> None:
    assert SendOptions()._asdict() == {
        "connect_timeout": None,
        "read_timeout": None,
        "proxy": None,
        "ssl_context": None,
        "allow_redirects": True,
        "max_redirects": 10,
        "allow_insecure_redirects": None,
        "max_response_bytes": 100 * 1024 * 1024,
        "upload_progress": None,
        "expect_continue_timeout": 1.0,
        "secret_headers": SECRET_HEADERS,
        "idempotent": False,
        "wire": None,
        "url_template": "",
        "mask_path": None,
    }
    assert WireOptions()._asdict() == {
        "sock_connect": None,
        "fingerprint": None,
        "server_hostname": None,
        "proxy_auth": "",
        "proxy_headers": (),
        "skip_auto_headers": frozenset(),
        "auto_decompress": True,
        "read_until_eof": True,
        "read_bufsize": None,
        "max_line_size": None,
        "max_field_size": None,
        "max_headers": None,
    }


def test_options_show_no_credentials_of_a_proxy() -> None:
    shown = repr(WireOptions(proxy_auth="s3cret", proxy_headers=(("X-Key", "s3cret"),)))
    assert "proxy_auth='***', proxy_headers=(('X-Key', '***'),), " in shown
    assert shown.startswith("WireOptions(sock_connect=None, ")
    assert "proxy_auth='', proxy_headers=(), " in repr(WireOptions())
    shown = repr(SendOptions(proxy="http://ann:s3cret@proxy.example", max_redirects=3))
    assert "proxy='http://proxy.example', " in shown
    assert "max_redirects=3, " in shown
    assert "proxy=None, " in repr(SendOptions())
    assert "proxy='', " in repr(SendOptions(proxy=""))


BODY: Final = BytesBody(b"abc", "a/b")
ONCE: Final = StreamBody((iter([b"a"]),), "a/b")
TARGET: Final = Target.of(URL("http://h/a?k=s3cret#top"))
LINES: Final = FieldLines(("Accept", "Cookie", "accept"), ("a/b", "s3cret", "c/d"))
FIRST: Final = URL("http://first.example/")


@pytest.mark.parametrize(
    "made",
    [
        Request("PUT", TARGET, LINES, BODY, {"a": "s3cret"}, USUAL),
        Request("PUT", TARGET.url, LINES.fields, BODY, {"a": "s3cret"}, USUAL),
        checked_request("PUT", TARGET, LINES, BODY, {"a": "s3cret"}, USUAL),
    ],
    ids=["of parts", "of a URL and a mapping", "as a draft"],
)
def test_a_request_keeps_each_of_its_parts(made: Request) -> None:
    assert (made.method, made.target, made.lines, made.body) == ("PUT", TARGET, LINES, BODY)
    assert (made.cookies, made.options, made.redirected_from) == ({"a": "s3cret"}, USUAL, None)
    assert type(made) is Request
    assert (made.url_text, made.url) == ("http://h/a?k=s3cret#top", TARGET.url)
    assert made.shown_url == "http://h/a?k=***"
    assert made.headers == LINES.fields
    assert made.encoded is None
    assert made == Request("PUT", TARGET, LINES, BODY, {"a": "s3cret"}, USUAL)
    assert repr(made) == (
        "Request(method='PUT', target='http://h/a?k=***', "
        "lines={'Accept': 'a/b', 'Cookie': '***', 'accept': 'c/d'}, "
        "body=BytesBody(content='3 bytes', content_type='a/b'), cookies={'a': '***'}, "
        f"options={USUAL!r}, redirected_from=None)"
    )


@pytest.mark.parametrize("copied", [copy, deepcopy, lambda sent: loads(dumps(sent))])
def test_a_copy_of_a_request_can_be_sent_by_another_client(
    copied: Callable[[Request], Request],
) -> None:
    sent = Request("PUT", TARGET, LINES, BODY, {"a": "s3cret"}, USUAL, FIRST)
    object.__setattr__(sent, "encoded", ("a client", "its address"))
    assert copied(sent) == sent
    assert copied(sent).encoded is None


def test_a_request_may_have_neither_fields_nor_cookies_and_shows_so() -> None:
    plain = request()
    assert (plain.lines, plain.headers, plain.cookies, plain.body) == (None, None, None, None)
    assert "lines=None, body=None, cookies=None, " in repr(plain)
    assert repr(plain).endswith("redirected_from=None)")


CHANGES: Final[dict[str, object]] = {
    "method": "PUT",
    "target": TARGET,
    "lines": LINES,
    "body": BODY,
    "cookies": {"a": "b"},
    "options": SendOptions(idempotent=True),
    "redirected_from": FIRST,
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_copy_of_a_request_has_the_changed_part_and_all_others(part: str) -> None:
    change: Callable[..., Request] = replace
    plain = request(headers={"Accept": "a/b"}, redirected_from=URL("http://other/"))
    changed = change(plain, **{part: CHANGES[part]})
    assert changed != plain
    for name in CHANGES:
        assert getattr(changed, name) == (CHANGES[part] if name == part else getattr(plain, name))
    assert changed.url_text == ("http://h/a?k=s3cret#top" if part == "target" else "http://h/")


@pytest.mark.parametrize(
    ("url", "mask", "shown"),
    [
        ("http://h/users/7?k=v#top", None, "http://h/users/7?k=***"),
        ("http://h/users/7?k=v#top", lambda path: path.replace("7", "*"), "http://h/users/*?k=***"),
        ("http://h/users/7?", lambda path: "/x", "http://h/x"),
        ("http://h", lambda path: f"/was{path}", "http://h/was/"),
        ("http://h/a%2Fb", lambda path: path.upper(), "http://h/A%2FB"),
        ("http://h/s3cret", lambda path: None, "http://h/***"),
        ("http://h/s3cret", lambda path: path.encode(), "http://h/***"),
        ("http://h/s3cret", lambda path: path.missing, "http://h/***"),
    ],
)
def test_the_path_of_a_url_is_shown_as_its_mask_leaves_it(
    url: str, mask: Callable[[str], str] | None, shown: str
) -> None:
    target, _ = parse_target(url)
    masked = Request("GET", target, None, None, None, SendOptions(mask_path=mask))
    assert masked.shown_url == shown
    assert masked.url_text == url


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "idempotent"), [(None, False), ({"Idempotency-Key": "7"}, False), (None, True)]
)
def test_a_body_that_can_be_read_once_is_never_sent_again(
    method: str, headers: dict[str, str] | None, idempotent: bool
) -> None:
    options = SendOptions(idempotent=idempotent)
    harmless = method == "GET" or headers is not None or idempotent
    for body, replayable in ((None, True), (BODY, True), (ONCE, False)):
        made = Request(method, URL("http://h/"), headers, body, None, options)
        assert made.replayable is replayable
        assert made.repeatable is (replayable and harmless)


@pytest.mark.parametrize(
    ("key", "identifies"),
    [("7", True), (" 7\xa0", True), ("", False), (" ", False), ("\xa0\u2060", False)],
)
def test_a_key_with_a_visible_character_identifies_a_request(key: str, identifies: bool) -> None:
    assert request("POST", headers={"Idempotency-Key": key}).repeatable is identifies
    keys = CIMultiDict([("Idempotency-Key", key), ("idempotency-key", "")])
    assert request("POST", headers=keys).repeatable is identifies
    assert not request("POST", headers={"Idempotency-Ke": "7", "X-Id": "7"}).repeatable


def test_more_fields_replace_those_of_the_same_name() -> None:
    more = request(headers=LINES.fields).with_headers({"ACCEPT": "e/f", "X-Id": "7"})
    assert [*more.headers.items()] == [("ACCEPT", "e/f"), ("Cookie", "s3cret"), ("X-Id", "7")]  # type: ignore[union-attr]  # it has some
    assert request().with_headers({"X-Id": "7"}).lines == FieldLines(("X-Id",), ("7",))
    assert request().with_headers({"X-Id": "7"}).method == "GET"


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ("3", BODY),
        ("0", None),
        ("0", BytesBody(b"", "a/b")),
        ("9" * 19, ONCE),
        ("0", ONCE),
        ("7", StreamBody((b"a", iter([b"b"])), "a/b")),
    ],
)
def test_a_length_that_agrees_with_the_body_is_sent(length: str, body: Body | None) -> None:
    require_framing(CIMultiDict({"Content-Length": length, "Host": "h", "X": "7"}), body)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ([("Transfer-Encoding", "chunked")], None),
        ([("transfer-encoding", "")], BODY),
        ([("Host", "h"), ("host", "h")], None),
        ([("Host", "h"), ("X", "7"), ("HOST", "h"), ("host", "h")], None),
        ([("Content-Length", "3"), ("content-length", "3")], BODY),
        *(([("Content-Length", length)], BODY) for length in ("4", "03", "+3", " 3", "", "٣")),
        ([("Content-Length", "1")], None),
        *(
            ([("Content-Length", length)], ONCE)
            for length in ("", "-1", "1e3", "٣", "²", "9" * 20, "1,1", "0x1")
        ),
    ],
)
def test_fields_that_disagree_with_the_body_or_each_other_are_refused(
    fields: list[tuple[str, str]], body: Body | None
) -> None:
    """A server could read two requests in one (RFC 9112, sections 3.2 and 6)."""
    with pytest.raises(HTTPValidationError) as caught:
        require_framing(CIMultiDict(fields), body)
    assert caught.value.field == "headers"


class Verb(StrEnum):
    GET = "GET"
    PURGE = "purge"


@pytest.mark.parametrize(
    ("method", "normal"),
    [
        *((method, method) for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")),
        *((method.lower(), method) for method in ("GET", "OPTIONS", "TRACE", "PURGE", "CONNECT1")),
        ("m-SEARCH", "M-SEARCH"),
        ("!#$%&'*+.^_`|~1", "!#$%&'*+.^_`|~1"),
        (Verb.GET, "GET"),
        (Verb.PURGE, "PURGE"),
    ],
)
def test_a_method_is_a_token_in_upper_case(method: str, normal: str) -> None:
    assert require_method(method) == normal
    assert type(require_method(method)) is str


def test_a_usual_method_is_passed_on_without_a_copy() -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        assert require_method(method) is method


@pytest.mark.parametrize(
    "method", ["", " ", "G T", "GET ", "GET\n", "GÉT", "a:b", "CONNECT", "connect", b"GET", None, 5]
)
def test_a_method_that_is_no_token_or_opens_a_tunnel_is_refused(method: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_method(method)
    assert caught.value.field == "method"
