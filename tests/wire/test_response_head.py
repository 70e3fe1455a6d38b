"""Which heads of responses are read, and what their fields say (RFC 9112, sections 4 to 6)."""

import pytest

from railhttp.wire import response_head
from railhttp.wire.response_head import ResponseError, ResponseHead


def head_of(
    *fields: bytes, start: bytes = b"HTTP/1.1 200 OK", end: bytes = b"\r\n"
) -> ResponseHead:
    return ResponseHead(end.join([start, *fields, b"", b""]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"X: y", "y"),
        (b"X:y", "y"),
        (b"X: \t y \t", "y"),
        (b"X:", ""),
        (b"X: a: b", "a: b"),
        (b"X: a\r\n b", "a b"),
        (b"X: a \r\n\t  b\r\n c", "a b c"),
        (b"X:\r\n a", "a"),
        (b"X: a\n b", "a b"),
        (b"X: \x0by\x0c", "\x0by\x0c"),
        ("X: é".encode(), "é"),
        (b"X: caf\xe9", "café"),
        (b"Location: /caf\xe9?\xc3\xa9", "/caf%E9?%C3%A9"),
        (b"location: /~\x7f\x80\xff", "/~\x7f%80%FF"),
    ],
)
def test_values(field: bytes, value: str) -> None:
    """A folding becomes a space (RFC 9112, section 5.2); a value can always be encoded again."""
    [(_, found)] = head_of(field).headers.items()
    assert found == value


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    ("start", "code", "version"),
    [
        (b"HTTP/1.1 200 OK", 200, "1.1"),
        (b"HTTP/1.1 200 ", 200, "1.1"),
        (b"HTTP/1.1 200", 200, "1.1"),
        (b"HTTP/1.0 999 caf\xe9", 999, "1.0"),
    ],
)
def test_status_lines(start: bytes, code: int, version: str, end: bytes) -> None:
    head = head_of(b"X: y", start=start, end=end)
    assert (head.status, head.version, head.headers["X"]) == (code, version, "y")


@pytest.mark.parametrize(
    "head",
    [
        *(b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"http/1.1 200 OK\r\n\r\n"),
        *(b"HTTP/1.1  200 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n"),
        *(b"HTTP/1.1 000 OK\r\n\r\n", b"HTTP/1.1 200OK\r\n\r\n", b"ICY 200 OK\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\nX\r\n\r\n", b"HTTP/1.1 200 OK\r\n: y\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", b"HTTP/1.1 200 OK\r\nX\t: y\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\nX\xe9: y\r\n\r\n", b"HTTP/1.1 200 OK\rX: y\r\n\r\n"),
        *(b"HTTP/1.1 200 O\x00K\r\n\r\n", b"HTTP/1.1 200 O\rK\r\n\r\n"),
    ],
)
def test_a_malformed_head_is_refused(head: bytes) -> None:
    with pytest.raises(ResponseError):
        ResponseHead(head)


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([b"X: y"], None),
        ([b"Content-Length: 7"], 7),
        ([b"content-length: 7", b"Content-Length: 7"], 7),
        ([b"Content-Length: 7, 7"], 7),
        ([b"Content-Length: 7\t,\t7"], 7),
        ([b"Content-Length: 0"], 0),
    ],
)
def test_lengths(fields: list[bytes], length: int | None) -> None:
    assert head_of(*fields).length == length


@pytest.mark.parametrize(
    "value", [b"", b"-7", b"+7", b"7a", b"7, 8", b"7,", b"0x7", b"7.0", "٧".encode(), b"9" * 20]
)
def test_a_length_that_is_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(ResponseError):
        _ = head_of(b"Content-Length: " + value).length


@pytest.mark.parametrize(("first", "second"), [(b"7", b"8"), (b"8", b"7"), (b"7", b"x")])
def test_two_lengths_that_differ_are_refused(first: bytes, second: bytes) -> None:
    with pytest.raises(ResponseError):
        _ = head_of(b"Content-Length: " + first, b"Content-Length: " + second).length


@pytest.mark.parametrize(
    ("value", "is_chunked"),
    [
        (b"chunked", True),
        (b"CHUNKED \t", True),
        (b"gzip, chunked", True),
        (b"gzip,\tchunked", True),
        (b"chunked,", True),
        (b"chunked,\t,", True),
        (b"chunke", False),
        (b", chunked \t, ,", True),
        (b",", False),
        (b"chunked, gzip", False),
        (b"\x0bchunked", False),
        (b"chunked\x0c", False),
        (b"xchunked", False),
        (b"identity", False),
    ],
)
def test_transfer_codings(value: bytes, is_chunked: bool) -> None:
    """Python's `strip()` would remove a vertical tab, and others would not."""
    assert head_of(b"Transfer-Encoding: " + value).is_chunked is is_chunked


