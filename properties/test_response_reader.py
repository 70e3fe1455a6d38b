"""Laws of reading responses: no cut of the bytes changes what they say."""

from itertools import pairwise
from typing import Final, TypeAlias

from hypothesis import event, example, given
from hypothesis import strategies as st

from railhttp.wire.response_head import ResponseError, ResponseHead
from railhttp.wire.response_reader import End, ResponseReader

Verdict: TypeAlias = tuple[list[tuple[int, list[tuple[str, str]]]], bytes, str, bool]
"""The heads, the body, how it ends, and whether more came than a good response has."""

STARTS: Final = [
    *("HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 204 Empty", "HTTP/1.1 304 Not Modified"),
    *("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", "HTTP/1.1 103 \r\nX: y\r\n\r\nHTTP/1.1 200"),
    *(
        "HTTP/1.1 101 Switch",
        "HTTP/2.0 200 OK",
        "HTTP/1.1 2000 OK",
        "\r\nHTTP/1.1 404 é",
        "SSH-2.0",
    ),
]
FIELDS: Final = [
    *("Content-Length: 4", "Content-Length: 0", "Content-Length: 4, 4", "Content-Length: 5"),
    *("Content-Length: -4", "Transfer-Encoding: chunked", "Transfer-Encoding: \x0bchunked"),
    *("Transfer-Encoding: gzip, chunked", "X: y", "X : y", "X: a\r\n b", "X: a\n\tb", "X", ": y"),
    *("X: a\x00b", "X: a\rb", "X:", "X: é ü", "Connection: close"),
]
BODIES: Final = [
    *("", "okay", "okay and more", "4\r\nokay\r\n0\r\n\r\n", "4;x=y\r\nokay\r\n0\r\nA: b\r\n\r\n"),
    *("4 \nokay\n0\n\n", "4\r\nokayed\r\n", "-4\r\nokay", "2\r\nok\r\n2\r\nay\r\n0\r\nbad\r\n\r\n"),
    *("0\r\n\r\nmore", "4\r\nok", "HTTP/1.1 200 OK\r\n\r\n"),
]


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message of good and bad parts, some of whose bytes are changed."""
    line_end = draw(st.sampled_from(["\r\n", "\r\n", "\n"]))
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=3))
    head = line_end.join([draw(st.sampled_from(STARTS)), *fields, "", ""])
    whole = bytearray((head + draw(st.sampled_from(BODIES))).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        place = draw(st.integers(0, len(whole) - 1))
        whole[place] = draw(st.sampled_from(b"\r\n\x00 :0;\xe9"))
    return bytes(whole)


def verdict(reader: ResponseReader, pieces: list[bytes]) -> Verdict:
    parts = [part for piece in pieces for part in reader.feed(piece)]
    heads = [(p.status, list(p.headers.items())) for p in parts if isinstance(p, ResponseHead)]
    body = b"".join(part for part in parts if isinstance(part, bytes))
    ends = [type(part).__name__ for part in parts if isinstance(part, End | ResponseError)]
    assert len(ends) <= 1
    end = ends[0] if ends else "rest" if reader.ends_with_connection else "unfinished"
    return heads, body, end, reader.has_surplus and end != "ResponseError"


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(whole) + 1) for place in places), len(whole)]
    return [whole[start:end] for start, end in pairwise(bounds)]


@given(messages(), st.lists(st.integers(0, 500), max_size=8), st.booleans())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay and more", [42], True)
def test_any_cut_of_the_bytes_gives_one_verdict(
    whole: bytes, places: list[int], with_body: bool
) -> None:
    at_once = verdict(ResponseReader(with_body=with_body), [whole])
    assert verdict(ResponseReader(with_body=with_body), cut(whole, places)) == at_once
    byte_by_byte = [whole[place : place + 1] for place in range(len(whole))]
    assert verdict(ResponseReader(with_body=with_body), byte_by_byte) == at_once
    event(at_once[2])


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4))
def test_no_bytes_raise(whole: bytes, places: list[int]) -> None:
    for start in (
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        verdict(ResponseReader(), cut(start + whole, places))


@given(st.lists(st.binary(min_size=1, max_size=20)), st.binary(max_size=9))
def test_chunks_are_joined_and_what_follows_is_surplus(chunks: list[bytes], more: bytes) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + more
    _, body, end, has_surplus = verdict(ResponseReader(), [whole])
    assert (body, end, has_surplus) == (b"".join(chunks), "End", bool(more))


@given(st.binary(max_size=30).filter(lambda value: not set(value) & set(b"\r\n\x00")))
def test_a_field_value_can_always_be_encoded_again(value: bytes) -> None:
    head = ResponseHead(
        b"HTTP/1.1 200 OK\r\nX: " + value + b"\r\nLocation: /" + value + b"\r\n\r\n"
    )
    for text in head.headers.values():
        text.encode()
    assert head.headers["X"].encode() == value.strip(b" \t") or not _is_utf8(value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
