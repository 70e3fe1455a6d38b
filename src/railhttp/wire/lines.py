"""Lines from a stream of bytes, for NDJSON and similar formats."""

from typing import Final


class LineTooLong(ValueError):
    """A line is longer than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a line is longer than {limit} bytes")
        self.limit: Final = limit


class LineBuffer:
    """Buffers chunks until an LF completes a line, and joins them only then.

    `max_line_bytes` limits the bytes before an LF; `held` is the number of buffered bytes.
    """

    __slots__ = ("_max_line_bytes", "_parts", "held")

    def __init__(self, max_line_bytes: int | None = None) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self.held: int = 0

    def take(self, chunk: bytes) -> bytes:
        """Add a chunk, and return all bytes up to the last LF.

        After `LineTooLong`, the buffer must not be used again.
        """
        limit = self._max_line_bytes
        if limit is not None and self.held + len(chunk) > limit:
            self._check(chunk, limit)
        if not self._parts and chunk.endswith(b"\n"):
            return chunk  # usual for streams of lines (benchmarks: decoding, one in a chunk)
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._hold(chunk)
            return b""
        whole = self.drain() + chunk[:end] if self._parts else chunk[:end]
        if rest := chunk[end:]:
            self._hold(rest)
        return whole

    def drain(self) -> bytes:
        """Return all buffered bytes."""
        rest = b"".join(self._parts)
        self._parts.clear()
        self.held = 0
        return rest

    def _check(self, chunk: bytes, limit: int) -> None:
        first, *others = map(len, chunk.split(b"\n"))
        if max((self.held + first, *others)) > limit:
            raise LineTooLong(limit)

    def _hold(self, part: bytes) -> None:
        self._parts.append(part)
        self.held += len(part)


class _Lines:
    __slots__ = ("_buffer",)

    def __init__(self, max_line_bytes: int | None = None) -> None:
        self._buffer = LineBuffer(max_line_bytes)


class LineDecoder(_Lines):
    """Splits a UTF-8 stream into lines of at most `max_line_bytes` bytes.

    LF and CRLF end a line; a bare CR and a byte-order mark are content. Invalid UTF-8 becomes
    U+FFFD, exactly as if the whole body were decoded at once.
    """

    __slots__ = ()

    def feed(self, chunk: bytes) -> list[str]:
        """Add a chunk, and return the lines that it completes, without their ends."""
        whole = self._buffer.take(chunk)
        text = whole.decode("utf-8", "replace")
        if "\r" in text:  # searching is almost free, replacing costs as much as splitting
            text = text.replace("\r\n", "\n")
        lines = text.split("\n")
        lines.pop()  # the empty text after the last LF
        return lines

    def flush(self) -> list[str]:
        """Return the last line if no LF ended it, at the end of the stream."""
        last = self._buffer.drain()
        return [last.decode("utf-8", "replace")] if last else []


class LineSplitter(_Lines):
    """Splits a stream into lines of bytes; see `LineDecoder`."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add a chunk; see `LineDecoder.feed`."""
        lines = self._buffer.take(chunk).split(b"\n")
        lines.pop()  # the empty text after the last LF
        return [line.removesuffix(b"\r") for line in lines]

    def flush(self) -> list[bytes]:
        """Return the last line if no LF ended it, at the end of the stream."""
        last = self._buffer.drain()
        return [last] if last else []
