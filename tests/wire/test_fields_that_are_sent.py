"""What is sent in a field: which characters, when a length, and which boundary."""

import pytest
from yarl import URL

from railhttp import HTTPValidationError
from railhttp.model.body import BytesBody
from railhttp.model.request import Request, SendOptions
from railhttp.wire.multipart import encode_multipart, with_boundary
from railhttp.wire.request_head import DefaultFields, request_head
from railhttp.wire.sse import EventStreamDecoder, ServerSentEvent


def head_of(method: str = "GET", **defaults: str) -> bytes:
    request = Request(method, URL("http://h/"), None, None, None, SendOptions())
    return request_head(request, DefaultFields(defaults))[0]


def test_which_characters_a_value_may_have() -> None:
    """Controls split fields; a surrogate stands for a byte if it is one of 128 (PEP 383)."""
    refused = {*range(9), *range(10, 32), 127, *range(0xD800, 0xE000)} - {*range(0xDC80, 0xDD00)}
    tried = [*range(0x200), 0x2028, *range(0xD7F0, 0xE010), 0x1F600]
    for number in tried:
        if number in refused:
            with pytest.raises(HTTPValidationError):
                head_of(X=f"a{chr(number)}b")
        else:
            assert f"X: a{chr(number)}b\r\n".encode("utf-8", "surrogateescape") in head_of(
                X=f"a{chr(number)}b"
            )


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_these_methods_announce_no_length_of_nothing(method: str) -> None:
    assert b"Content-Length" not in head_of(method)
    assert b"Content-Length: 0\r\n" in head_of(method + "S")
    request = Request(method, URL("http://h/"), None, BytesBody(b"", ""), None, SendOptions())
    assert b"Content-Length: 0\r\n" in request_head(request, DefaultFields({}))[0]


@pytest.mark.parametrize("name", ["Host", "host", "Cookie", "Proxy-Authorization", "X-Percent-%s"])
@pytest.mark.parametrize("default", ["a", None])
def test_a_field_of_the_request_replaces_that_of_the_defaults(
    name: str, default: str | None
) -> None:
    request = Request("GET", URL("http://h/"), {name: "100 %s"}, None, None, SendOptions())
    defaults = {} if default is None else {name.upper(): default, "X-%d": "%d"}
    lines = request_head(request, DefaultFields(defaults))[0].decode().split("\r\n")
    found = [line for line in lines if line.lower().startswith(name.lower())]
    sent = f"{name.title() if name == 'host' else name}: 100 %s"
    assert found == ([] if name == "Proxy-Authorization" else [sent])
    assert ("X-%d: %d" in lines) is (default is not None)


@pytest.mark.parametrize("boundary", ["a", "Z", "0", "-", "_", "x" * 70])
def test_a_boundary_has_1_to_70_letters_digits_hyphens_and_underscores(boundary: str) -> None:
    body = encode_multipart({}, boundary, lambda _: pytest.fail("there is no file"))
    assert body.content_type == f"multipart/form-data; boundary={boundary}"
    assert isinstance(body, BytesBody)
    assert body.content == f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize("content_type", ["x", "x/y", "x y", "x\ty"])
def test_the_type_of_a_part_is_sent_as_it_is(content_type: str) -> None:
    body = encode_multipart({"a": ("b", b"", content_type)}, "x", lambda _: pytest.fail("no file"))
    assert isinstance(body, BytesBody)
    assert f"\r\nContent-Type: {content_type}\r\n\r\n".encode() in body.content


@pytest.mark.parametrize("content_type", [" x", "x ", "\tx", "x\t", "é", "x\x7fy", "\x00"])
def test_a_type_with_blanks_around_it_or_other_characters_is_refused(content_type: str) -> None:
    with pytest.raises(HTTPValidationError):
        encode_multipart({"a": ("b", b"", content_type)}, "x", lambda _: pytest.fail("no file"))


FORM = "multipart/form-data; boundary=b1"


@pytest.mark.parametrize(
    ("own", "actual", "sent"),
    [
        ("text/plain", FORM, "text/plain"),
        ("xmultipart/form-data", FORM, "xmultipart/form-data"),
        ("multipartx/form-data", FORM, "multipartx/form-data"),
        ("multipart/form-data", FORM, FORM),
        ("multipart/form-data;", FORM, FORM),
        ("multipart/form-data ; ", FORM, FORM),
        (" \tMultipart/Mixed", FORM, " \tMultipart/Mixed; boundary=b1"),
        (FORM, FORM, FORM),
        ('multipart/form-data; boundary="b1"', FORM, 'multipart/form-data; boundary="b1"'),
        ("multipart/form-data; boundary=own", "", "multipart/form-data; boundary=own"),
        ("multipart/form-data; boundary=own", "x/y", "multipart/form-data; boundary=own"),
    ],
)
def test_the_type_of_a_caller_gets_the_boundary_of_the_body(
    own: str, actual: str, sent: str
) -> None:
    assert with_boundary(own, actual) == sent


@pytest.mark.parametrize(
    ("own", "actual"),
    [("multipart/form-data", ""), ("multipart/mixed", "x/y"), (f"{FORM}x", FORM)],
)
def test_a_type_that_no_server_could_use_is_refused(own: str, actual: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        with_boundary(own, actual)
    assert caught.value.field == "headers"


@pytest.mark.parametrize(
    "stream",
    [
        b"id: 1\ndata: a\n\nevent: x\nid: 2\ndata: b\n\nid: 3\nretry: 7\n\ndata: c\n\n",
        b"id:1\ndata:a\n\nid:2\nevent:x\ndata:b\n\nretry:7\nid:3\n\ndata:c\n\n",
    ],
)
def test_an_id_stays_until_the_next_however_events_are_written(stream: bytes) -> None:
    for size in (len(stream), 7, 1):
        decoder = EventStreamDecoder()
        assert (decoder.last_event_id, decoder.retry) == ("", None)
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        events = [event for piece in pieces for event in decoder.feed(piece)]
        assert events == [
            ServerSentEvent("a", "message", "1", None),
            ServerSentEvent("b", "x", "2", None),
            ServerSentEvent("c", "message", "3", None),
        ]
        assert (decoder.last_event_id, decoder.retry) == ("3", 7)


@pytest.mark.parametrize(
    ("size", "fits"), [(0, True), (3, True), (4, True), (5, False), (9, False)]
)
def test_an_event_is_measured_by_its_lines_without_their_ends(size: int, fits: bool) -> None:
    event = b"id:1\ndata:" + b"x" * size + b"\n\n"
    for cut in range(len(event)):
        decoder = EventStreamDecoder(13)
        try:
            events = [
                one for piece in (event[:cut], event[cut:], event) for one in decoder.feed(piece)
            ]
        except ValueError:
            assert not fits
        else:
            assert (len(events), fits) == (2, True)
