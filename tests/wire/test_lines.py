"""Lines from chunks: their ends, their content and their limit."""

import pytest

from railhttp.wire.lines import LineDecoder, LineSplitter, LineTooLong


def decode(*chunks: bytes, max_line_bytes: int | None = None) -> list[str]:
    decoder = LineDecoder(max_line_bytes)
    lines = [line for chunk in chunks for line in decoder.feed(chunk)]
    return [*lines, *decoder.flush()]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\r\nb\r\n"], ["a", "b"]),
        ([b"a\r", b"\nb\r", b"c"], ["a", "b\rc"]),
        ([b"a\r\r\nb\r"], ["a\r", "b\r"]),
        ([b"\n\n"], ["", ""]),
        ([b"no end"], ["no end"]),
        ([b"n", b"\xc3", b"\xa9", b"\n"], ["né"]),
        ([b"\xff\n\xc3\n\xa9"], ["\ufffd", "\ufffd", "\ufffd"]),
        ([b"\xef\xbb\xbfmark\n"], ["\ufeffmark"]),
        ([b"a\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8b\n"], ["a\x0b\x0c\x1c\x85\u2028b"]),
    ],
)
def test_lf_and_crlf_end_a_line_wherever_chunks_are_cut(
    chunks: list[bytes], lines: list[str]
) -> None:
    assert decode(*chunks) == lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"a\r\nb\rc\n"], [b"a", b"b\rc"]),
        ([b"a\r", b"\n\xff", b"\nlast"], [b"a", b"\xff", b"last"]),
        ([b"\n\n"], [b"", b""]),
    ],
)
def test_lines_may_be_left_as_bytes(chunks: list[bytes], lines: list[bytes]) -> None:
    splitter = LineSplitter()
    whole = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert [*whole, *splitter.flush()] == lines


def test_a_line_comes_as_soon_as_it_is_whole() -> None:
    decoder = LineDecoder()
    assert decoder.feed(b"first\nsec") == ["first"]
    assert decoder.feed(b"ond\n") == ["second"]
    assert decoder.flush() == []


def test_a_flushed_decoder_starts_anew() -> None:
    decoder = LineDecoder()
    assert (decoder.feed(b"a"), decoder.flush(), decoder.feed(b"b\n")) == ([], ["a"], ["b"])


@pytest.mark.parametrize(
    "chunks", [[b"12345"], [b"1234", b"5"], [b"1\n12345\n"], [b"12\n123", b"45\n"]]
)
def test_a_line_beyond_the_limit_is_refused_before_its_end_has_come(chunks: list[bytes]) -> None:
    with pytest.raises(LineTooLong, match="longer than 4 bytes") as caught:
        decode(*chunks, max_line_bytes=4)
    assert caught.value.limit == 4
    splitter = LineSplitter(4)
    with pytest.raises(LineTooLong):
        [splitter.feed(chunk) for chunk in chunks]


def test_lines_as_long_as_the_limit_pass() -> None:
    assert decode(b"1234\n12", b"34\n1234", max_line_bytes=4) == ["1234"] * 3


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_bytes_of_a_line_do_not_count_for_the_next(end: bytes) -> None:
    for size in (1, 2, 3, 4):
        whole = b"1234\n" * 4 + b"1234" + end
        chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert decode(*chunks, max_line_bytes=4) == ["1234"] * 5
        with pytest.raises(LineTooLong):
            decode(*chunks, max_line_bytes=3)
