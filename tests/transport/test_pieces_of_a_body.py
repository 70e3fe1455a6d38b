"""Each kind of request body is read in bounded pieces, or refused."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import BinaryIO, cast

import pytest

from railhttp.model.body import ChunkSource, FileSource, ReaderSource, Segment, StreamBody
from railhttp.model.errors import HTTPValidationError
from railhttp.transport.request_body import (
    RequestBodyError,
    measure_file,
    read_stream,
    report,
    slices,
)

KIB = 1024
LARGE = bytes(range(256)) * 4 * KIB  # one MiB


async def pieces_of(*segments: Segment, coding: str = "") -> list[bytes]:
    async with aclosing(read_stream(StreamBody(segments, "a/b", coding))) as pieces:
        return [piece async for piece in pieces]


async def chunks(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part


def reader_of(content: bytes) -> Callable[[int], Awaitable[bytes]]:
    file = io.BytesIO(content)

    async def read(size: int) -> bytes:
        return file.read(size)

    return read


@pytest.mark.parametrize(
    ("segment", "sizes"),
    [
        (LARGE, [256 * KIB] * 4),
        ([LARGE, b"", b"ab"], [KIB * KIB, 2]),
        (FileSource(io.BytesIO(LARGE), 0, len(LARGE)), [512 * KIB, 512 * KIB]),
        (FileSource(io.BytesIO(LARGE + b"x"), 0, len(LARGE) + 1), [512 * KIB, 512 * KIB, 1]),
        (FileSource(io.BytesIO(LARGE), KIB, None), [512 * KIB, 511 * KIB]),
        (FileSource(io.BytesIO(LARGE), None, None), [256 * KIB] * 4),
        (FileSource(io.BytesIO(b""), 0, 0), []),
        (ReaderSource(reader_of(LARGE)), [256 * KIB] * 4),
        (ChunkSource(lambda: chunks(b"", b"ab", b"c"), None, True), [2, 1]),
        (chunks(b"abc", b"", b"d"), [3, 1]),
    ],
    ids=lambda part: repr(part)[:30],
)
async def test_a_body_is_read_in_pieces_of_a_bounded_size(
    segment: Segment, sizes: list[int]
) -> None:
    assert [len(piece) for piece in await pieces_of(segment)] == sizes


async def test_the_parts_of_a_body_follow_each_other() -> None:
    file = FileSource(io.BytesIO(b"012345"), 2, 4)
    parts = (b"a", file, [b"b", bytearray(b"c")], chunks(b"d"), ReaderSource(reader_of(b"e")))
    assert b"".join(await pieces_of(*cast("tuple[Segment, ...]", parts))) == b"a2345bcde"


async def test_a_file_that_grows_or_was_moved_is_read_from_where_the_attempt_is() -> None:
    file = io.BytesIO(LARGE + LARGE)
    pieces = read_stream(StreamBody((FileSource(file, 5, None),), "a/b"))
    whole = await anext(pieces)
    file.seek(77)
    whole += b"".join([piece async for piece in pieces])
    assert whole == (LARGE + LARGE)[5:]


@pytest.mark.parametrize("content", [b"", b"abc", LARGE, bytes(3_000_000)])
@pytest.mark.parametrize(("coding", "wbits"), [("gzip", 31), ("deflate", 15)])
async def test_a_coding_is_that_of_its_name(coding: str, wbits: int, content: bytes) -> None:
    packed = b"".join(await pieces_of(content, coding=coding))
    assert zlib.decompress(packed, wbits) == content
    if coding == "gzip":
        assert gzip.decompress(packed) == content


class Closed:
    """A source that notes when it was closed."""

    closed = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"abc"
        finally:
            self.closed = True


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("is_source", [True, False])
async def test_a_body_that_is_not_read_to_its_end_is_closed(coding: str, is_source: bool) -> None:
    source = Closed()
    segment = ChunkSource(source.chunks, None, True) if is_source else source.chunks()
    pieces = read_stream(StreamBody((segment,), "a/b", coding))
    await anext(pieces)
    await pieces.aclose()
    assert source.closed


class Iterated:
    """An iterable whose iterator is made when the body is read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return chunks(b"a", b"b")


async def test_an_iterable_that_is_no_generator_is_read_too() -> None:
    assert await pieces_of(Iterated()) == [b"a", b"b"]


async def later() -> bytes:
    return b"late"


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (None, "must yield bytes, not NoneType"),
        ("text", "must yield bytes, not str"),
        (5, "must yield bytes, not int"),
    ],
)
async def test_a_piece_that_is_not_bytes_is_named_by_its_type(piece: object, message: str) -> None:
    with pytest.raises(RequestBodyError, match=f"^{message}$"):
        await pieces_of(cast("Segment", [b"a", piece]))