@pytest.mark.parametrize(
    ("values", "is_chunked"),
    [([b"gzip", b"chunked"], True), ([b"chunked", b"gzip"], False), ([b"chun", b"ked"], False)],
)
def test_transfer_codings_of_several_fields_are_one_list(
    values: list[bytes], is_chunked: bool
) -> None:
    head = head_of(*(b"Transfer-Encoding: " + value for value in values))
    assert head.is_chunked is is_chunked


def test_a_length_and_a_transfer_coding_exclude_each_other() -> None:
    with pytest.raises(ResponseError):
        _ = head_of(b"Content-Length: 7", b"Transfer-Encoding: chunked").is_chunked


@pytest.mark.parametrize(
    ("start", "fields", "closes"),
    [
        (b"HTTP/1.1 200", [], False),
        (b"HTTP/1.1 200", [b"Connection: Close"], True),
        (b"HTTP/1.1 200", [b"Connection: x", b"Connection: y , close"], True),
        (b"HTTP/1.1 200", [b"Connection: close", b"Connection: x"], True),
        (b"HTTP/1.1 200", [b"Connection: closed"], False),
        (b"HTTP/1.0 200", [], True),
        (b"HTTP/1.0 200", [b"Connection: keep-alive"], False),
        (b"HTTP/1.0 200", [b"Connection: Keep-Alive"], False),
        (b"HTTP/1.0 200", [b"Connection: te,\tkeep-alive "], False),
        (b"HTTP/1.0 200", [b"Connection: te"], True),
        (b"HTTP/1.0 200", [b"Connection: keep-aliv"], True),
        (b"HTTP/1.1 200", [b"Connection: keep-aliv"], False),
        (b"HTTP/1.0 200", [b"Connection: keep-alive, close"], True),
        (b"HTTP/1.0 200", [b"Connection: keep-alive", b"Transfer-Encoding: chunked"], True),
    ],
)
def test_which_responses_end_their_connection(
    start: bytes, fields: list[bytes], closes: bool
) -> None:
    assert head_of(*fields, start=start).closes() is closes


def test_cookies_are_the_bytes_that_came() -> None:
    head = head_of(b"Set-Cookie: a=\xe9", b"X: y", b"set-cookie: b=1;\r\n Path=/")
    assert head.set_cookies() == [b"a=\xe9", b"b=1; Path=/"]


def test_lines_and_names_that_never_come_again_are_forgotten() -> None:
    for number in range(1100):
        field = f"X-{number}: {number}"
        head = ResponseHead(f"HTTP/1.1 200 OK\r\n{field}\r\nLong: {'a' * 128}\r\n\r\n".encode())
        assert [*head.headers.items()] == [(f"X-{number}", f"{number}"), ("Long", "a" * 128)]
    known = response_head._FIELDS
    assert known.keys() >= {"X-1098: 1098", "X-1099: 1099"}
    assert known.keys().isdisjoint({"X-0: 0", f"Long: {'a' * 128}"})
    assert len(known) <= 1024
    assert len(response_head._NAMES) <= 1024


@pytest.mark.parametrize(
    ("known", "size", "head"),
    [
        (response_head._FIELDS, 1024, "HTTP/1.1 200\r\nX: {}\r\n\r\n"),
        (response_head._NAMES, 1024, "HTTP/1.1 200\r\nX-{}: y\r\n\r\n"),
        (response_head._STATUSES, 256, "HTTP/1.1 200 {}\r\n\r\n"),
    ],
    ids=["lines", "names", "status lines"],
)
def test_so_many_are_remembered_and_then_all_are_forgotten(
    known: dict[str, object], size: int, head: str
) -> None:
    known.clear()
    sizes = []
    for number in range(size + 1):
        ResponseHead(head.format(number).encode())
        sizes.append(len(known))
    assert sizes == [*range(1, size + 1), 1]


@pytest.mark.parametrize(("size", "is_kept"), [(127, True), (128, True), (129, False)])
def test_a_long_line_is_not_remembered(size: int, is_kept: bool) -> None:
    field, status = "X: ".ljust(size, "y"), "HTTP/1.1 200 ".ljust(size, "z")
    for _ in range(2):
        head = ResponseHead(f"{status}\r\n{field}\r\n\r\n".encode())
        assert (head.status, head.headers["X"]) == (200, "y" * (size - 3))
    assert (field in response_head._FIELDS) is is_kept
    assert (status in response_head._STATUSES) is is_kept
