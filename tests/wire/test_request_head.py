"""The head of a request: its fields, and when each is sent."""

from base64 import b64encode

import pytest
from multidict import CIMultiDict
from yarl import URL

from railhttp import HTTPValidationError
from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions
from railhttp.wire.request_head import (
    DefaultFields,
    closes_connection,
    content_length,
    proxy_credentials,
    request_head,
)

PIECES = StreamBody((iter([b"ab"]),), "text/plain")


def request(
    method: str = "GET",
    url: str = "http://h/a",
    headers: dict[str, str] | None = None,
    body: Body | None = None,
) -> Request:
    return Request(method, URL(url), headers, body, None, SendOptions())


def lines(request: Request, defaults: dict[str, str] | None = None, **more: str) -> list[str]:
    proxy = URL(more["proxy"]) if "proxy" in more else None
    head = request_head(
        request, DefaultFields(defaults or {}), cookies=more.get("cookies", ""), proxy=proxy
    )[0]
    assert head.endswith(b"\r\n\r\n")
    return head.decode().split("\r\n")[:-2]


@pytest.mark.parametrize(
    ("method", "url", "first", "host"),
    [
        ("GET", "http://h", "GET / HTTP/1.1", "Host: h"),
        ("GET", "http://h:80/?", "GET / HTTP/1.1", "Host: h"),
        ("HEAD", "https://h:8443/a%20b?c=d#e", "HEAD /a%20b?c=d HTTP/1.1", "Host: h:8443"),
        ("GET", "http://[::1]:81/", "GET / HTTP/1.1", "Host: [::1]:81"),
        ("GET", "http://bücher.example/ä", "GET /%C3%A4 HTTP/1.1", "Host: xn--bcher-kva.example"),
    ],
)
def test_the_target_and_the_host(method: str, url: str, first: str, host: str) -> None:
    assert lines(request(method, url)) == [first, host]


def test_a_proxy_reads_the_whole_url_and_its_own_credentials() -> None:
    assert lines(request(url="http://h/a?b#c"), proxy="http://ann:s3cret@proxy/") == [
        "GET http://h/a?b HTTP/1.1",
        "Host: h",
        "Proxy-Authorization: Basic YW5uOnMzY3JldA==",
    ]


FIELD = {"Proxy-Authorization": "Basic mine"}


@pytest.mark.parametrize(
    ("proxy", "sent"),
    [
        ("http://proxy/", ["Proxy-Authorization: Basic mine"]),
        ("http://ann:s3cret@proxy/", ["Proxy-Authorization: Basic mine"]),
        (None, []),  # neither an origin nor what is behind a tunnel may hear it
    ],
)
def test_a_proxy_authorization_field_is_read_by_a_proxy_alone(
    proxy: str | None, sent: list[str]
) -> None:
    for defaults, own in (({}, FIELD), (FIELD, {}), ({"proxy-authorization": "other"}, FIELD)):
        through = None if proxy is None else URL(proxy)
        head = request_head(request(headers=own), DefaultFields(defaults), proxy=through)[0]
        assert head.decode().split("\r\n")[2:-2] == sent


@pytest.mark.parametrize(
    ("headers", "defaults", "credentials"),
    [
        ({"proxy-authorization": "a"}, {"Proxy-Authorization": "b"}, "a"),
        ({"X-Id": "7"}, {"Proxy-Authorization": "b"}, "b"),
        (None, {}, ""),
    ],
)
def test_the_credentials_for_a_tunnel(
    headers: dict[str, str] | None, defaults: dict[str, str], credentials: str
) -> None:
    assert proxy_credentials(request(headers=headers), DefaultFields(defaults)) == credentials


def test_the_requests_fields_take_the_place_of_defaults() -> None:
    headers = CIMultiDict([("accept", "a/b"), ("X-Id", "1"), ("x-id", "2"), ("host", "other")])
    sent = lines(
        Request("GET", URL("http://h/"), headers, None, None, SendOptions()),
        {"Accept": "*/*", "User-Agent": "x"},
    )
    assert sent[1] == "Host: other"
    assert sorted(sent[2:]) == ["User-Agent: x", "X-Id: 1", "accept: a/b", "x-id: 2"]


@pytest.mark.parametrize(
    ("own", "cookies", "field"),
    [
        ({}, "a=1", ["Cookie: a=1"]),
        ({"cookie": "mine=2"}, "a=1", ["Cookie: mine=2; a=1"]),
        ({"cookie": "mine=2"}, "", ["cookie: mine=2"]),
    ],
)
def test_a_request_has_one_cookie_field(
    own: dict[str, str], cookies: str, field: list[str]
) -> None:
    assert lines(request(headers=own), cookies=cookies)[2:] == field


