"""The bounds of a response: each limit is tried with what it allows and with one more."""

import pytest

from railhttp.wire.response_head import ResponseError
from railhttp.wire.response_reader import End, HeadLimits, ResponseReader, whole_response

LIMITS = HeadLimits(line=20, field=10, fields=3)
OK = b"HTTP/1.1 200 OK\r\n"


def is_read(whole: bytes, limits: HeadLimits = LIMITS) -> bool:
    """Whether a response is complete, in one piece and byte by byte."""
    ends = []
    for size in (len(whole), 1):
        reader = ResponseReader(limits)
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        ends.append([part for piece in pieces for part in reader.feed(piece)][-1])
    assert [isinstance(end, End) for end in ends] in ([True] * 2, [False] * 2)
    assert all(isinstance(end, End | ResponseError) for end in ends)
    return isinstance(ends[0], End)


@pytest.mark.parametrize(
    ("allowed", "one_more"),
    [
        (b"HTTP/1.1 204 123456\r\n\r\n", b"HTTP/1.1 204 1234567\r\n\r\n"),
        (b"HTTP/1.1 204 \r\nX:1234567\r\n\r\n", b"HTTP/1.1 204 \r\nX:12345678\r\n\r\n"),
    ],
    ids=["status line", "field"],
)
def test_the_limits_of_a_head(allowed: bytes, one_more: bytes) -> None:
    assert is_read(allowed)
    assert not is_read(one_more)


@pytest.mark.parametrize("limits", [LIMITS, HeadLimits(fields=3)], ids=["long", "short"])
def test_the_number_of_fields_is_limited_in_long_and_in_short_heads(limits: HeadLimits) -> None:
    assert is_read(b"HTTP/1.1 204 \r\n" + b"X:\r\n" * 3 + b"\r\n", limits)
    assert not is_read(b"HTTP/1.1 204 \r\n" + b"X:\r\n" * 4 + b"\r\n", limits)


def test_thirty_two_interim_responses_are_read_and_no_more() -> None:
    interim, last = b"HTTP/1.1 103 \r\n\r\n", b"HTTP/1.1 204 \r\n\r\n"
    assert is_read(interim * 32 + last)
    assert not is_read(interim * 33 + last)


CHUNKED = b"HTTP/1.1 200 \r\nTransfer-Encoding:chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("trailer", "whole"),
    [
        *((b"\r\n", True), (b"\n", True), (b"X:y\r\n\r\n", True), (b"X:y\n\n", True)),
        *((b"X:y\r\n" * 3 + b"\r\n", True), (b"X:y\r\n" * 4 + b"\r\n", False)),
        *((b"X:" + b"y" * 44 + b"\r\n\r\n", True), (b"X:" + b"y" * 45 + b"\r\n\r\n", False)),
        *((b"X\r\n\r\n", False), (b":y\r\n\r\n", False)),
    ],
)
def test_the_trailer_of_a_chunked_body(trailer: bytes, whole: bool) -> None:
    limits = HeadLimits(line=20, field=48, fields=3)
    assert is_read(CHUNKED + b"0\r\n" + trailer, limits) is whole


@pytest.mark.parametrize(
    ("size", "whole"),
    [
        *((b"1", True), (b"0" * 15 + b"1", True), (b"0" * 16 + b"1", False)),
        *((b"1 \t", True), (b"1;a=b", True), (b" 1", False), (b"", False), (b"0x1", False)),
        *((b"1;" + b"x" * (256 * 1024 - 4), True), (b"1;" + b"x" * (256 * 1024 - 3), False)),
    ],
    ids=lambda part: repr(part)[:12],
)
def test_the_line_before_a_chunk(size: bytes, whole: bool) -> None:
    reader = ResponseReader()
    parts = reader.feed(CHUNKED + size + b"\r\nx\r\n0\r\n\r\n")
    assert isinstance(parts[-1], End) is whole
    assert isinstance(parts[-1], ResponseError) is not whole


@pytest.mark.parametrize(
    ("response", "whole"),
    [
        (OK + b"Content-Length: 2\r\n\r\nok", True),
        (OK + b"X:\r\n" * 255 + b"Content-Length: 2\r\n\r\nok", True),
        (OK + b"X:\r\n" * 256 + b"Content-Length: 2\r\n\r\nok", False),
        (OK + b"Content-Length: 3\r\n\r\nok", False),
        (OK + b"Content-Length: 1\r\n\r\nok", False),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", False),
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok", False),
        (OK + b"\r\nok", False),
        (b"HTTP/1.1 199 \r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", True),
        *((b"HTTP/1.1 %d \r\nContent-Length: 0\r\n\r\n" % code, False) for code in (101, 204, 304)),
        (b"HTTP/2.0 200 \r\nContent-Length: 0\r\n\r\n", False),
        (b"\r\n\r\n", False),
    ],
)
def test_which_responses_are_read_in_one_piece(response: bytes, whole: bool) -> None:
    assert (whole_response(response) is not None) is whole


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    ],
    ids=["neither", "length", "chunks"],
)
def test_without_reading_to_the_end_of_the_connection_only_a_body_without_length_is_empty(
    response: bytes, body: bytes
) -> None:
    reader = ResponseReader(HeadLimits(), read_until_eof=False)
    _, *parts = reader.feed(response)
    assert parts[-1] is End.COMPLETE
    assert b"".join(part for part in parts if isinstance(part, bytes)) == body


@pytest.mark.parametrize(("size", "whole"), [(8190, True), (8191, False)])
def test_a_head_that_is_read_in_one_piece_is_no_larger_than_a_status_line_may_be(
    size: int, whole: bool
) -> None:
    """Then no line is too long. A larger head is left to the `ResponseReader`."""
    start, end = OK + b"X:", b"\r\nContent-Length: 2\r\n\r\n"
    head = start.ljust(size - len(end), b"y") + end
    assert len(head) == size
    assert (whole_response(head + b"ok") is not None) is whole


def test_a_field_may_have_a_smaller_limit_than_the_status_line() -> None:
    limits = HeadLimits(line=60, field=10, fields=3)
    for status_line in (b"HTTP/1.1 204\r\n", b"HTTP/1.1 204 " + b"x" * 46 + b"\r\n"):
        assert is_read(status_line + b"X:1234567\r\n\r\n", limits)
        assert not is_read(status_line + b"X:12345678\r\n\r\n", limits)
        assert not is_read(status_line + b"X:12345678\r\nY:\r\n\r\n", limits)
        assert not is_read(status_line + b"Y:\r\nX:12345678\r\n\r\n", limits)


@pytest.mark.parametrize("size", [*range(1, 18), 0x1F, 0xAB, 0xFF, 0x100, 0xFEDC])
@pytest.mark.parametrize("written", ["{:x}", "{:X}", "{:08x}"])
def test_the_size_of_a_chunk_is_hexadecimal(written: str, size: int) -> None:
    whole = CHUNKED + f"{written.format(size)}\r\n".encode() + b"x" * size + b"\r\n0\r\n\r\n"
    for end in (len(whole), len(CHUNKED) + 1):  # a size that is cut is read in another way
        reader = ResponseReader()
        _, *parts = [*reader.feed(whole[:end]), *reader.feed(whole[end:])]
        assert parts.pop() is End.COMPLETE
        assert sum(len(part) for part in parts if isinstance(part, bytes)) == size
