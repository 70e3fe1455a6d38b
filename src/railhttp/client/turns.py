"""Turns for other tasks while much data is parsed."""

import asyncio
from collections.abc import Iterator
from typing import Final

SLICE_BYTES: Final = 16 * 1024
"""The most bytes that are parsed in one turn: some milliseconds, if they are the shortest lines."""


class Turns:
    """Counts parsed bytes, and lets other tasks run after `SLICE_BYTES`.

    Reading does not suspend while bytes are buffered, so that a fast server could otherwise keep
    the event loop for as long as it likes.
    """

    __slots__ = ("_parsed",)

    def __init__(self) -> None:
        self._parsed = 0

    async def after(self, size: int) -> None:
        """Count parsed bytes, and let other tasks run if it is their turn."""
        self._parsed += size
        if self._parsed >= SLICE_BYTES:
            self._parsed = 0
            await asyncio.sleep(0)


def slices(chunk: bytes) -> Iterator[bytes]:
    """Split a chunk into slices that can be parsed in one turn."""
    if len(chunk) <= SLICE_BYTES:
        yield chunk
        return
    for start in range(0, len(chunk), SLICE_BYTES):
        yield chunk[start : start + SLICE_BYTES]
