"""Turns for other tasks while much data is parsed."""

from collections.abc import Iterable
from typing import Final

SLICE_BYTES: Final = 16 * 1024
"""The most bytes that are parsed in one turn: some milliseconds, if they are the shortest lines."""


class Turns:
    """Counts parsed bytes: after `SLICE_BYTES`, other tasks have to run.

    Reading does not suspend while bytes are buffered, so that a fast server could otherwise keep
    the event loop for as long as it likes.
    """

    __slots__ = ("_parsed",)

    def __init__(self) -> None:
        self._parsed = 0

    def are_due(self, size: int) -> bool:
        """Count parsed bytes, and return whether the caller has to let other tasks run now."""
        self._parsed += size
        if self._parsed < SLICE_BYTES:
            return False
        self._parsed = 0
        return True


def slices(chunk: bytes) -> Iterable[bytes]:
    """Split a chunk into slices that can be parsed in one turn."""
    if len(chunk) <= SLICE_BYTES:  # usual, and cheaper than a generator
        return (chunk,)
    starts = range(0, len(chunk), SLICE_BYTES)
    return (chunk[start : start + SLICE_BYTES] for start in starts)
