"""Laws of the line decoder: chunks do not matter, and no bytes are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp.wire.lines import LineDecoder, LineTooLong


def decode(chunks: list[bytes], max_line_bytes: int | None = None) -> list[str]:
    decoder = LineDecoder(max_line_bytes)
    lines = [line for chunk in chunks for line in decoder.feed(chunk)]
    return [*lines, *decoder.flush()]


def model(body: bytes) -> list[str]:
    """The rule, said of a whole body."""
    *lines, last = body.decode("utf-8", "replace").split("\n")
    return [line.removesuffix("\r") for line in lines] + ([last] if last else [])


@given(st.data(), some.line_streams)
def test_any_cut_of_any_bytes_gives_the_lines_of_the_whole(
    data: st.DataObject, body: bytes
) -> None:
    assert decode(data.draw(some.cut(body))) == model(body)


@given(st.data(), some.line_streams, st.integers(0, 6))
def test_a_limit_refuses_exactly_the_bodies_with_a_longer_line(
    data: st.DataObject, body: bytes, limit: int
) -> None:
    chunks = data.draw(some.cut(body))
    if max(map(len, body.split(b"\n"))) <= limit:
        assert decode(chunks, limit) == model(body)
    else:
        with pytest.raises(LineTooLong):
            decode(chunks, limit)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))


@given(st.data(), st.lists(texts), st.sampled_from(["\n", "\r\n"]))
def test_lines_written_are_lines_read(data: st.DataObject, lines: list[str], end: str) -> None:
    body = "".join(line + end for line in lines).encode()
    assert decode(data.draw(some.cut(body))) == lines
