"""Collects a body that is read as a whole, with one copy of a large one in memory."""

from io import BytesIO
from typing import Final

_SMALL: Final = 1024 * 1024
"""The most bytes that are kept in pieces, which is faster (benchmarks: bodies)."""

_MAPPED: Final = 32 * 1024 * 1024 + 1
"""The smallest block that glibc never takes from its heap, whatever the program did before."""


class BodyBuffer:
    """Joins the pieces of a body.

    A list of pieces needs twice the memory when it is joined. The buffer of a `BytesIO` grows with
    the bytes that arrive, and becomes the body without a copy.

    Args:
        announced: The length in the head, or None; only a hint.

    Attributes:
        size: The number of bytes so far.

    Example:
        >>> buffer = BodyBuffer()
        >>> buffer.add(b"one ")
        >>> buffer.add(b"two")
        >>> buffer.size, buffer.body()
        (7, b'one two')
    """

    __slots__ = ("_grows_large", "_joined", "_pieces", "size")

    def __init__(self, announced: int | None = None) -> None:
        self._pieces: list[bytes] = []
        self._joined: BytesIO | None = None
        self._grows_large = announced is not None and announced >= _MAPPED
        self.size: int = 0

    def add(self, piece: bytes) -> None:
        """Append a piece."""
        self.size += len(piece)
        if self._joined is not None:
            self._joined.write(piece)
            return
        self._pieces.append(piece)
        if self.size > _SMALL:
            self._joined = self._begin()
            self._joined.writelines(self._pieces)
            self._pieces.clear()

    def _begin(self) -> BytesIO:
        if not self._grows_large:
            return BytesIO()
        # In the heap the buffer could grow to 32 MiB, and then leave a hole of that size. `bytes`
        # of zeros reserves addresses, and the system adds memory only as they are written.
        return BytesIO(bytes(_MAPPED))

    def body(self) -> bytes:
        """Return the body; the buffer must not be used again."""
        if self._joined is None:
            return b"".join(self._pieces)
        self._joined.truncate()
        return self._joined.getvalue()
