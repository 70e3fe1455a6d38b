"""Reads a streamed request body: files in a thread, iterators as they come, bounded memory."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterator
from contextlib import aclosing
from threading import Lock
from typing import BinaryIO, Final

from railhttp.model.body import ChunkSource, FileSource, ReaderSource, Segment, StreamBody
from railhttp.model.errors import HTTPValidationError
from railhttp.model.options import ProgressCallback
from railhttp.model.validation import close_awaitable

_CHUNK: Final = 256 * 1024
_FILE_CHUNK: Final = 512 * 1024  # a visit to the thread costs as much as reading 100 KiB
_PACKED_AT_ONCE: Final = 16 * 1024
_WBITS: Final = {"gzip": 31, "deflate": 15}  # see `zlib.compressobj`
_END: Final = object()


class RequestBodyError(Exception):
    """The caller's body failed while it was read; its own exception is the `__cause__`."""


def read_stream(body: StreamBody) -> AsyncGenerator[bytes, None]:
    """Read every part of a body, piece by piece, in its coding; see `RequestBodyError`."""
    return _compressed(body) if body.coding else _read_parts(body)


async def _read_parts(body: StreamBody) -> AsyncGenerator[bytes, None]:
    for segment in body.segments:
        async with aclosing(_chunks(segment)) as chunks:
            while (chunk := await _next(chunks)) is not None:
                if chunk:
                    yield chunk


async def _compressed(body: StreamBody) -> AsyncGenerator[bytes, None]:
    packer = zlib.compressobj(wbits=_WBITS[body.coding])
    async with aclosing(_read_parts(body)) as chunks:
        async for chunk in chunks:
            # A large chunk takes milliseconds.
            large = len(chunk) > _PACKED_AT_ONCE
            piece = (
                await asyncio.to_thread(packer.compress, chunk) if large else packer.compress(chunk)
            )
            if piece:
                yield piece
    yield packer.flush()


async def _next(chunks: AsyncGenerator[object, None]) -> bytes | None:
    try:
        chunk = await anext(chunks, _END)
    except RequestBodyError:
        raise
    except Exception as error:
        raise RequestBodyError from error
    return None if chunk is _END else _as_bytes(chunk, "yield")


def _as_bytes(chunk: object, verb: str) -> bytes:
    """Require bytes: None, or empty text, would end a body too early."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, Coroutine):
        chunk.close()  # else Python warns that nobody awaited it
    raise RequestBodyError(f"must {verb} bytes, not {type(chunk).__name__}")


async def _chunks(segment: Segment) -> AsyncGenerator[bytes, None]:
    match segment:
        case FileSource(start=position):
            at_end = False
            while not at_end:
                chunk, position, at_end = await asyncio.to_thread(_read, segment, position)
                yield chunk
        case ReaderSource(read=read):
            while chunk := _as_bytes(await read(_CHUNK), "be read as"):
                yield chunk
        case ChunkSource() | AsyncIterable():
            iterator = segment.chunks() if isinstance(segment, ChunkSource) else aiter(segment)
            try:
                async for chunk in iterator:
                    yield chunk
            finally:
                if isinstance(iterator, AsyncGenerator):
                    await iterator.aclose()
        case _:
            for chunk in slices(segment, _CHUNK) if isinstance(segment, bytes) else segment:
                yield chunk


def slices(content: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces of at most this size."""
    return (content[start : start + size] for start in range(0, len(content), size))


def report(progress: ProgressCallback | None, sent: int, length: int | None) -> None:
    """Call the caller's function, if there is one; an exception from it is the body's failure."""
    if progress is not None:
        try:
            result: object = progress(sent, length)
        except Exception as error:
            raise RequestBodyError from error
        if close_awaitable(result):
            raise RequestBodyError("has an async upload_progress: it must be a plain function")


def _read(source: FileSource, position: int | None) -> tuple[bytes, int | None, bool]:
    """Read the next chunk; return it with the file's new position, and whether the file has ended.

    This runs in a thread, which a cancelled attempt cannot stop. So each read first seeks to
    the position that its attempt has reached
    (tests/client/test_uploads.py::test_an_attempt_reads_apart_from_the_one_before).
    """
    file = source.file
    with source.guard:
        if position is None:
            chunk = _as_bytes(file.read(_CHUNK), "be read as")
            return chunk, None, not chunk
        if file.tell() != position:
            file.seek(position)
        chunk = _as_bytes(file.read(_FILE_CHUNK), "be read as")
        # A short read is usually the last one. Another visit to the thread would cost more.
        more = b"" if len(chunk) >= _FILE_CHUNK else _as_bytes(file.read(_CHUNK), "be read as")
        return chunk + more, file.tell(), not (more or len(chunk) >= _FILE_CHUNK)


def measure_file(file: BinaryIO) -> FileSource:
    """Find the position of an open binary file and the number of bytes after it.

    The position is unchanged. A file that cannot seek, such as a pipe, can be sent only once. One
    that is closed, or open for writing only, raises `HTTPValidationError`.
    """
    _require_readable(file)
    try:
        start = file.tell()
        size = file.seek(0, 2) - start
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return FileSource(file, None, None)
    return FileSource(file, start, max(0, size), Lock())


def _require_readable(file: object) -> None:
    if getattr(file, "closed", False) is True:
        raise HTTPValidationError("is a closed file: keep it open until it is sent", field="data")
    readable = getattr(file, "readable", None)
    try:
        refuses = callable(readable) and readable() is False
    except (OSError, ValueError):
        refuses = True
    if refuses:
        raise HTTPValidationError("is not open for reading: open(path, 'rb')", field="data")
