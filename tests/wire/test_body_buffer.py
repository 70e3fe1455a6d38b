"""A body that is read as a whole."""

import tracemalloc

import pytest

from railhttp.wire.body_buffer import BodyBuffer

MIB = 1024 * 1024


def collected(pieces: list[bytes], announced: int | None = None) -> bytes:
    buffer = BodyBuffer(announced)
    for piece in pieces:
        buffer.add(piece)
    assert buffer.size == sum(map(len, pieces))
    return buffer.body()


@pytest.mark.parametrize(
    ("size", "announced"),
    [
        pytest.param(0, None, id="nothing"),
        pytest.param(10, 10, id="a small body"),
        pytest.param(4 * MIB, None, id="a large body of unknown length"),
        pytest.param(4 * MIB, 4 * MIB, id="a large body"),
        pytest.param(4 * MIB, 40 * MIB, id="less than announced"),
        pytest.param(40 * MIB, 40 * MIB, id="a very large body"),
        pytest.param(40 * MIB, 35 * MIB, id="more than announced: it was decompressed"),
    ],
)
def test_a_body_is_the_join_of_its_pieces(size: int, announced: int | None) -> None:
    whole = bytes(range(256)) * (size // 256) + b"rest"
    pieces = [whole[start : start + 100_000] for start in range(0, len(whole), 100_000)]
    assert collected(pieces, announced) == whole


@pytest.mark.parametrize("announced", [None, 40 * MIB])
def test_a_large_body_is_in_memory_once(announced: int | None) -> None:
    piece = bytes(MIB)
    tracemalloc.start()
    try:
        assert len(collected([piece] * 40, announced)) == 40 * MIB
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * MIB


def test_memory_follows_what_came_and_not_what_was_announced() -> None:
    piece = bytes(MIB)
    tracemalloc.start()
    try:
        buffer = BodyBuffer(10**15)
        buffer.add(piece)
        _, peak = tracemalloc.get_traced_memory()
        assert peak < MIB
        buffer.add(piece)
        _, peak = tracemalloc.get_traced_memory()
        assert peak < 36 * MIB  # addresses only; see `BodyBuffer`
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("announced", [None, 3 * MIB])
def test_a_small_body_reserves_no_room_for_a_large_one(announced: int | None) -> None:
    piece = bytes(MIB)
    tracemalloc.start()
    try:
        assert len(collected([piece] * 3, announced)) == 3 * MIB
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB


def memory_of(announced: int | None, *sizes: int) -> tuple[int, int]:
    """The memory that a buffer holds after pieces of these sizes, and the most that it held."""
    tracemalloc.start()
    try:
        buffer = BodyBuffer(announced)
        for size in sizes:
            buffer.add(bytes(size))
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("announced", "sizes", "is_reserved"),
    [
        (32 * MIB, (MIB, 1), False),
        (32 * MIB + 1, (MIB, 1), True),
        (32 * MIB + 1, (MIB,), False),
        (32 * MIB + 1, (MIB + 1,), True),
    ],
)
def test_room_is_reserved_above_32_mib_and_only_after_the_first(
    announced: int, sizes: tuple[int, ...], is_reserved: bool
) -> None:
    _, peak = memory_of(announced, *sizes)
    assert (peak > 32 * MIB) is is_reserved


def test_a_piece_that_was_copied_is_not_kept() -> None:
    now, _ = memory_of(None, MIB, MIB)
    assert now < 3 * MIB
