"""Bodies that aiohttp builds: its forms and payloads, read as streams."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Final, TypeAlias

from aiohttp import BytesPayload, FormData, IOBasePayload, MultipartWriter, Payload
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict
from typing_extensions import override

from railhttp.model.body import Body, ChunkSource, StreamBody
from railhttp.model.errors import HTTPValidationError

AiohttpData: TypeAlias = FormData | Payload

_MOST_WAITING: Final = 4  # chunks that are written and not sent yet


def payload_body(data: object) -> tuple[Body, Mapping[str, str]] | None:
    """Return the body of a form or a payload, and its other header fields; None for other data.

    Raises:
        HTTPValidationError: The payload was sent before and cannot be read again, or the form
            has a value that aiohttp cannot encode.
    """
    if isinstance(data, FormData):
        try:
            data = data()
        except (TypeError, ValueError):
            message = "has a field whose value aiohttp cannot encode"
            raise HTTPValidationError(message, field="data") from None
    if not isinstance(data, Payload):
        return None
    if data.consumed:
        raise HTTPValidationError("was sent before and cannot be read again", field="data")
    source = ChunkSource(partial(_chunks, data), data.size, _is_replayable(data))
    fields = CIMultiDict(data.headers)
    content_type = fields.pop("Content-Type", "application/octet-stream")
    fields.pop("Content-Length", None)
    return StreamBody((source,), content_type), fields


def _is_replayable(payload: Payload) -> bool:
    if isinstance(payload, MultipartWriter):
        return all(_is_replayable(part) for part, _, _ in payload)
    if isinstance(payload, IOBasePayload):
        return payload.size is not None  # only a file that can seek knows it
    return isinstance(payload, BytesPayload)


async def _chunks(payload: Payload) -> AsyncGenerator[bytes, None]:
    """Yield what a payload writes, no more than a few chunks ahead."""
    writer = _Writer()
    writing = asyncio.create_task(writer.run(payload))
    try:
        while (chunk := await writer.chunks.get()) is not None:
            yield chunk
        await writing
    finally:
        writing.cancel()
        # Its last `put` would wait for ever in a full queue
        # (test_given_up_payloads.py::test_an_upload_that_a_server_refuses_leaves_no_task).
        writer.make_room()
        await asyncio.gather(writing, return_exceptions=True)


class _Writer(AbstractStreamWriter):
    """Takes the place of a connection for a payload."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)

    def make_room(self) -> None:
        """Drop the waiting chunks, so that a writer that is given up can end."""
        while not self.chunks.empty():
            self.chunks.get_nowait()

    async def run(self, payload: Payload) -> None:
        try:
            await payload.write_with_length(self, None)
        finally:
            await self.chunks.put(None)

    @override
    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        await self.chunks.put(bytes(chunk))

    @override
    async def write_eof(self, chunk: bytes = b"") -> None:
        await self.write(chunk)

    @override
    async def drain(self) -> None:
        """Do nothing: `write` waits."""

    @override
    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:
        """Do nothing: the request compresses."""

    @override
    def enable_chunking(self) -> None:
        """Do nothing: the request frames the body."""

    @override
    async def write_headers(self, status_line: str, headers: "CIMultiDict[str]") -> None:
        """Do nothing: the request has its own head."""