@pytest.mark.filterwarnings("error")
async def test_a_piece_that_nobody_awaited_is_refused_without_a_warning() -> None:
    with pytest.raises(RequestBodyError, match="must yield bytes, not coroutine"):
        await pieces_of(cast("Segment", [later()]))


@pytest.mark.parametrize("piece", [bytearray(b"abc"), memoryview(b"abc")])
async def test_other_views_of_bytes_are_bytes(piece: bytearray | memoryview) -> None:
    assert await pieces_of(cast("Segment", [piece])) == [b"abc"]


class Text:
    """Files and readers that return text, or nothing."""

    def __init__(self, result: object) -> None:
        self.result = result

    def read(self, size: int) -> object:
        return self.result

    async def read_later(self, size: int) -> object:
        return self.result

    def tell(self) -> int:
        return 0


@pytest.mark.parametrize(("result", "name"), [("text", "str"), (None, "NoneType"), ("", "str")])
@pytest.mark.parametrize("start", [None, 0, "reader"])
async def test_a_file_whose_pieces_are_no_bytes_is_refused(
    result: object, name: str, start: int | str | None
) -> None:
    text = Text(result)
    file = cast("BinaryIO", text)
    read = cast("Callable[[int], Awaitable[bytes]]", text.read_later)
    source = FileSource(file, start, None) if not isinstance(start, str) else ReaderSource(read)
    with pytest.raises(RequestBodyError, match=f"^must be read as bytes, not {name}$"):
        await pieces_of(source)


async def test_an_exception_of_the_body_is_the_cause() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(RequestBodyError) as caught:
        await pieces_of(broken())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_cancellation_is_no_fault_of_the_body() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    task = asyncio.create_task(pieces_of(endless()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_slices_are_of_one_size_but_for_the_last(size: int) -> None:
    cut = list(slices(b"abc", size))
    assert b"".join(cut) == b"abc"
    assert [len(piece) for piece in cut[:-1]] == [size] * (len(cut) - 1)
    assert 0 < len(cut[-1]) <= size


def test_progress_is_what_was_sent_and_the_whole() -> None:
    seen: list[tuple[int, int | None]] = []
    report(lambda sent, length: seen.append((sent, length)), 3, 9)
    report(lambda sent, length: seen.append((sent, length)), 4, None)
    report(None, 5, None)
    assert seen == [(3, 9), (4, None)]


def test_a_progress_function_that_fails_fails_the_body() -> None:
    def broken(sent: int, length: int | None) -> None:
        raise ZeroDivisionError

    async def waits(sent: int, length: int | None) -> None:
        pass

    with pytest.raises(RequestBodyError) as caught:
        report(broken, 1, 2)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(RequestBodyError, match="must be a plain function"):
        report(cast("Callable[[int, int | None], None]", waits), 1, 2)


# --- files


@pytest.mark.parametrize(("start", "size"), [(0, 10), (3, 7), (10, 0), (12, 0)])
def test_a_file_is_measured_from_where_it_is(start: int, size: int) -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(start)
    source = measure_file(file)
    assert (source.file, source.start, source.size) == (file, start, size)
    assert file.tell() == start
    with source.guard:
        assert not cast("bool", source.guard.acquire(False))  # type: ignore[attr-defined]  # a lock


class Pipe(io.BytesIO):
    def __init__(self, error: type[Exception]) -> None:
        super().__init__(b"abc")
        self._error = error

    def tell(self) -> int:
        raise self._error


@pytest.mark.parametrize("error", [OSError, ValueError, AttributeError, io.UnsupportedOperation])
def test_a_file_that_cannot_seek_has_no_size(error: type[Exception]) -> None:
    source = measure_file(Pipe(error))
    assert (source.start, source.size) == (None, None)


class Reading(io.BytesIO):
    def __init__(self, result: object) -> None:
        super().__init__(b"abc")
        self._result = result

    def readable(self) -> bool:
        if isinstance(self._result, Exception):
            raise self._result
        return cast("bool", self._result)


def closed() -> io.BytesIO:
    file = io.BytesIO()
    file.close()
    return file


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (closed(), "is a closed file"),
        (Reading(False), "is not open for reading"),
        (Reading(OSError()), "is not open for reading"),
        (Reading(ValueError()), "is not open for reading"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(file: BinaryIO, message: str) -> None:
    with pytest.raises(HTTPValidationError, match=message) as caught:
        measure_file(file)
    assert caught.value.field == "data"


@pytest.mark.parametrize("answer", [True, None, "a mock of some kind"])
def test_a_file_that_does_not_refuse_to_be_read_is_taken(answer: object) -> None:
    assert measure_file(Reading(answer)).size == 3