@pytest.mark.parametrize(
    ("method", "headers", "body", "length", "fields"),
    [
        ("GET", None, None, 0, []),
        ("TRACE", None, None, 0, []),
        ("POST", None, None, 0, ["Content-Length: 0"]),
        ("DELETE", None, None, 0, ["Content-Length: 0"]),
        ("POST", None, BytesBody(b"abc", "a/b"), 3, ["Content-Type: a/b", "Content-Length: 3"]),
        ("GET", None, BytesBody(b"abc", "a/b"), 3, ["Content-Type: a/b", "Content-Length: 3"]),
        (
            "POST",
            {"content-type": "c/d", "content-length": "3"},
            BytesBody(b"abc", "a/b"),
            3,
            ["content-type: c/d", "content-length: 3"],
        ),
        ("PUT", None, PIECES, None, ["Content-Type: text/plain", "Transfer-Encoding: chunked"]),
        (
            "PUT",
            {"Content-Length": "2"},
            PIECES,
            2,
            ["Content-Length: 2", "Content-Type: text/plain"],
        ),
        ("PUT", None, StreamBody((b"ab",), "a/b"), 2, ["Content-Type: a/b", "Content-Length: 2"]),
    ],
)
def test_the_length_of_the_body(
    method: str,
    headers: dict[str, str] | None,
    body: Body | None,
    length: int | None,
    fields: list[str],
) -> None:
    asked = request(method, headers=headers, body=body)
    assert content_length(asked) == length
    assert lines(asked)[2:] == fields


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0", "\x7f"])
def test_no_field_makes_two(value: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        request_head(request(), DefaultFields({"X-Default": value}))
    assert (caught.value.field, value in str(caught.value)) == ("headers", False)


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        (b"Connection: Close", True),
        (b"Connection:close", True),
        (b"Connection:\tkeep-alive\t,\tclose\t", True),
        (b"Connection: te\r\nconnection: x, close", True),
        (b"Connection: keep-alive", False),
        (b"X-Connection: close", False),
        (b"Connection-Id: close", False),
        (b"Connection-Id: x, close", False),
        (b"Connection: closed, clos", False),
    ],
)
def test_a_request_that_closes_its_connection_is_the_last_one(fields: bytes, last: bool) -> None:
    assert closes_connection(b"GET / HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n\r\n") is last


@pytest.mark.parametrize("own", [{}, {"X-Id": "1"}])
@pytest.mark.parametrize(
    ("default", "sent"),
    [
        ("Content-Type", ["Content-Length: 2"]),
        ("content-length", ["Content-Type: text/plain"]),
        ("Accept", ["Content-Type: text/plain", "Content-Length: 2"]),
    ],
)
def test_a_default_that_describes_the_body_is_not_sent_a_second_time(
    own: dict[str, str], default: str, sent: list[str]
) -> None:
    head = lines(request("POST", headers=own, body=BytesBody(b"ab", "text/plain")), {default: "2"})
    fields = [f"{name}: {text}" for name, text in own.items()]
    assert head[2:] == [f"{default}: 2", *fields, *sent]


@pytest.mark.parametrize(
    ("own", "defaults", "closes"),
    [
        ({}, {"connection": "close"}, True),
        ({"Connection": "close"}, {}, True),
        ({"Connection": "keep-alive"}, {"Connection": "close"}, False),
        ({"X-Id": "close"}, {}, False),
    ],
)
def test_a_head_says_whether_it_closes_the_connection(
    own: dict[str, str], defaults: dict[str, str], closes: bool
) -> None:
    assert request_head(request(headers=own), DefaultFields(defaults))[1] is closes


def test_a_percent_sign_is_sent_as_it_is_wherever_it_stands() -> None:
    head = lines(request(headers={"X-%s": "%d"}), {"X-%(a)s": "%%"})
    assert head[2:] == ["X-%(a)s: %%", "X-%s: %d"]


@pytest.mark.parametrize("value", ["a=b\r\nX-Evil: 1", "a=\0", "a=\x7f"])
def test_a_cookie_makes_no_second_field(value: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        request_head(request(), DefaultFields({}), cookies=value)
    assert caught.value.field == "headers"


@pytest.mark.parametrize(
    ("user_info", "credentials"),
    [("ann", "ann:"), ("ann:", "ann:"), ("a%40b:c%3Ad", "a@b:c:d")],
)
def test_a_user_of_a_proxy_may_have_no_password(user_info: str, credentials: str) -> None:
    sent = b64encode(credentials.encode()).decode()
    found = lines(request(), proxy=f"http://{user_info}@proxy/")
    assert f"Proxy-Authorization: Basic {sent}" in found


def test_the_shapes_of_256_sets_of_names_are_remembered() -> None:
    """Names that a program makes up anew each time do not fill the memory."""
    defaults, sizes = DefaultFields({"Accept": "*/*"}), []
    for number in range(257):
        head = request_head(request(headers={f"X-{number}": "y"}), defaults)[0]
        assert head.endswith(b"\r\nAccept: */*\r\nX-%d: y\r\n\r\n" % number)
        sizes.append(len(defaults.shapes))
    assert sizes == [*range(1, 257), 1]
