"""Reads a streamed request body: files in a thread, iterators as they come, bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from threading import Lock
from typing import BinaryIO, Final

from railhttp.model.body import FileSource, ReaderSource, Segment, StreamBody

_CHUNK: Final = 256 * 1024


class RequestBodyError(Exception):
    """The caller's body failed while it was read; its own exception is the `__cause__`."""


async def read_stream(body: StreamBody) -> AsyncGenerator[bytes, None]:
    """Read every part of a body, piece by piece.

    Raises:
        RequestBodyError: A part raised, or yielded something that is not bytes.
    """
    for segment in body.segments:
        async with aclosing(_chunks(segment)) as chunks:
            while (chunk := await _next(chunks)) is not None:
                if chunk:
                    yield chunk


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    try:
        chunk: object = await anext(chunks, None)
    except Exception as error:
        raise RequestBodyError from error
    if chunk is None or isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise RequestBodyError(f"must yield bytes, not {type(chunk).__name__}")


def _chunks(segment: Segment) -> AsyncGenerator[bytes, None]:
    match segment:
        case FileSource():
            return _of_file(segment)
        case ReaderSource(read=read):
            return _of_reader(read)
        case AsyncIterable():
            return _of_async_iterable(segment)
        case bytes():
            return _of_iterable(_slices(segment))
        case Iterable():
            return _of_iterable(segment)


async def _of_file(source: FileSource) -> AsyncGenerator[bytes, None]:
    chunk, position = await asyncio.to_thread(_read, source, source.start)
    while chunk:
        yield chunk
        chunk, position = await asyncio.to_thread(_read, source, position)


async def _of_reader(read: Callable[[int], Awaitable[bytes]]) -> AsyncGenerator[bytes, None]:
    while chunk := await read(_CHUNK):
        yield chunk


async def _of_async_iterable(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    iterator = aiter(chunks)
    try:
        async for chunk in iterator:
            yield chunk
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


async def _of_iterable(chunks: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


def _slices(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]


def _read(source: FileSource, position: int | None) -> tuple[bytes, int | None]:
    """Read the next chunk, and return it with the file's new position.

    This runs in a thread, which a cancelled attempt cannot stop. So each read first seeks to
    the position that its attempt has reached
    (tests/client/test_uploads.py::test_an_attempt_reads_apart_from_the_one_before).
    """
    file = source.file
    with source.guard:
        if position is None:
            return file.read(_CHUNK), None
        if file.tell() != position:
            file.seek(position)
        return file.read(_CHUNK), file.tell()


def measure_file(file: BinaryIO) -> FileSource:
    """Find the position of an open binary file and the number of bytes after it.

    Args:
        file: Any object with `read`; one that cannot seek (a pipe) can be sent only once.

    Returns:
        The file as a part of a body; its position is unchanged.

    Example:
        >>> import io
        >>> measure_file(io.BytesIO(b"abc")).size
        3
    """
    try:
        start = file.tell()
        size = file.seek(0, 2) - start
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return FileSource(file, None, None)
    return FileSource(file, start, max(0, size), Lock())
