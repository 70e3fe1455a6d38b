"""Writes a streamed body: files from a thread, iterators as they come, bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from typing import BinaryIO, Final

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from railhttp.model.body import FileSource, Segment, StreamBody
from railhttp.model.options import ProgressCallback

_CHUNK: Final = 256 * 1024


class RequestBodyError(Exception):
    """The caller's body failed while it was read; what it raised is the `__cause__`."""


class StreamPayload(Payload):
    """A `StreamBody` as aiohttp takes it. It closes nothing that is not its own.

    Args:
        body: The body.
        progress: Told of the bytes as they are sent.
    """

    _autoclose = True

    def __init__(self, body: StreamBody, progress: ProgressCallback | None = None) -> None:
        super().__init__(body, content_type=body.content_type)
        self._body = body
        self._size = body.length
        self._progress = progress

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Refuse: a stream is not kept in memory."""
        raise TypeError("a streamed body has no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write every part."""
        await self.write_with_length(writer, None)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write every part, and exactly as many bytes as were announced."""
        written = 0
        async with aclosing(read_stream(self._body)) as chunks:
            async for chunk in chunks:
                written += len(chunk)
                if content_length is not None and written > content_length:
                    raise RequestBodyError(f"is longer than the {content_length} bytes announced")
                await writer.write(chunk)
                self._report(written, content_length)
        if content_length is not None and written < content_length:
            raise RequestBodyError(f"ended after {written} of {content_length} bytes")

    def _report(self, written: int, content_length: int | None) -> None:
        if self._progress is None:
            return
        try:
            self._progress(written, self._size if content_length is None else content_length)
        except Exception as error:
            raise RequestBodyError from error


async def read_stream(body: StreamBody) -> AsyncGenerator[bytes, None]:
    """Read every part of a body, piece by piece.

    Raises:
        RequestBodyError: A part is not what it should be, or raised.
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


async def _chunks(segment: Segment) -> AsyncGenerator[bytes, None]:
    match segment:
        case FileSource(file=file, start=start):
            if start is not None:
                await asyncio.to_thread(file.seek, start)
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk
        case AsyncIterable():
            iterator = aiter(segment)
            try:
                async for chunk in iterator:
                    yield chunk
            finally:
                if isinstance(iterator, AsyncGenerator):
                    await iterator.aclose()
        case Iterable():
            for chunk in _slices(segment) if isinstance(segment, bytes) else segment:
                yield chunk


def _slices(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]


def measure_file(file: BinaryIO) -> FileSource:
    """Find out where an open binary file stands, and how much is left of it.

    Args:
        file: Any object with `read`; one that cannot seek (a pipe) can be sent only once.

    Returns:
        The file as a part of a body; the file stands where it stood.

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
    return FileSource(file, start, max(0, size))
