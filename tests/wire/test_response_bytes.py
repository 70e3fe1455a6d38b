"""What a server may send before a head, and how chunks are passed on."""

import pytest

from railhttp.wire.response_head import ResponseError
from railhttp.wire.response_reader import End, ResponseReader

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_very_many_chunks_that_came_together_are_one_piece(end: bytes) -> None:
    """One by one, each would copy all that follow it: 512 KiB of them took 0.8 s."""
    chunks = end.join([b"1", b"a", b""]) * 10_000 + end.join([b"0", b"", b""])
    _, *parts = ResponseReader().feed(HEAD + chunks)
    assert parts == [b"a" * 10_000, End.COMPLETE]


@pytest.mark.parametrize("cut", [1, 1000, 100_000])
def test_blank_lines_before_a_head_have_a_limit(cut: int) -> None:
    """Each of them starts `read_timeout` again, so endless ones would put it off for ever."""
    reader = ResponseReader()
    blank = b"\r\n" * 5_000
    parts = [part for at in range(0, len(blank), cut) for part in reader.feed(blank[at : at + cut])]
    assert [type(part) for part in parts] == [ResponseError]
    few = ResponseReader().feed(b"\r\n\r\n" + HEAD)
    assert len(few) == 1
