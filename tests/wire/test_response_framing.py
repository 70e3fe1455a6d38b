"""The end of a response, and the state of its reader after each part."""

import pytest

from railhttp.wire.response_head import ResponseError, ResponseHead
from railhttp.wire.response_reader import End, Part, ResponseReader

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, size: int, reader: ResponseReader | None = None) -> list[Part]:
    """Read bytes that come in pieces of a size."""
    reader = reader or ResponseReader()
    return [part for at in range(0, len(data), size) for part in reader.feed(data[at : at + size])]


@pytest.mark.parametrize(
    ("head", "has_body", "ends_with_connection", "is_done"),
    [
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", False, False, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, False, True),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False, False, True),
        (OK + b"Content-Length: 0\r\n\r\n", False, False, True),
        (OK + b"Content-Length: 2\r\n\r\n", True, False, False),
        (CHUNKED, True, False, False),
        (OK + b"\r\n", True, True, False),
    ],
)
def test_a_head_decides_how_its_body_ends(
    head: bytes, has_body: bool, ends_with_connection: bool, is_done: bool
) -> None:
    reader = ResponseReader()
    assert (reader.has_body, reader.ends_with_connection, reader.is_done) == (False, False, False)
    assert isinstance(reader.feed(head)[0], ResponseHead)
    assert (reader.has_body, reader.ends_with_connection) == (has_body, ends_with_connection)
    assert (reader.is_done, reader.has_surplus) == (is_done, False)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "end", [b"\r\r\n", b"\r\r", b"\rx", b"x\r\n", b" \r\n", b"\0\n", b"x", b"\r", b"0", b""]
)
def test_nothing_but_a_line_end_follows_the_bytes_of_a_chunk(end: bytes, size: int) -> None:
    parts = read(CHUNKED + b"1\r\na" + end + b"0\r\n\r\n", size)
    assert isinstance(parts[-1], ResponseError)
    assert End.COMPLETE not in parts


def test_chunks_beyond_the_longest_line_are_one_piece_too() -> None:
    """The limit of a chunk line does not apply to the chunks that are read at once."""
    number = 100_000
    _, *parts = read(CHUNKED + b"1\r\na\r\n" * number + b"0\r\n\r\n", 1_000_000)
    assert parts == [b"a" * number, End.COMPLETE]


@pytest.mark.parametrize("size", [1000, 1_000_000])
@pytest.mark.parametrize(
    "start",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2",
        b"HTTP/1x",
        b"HTTP/1.1 OK\r\n",
        b"HTTP/1.12 200 OK\r\n",
        b"HTTP/1.1 2000 OK\nX: y\r\n",
        b"HTTP/1.1 200 " + b"x" * 8192,
        OK + b"X: " + b"y" * 65_536,
        OK + b"X: y\r\n" * 258,
        OK + (b"X: " + b"y" * 60_000 + b"\r\n") * 18,
    ],
    ids=lambda start: repr(start[:20]),
)
def test_a_head_that_cannot_be_read_is_refused_before_its_end_has_come(
    start: bytes, size: int
) -> None:
    """The sender may never send more, or never stop."""
    assert [type(part) for part in read(start, size)] == [ResponseError]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("surplus", [b"", b"x", b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
        (OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (CHUNKED + b"2\r\nab\r\n1\nc\n0\r\nX: y\r\n\r\n", b"abc"),
    ],
)
def test_what_comes_after_a_whole_response_is_noticed_and_dropped(
    response: bytes, body: bytes, surplus: bytes, size: int
) -> None:
    reader = ResponseReader()
    _, *parts = read(response, size, reader)
    assert (reader.is_done, reader.has_surplus) == (True, False)
    assert read(surplus, size, reader) == []
    assert (reader.is_done, reader.has_surplus) == (True, bool(surplus))
    assert parts.pop() is End.COMPLETE
    assert b"".join(part for part in parts if isinstance(part, bytes)) == body


def test_after_an_error_nothing_is_read() -> None:
    reader = ResponseReader()
    parts = reader.feed(b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n" + OK + b"\r\n")
    assert ([type(part) for part in parts], reader.is_done) == ([ResponseError], True)
    assert reader.feed(OK + b"\r\n") == []


def test_a_body_without_a_length_goes_on_until_the_connection_ends() -> None:
    reader = ResponseReader()
    _, *parts = read(OK + b"\r\n" + b"a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 9, reader)
    whole = b"".join(part for part in parts if isinstance(part, bytes))
    assert whole == b"a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    assert (reader.is_done, reader.ends_with_connection) == (False, True)
