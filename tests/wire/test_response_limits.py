"""The limits of a response that no setting changes, each tried with one byte more."""

from collections.abc import Callable

import pytest

from railhttp.wire.response_head import ResponseError, ResponseHead
from railhttp.wire.response_reader import End, HeadLimits, ResponseReader

MIB = 1024 * 1024
START, END = b"HTTP/1.1 204 OK\r\n", b"\r\n"


def is_read(data: bytes, *, cut: int = 0) -> bool:
    reader = ResponseReader()
    parts = [*reader.feed(data[:cut]), *reader.feed(data[cut:])]
    assert isinstance(parts[-1], End | ResponseError)
    return isinstance(parts[-1], End)


def line(size: int) -> bytes:
    """A status line of so many bytes, without its LF."""
    return b"HTTP/1.1 204 " + b"x" * (size - 14) + b"\r\n"


def field(size: int) -> bytes:
    """A field of so many bytes, without its LF."""
    return b"X:" + b"y" * (size - 3) + b"\r\n"


@pytest.mark.parametrize("cut", [0, 5_000, 70_000])
@pytest.mark.parametrize(
    ("allowed", "one_more"),
    [
        pytest.param(line(8190) + END, line(8191) + END, id="status line"),
        pytest.param(START + field(65_536) + END, START + field(65_537) + END, id="field"),
        pytest.param(START + b"X:\r\n" * 256 + END, START + b"X:\r\n" * 257 + END, id="fields"),
        pytest.param(
            b"\r\n" * 4095 + START + END, b"\r\n" * 4095 + b"\n" + START + END, id="blank"
        ),
    ],
)
def test_a_limit_of_the_head_holds_to_the_byte(allowed: bytes, one_more: bytes, cut: int) -> None:
    assert is_read(allowed, cut=cut)
    assert not is_read(one_more, cut=cut)


@pytest.mark.parametrize(("more", "whole"), [(0, True), (1, False)])
def test_a_head_has_one_mib_at_most(more: int, whole: bool) -> None:
    rest = MIB - len(START + END)
    fields = [field(65_535)] * (rest // 65_536 - 1)
    left = rest - sum(map(len, fields))
    fields += [field(left // 2 - 1), field(left - left // 2 - 1 + more)]
    head = START + b"".join(fields) + END
    assert len(head) == MIB + more
    assert is_read(head) is whole


def test_the_usual_limits() -> None:
    assert HeadLimits() == (8190, 65_536, 256)


def test_which_statuses_have_no_body() -> None:
    """RFC 9112, section 6.3: 1xx, 204 and 304; a 101 is final, and what follows is not HTTP."""
    for status in range(100, 1000):
        parts = ResponseReader().feed(b"HTTP/1.1 %d \r\nContent-Length: 1\r\n\r\nx" % status)
        kinds = [type(part) for part in parts]
        if status in {204, 304, 101}:
            assert kinds == [ResponseHead, End]
        elif status < 200:
            assert kinds[0] is ResponseHead
            assert End not in kinds
        else:
            assert kinds == [ResponseHead, bytes, End]


@pytest.mark.parametrize("digits", [1, 19, 20])
def test_a_length_has_nineteen_digits_at_most(digits: int) -> None:
    for fields in (
        b"Content-Length: " + b"9" * digits,
        b"Content-Length: " + b"9" * digits + b"\t",
    ):
        head = ResponseHead(START + fields + b"\r\n" + END)
        if digits < 20:
            assert head.length == int("9" * digits)
        else:
            with pytest.raises(ResponseError):
                _ = head.length


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection"])
@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_framing_fields_are_found_in_any_case(name: str, change: Callable[[str], str]) -> None:
    value = {"Content-Length": "7", "Transfer-Encoding": "chunked", "Connection": "close"}[name]
    head = ResponseHead(START + f"{change(name)}: {value}\r\n".encode() + END)
    assert (head.length, head.is_chunked, head.closes()) == (
        7 if name == "Content-Length" else None,
        name == "Transfer-Encoding",
        name == "Connection",
    )
    shorter = ResponseHead(START + f"{name[:-1]}: {value}\r\n".encode() + END)
    assert (shorter.length, shorter.is_chunked, shorter.closes()) == (None, False, False)


@pytest.mark.parametrize("character", sorted(map(chr, range(33, 127))))
def test_the_characters_of_a_name_are_those_of_a_token(character: str) -> None:
    """RFC 9110, section 5.6.2; the lines of a head are read in a quick and in a tolerant way."""
    is_token = character.isalnum() or character in "!#$%&'*+-.^_`|~"
    for end in (b"\r\n", b"\n"):
        head = b"HTTP/1.1 204 OK" + end + f"a{character}b: c".encode() + end + end
        if is_token:
            assert dict(ResponseHead(head).headers) == {f"a{character}b": "c"}
        elif character == ":":
            assert dict(ResponseHead(head).headers) == {"a": "b: c"}
        else:
            with pytest.raises(ResponseError):
                ResponseHead(head)
