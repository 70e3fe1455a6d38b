"""Lines of text from bytes that come in chunks, for NDJSON and its like."""

from typing import Final


class LineTooLong(ValueError):
    """A line is longer than the caller allows.

    Attributes:
        limit: The limit, in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"a line is longer than {limit} bytes")
        self.limit: Final = limit


class LineBuffer:
    r"""Holds bytes back until an LF makes them whole lines; joins them only then.

    Args:
        max_line_bytes: The most bytes that may stand before an LF; None for no limit.

    Attributes:
        held: The number of bytes held back.

    Example:
        >>> buffer = LineBuffer()
        >>> buffer.take(b"a\nb"), buffer.take(b"c"), buffer.take(b"\n"), buffer.drain()
        (b'a\n', b'', b'bc\n', b'')
    """

    __slots__ = ("_max_line_bytes", "_parts", "held")

    def __init__(self, max_line_bytes: int | None = None) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self.held = 0

    def take(self, chunk: bytes) -> bytes:
        """Take the next bytes, and give what is held as far as the last LF.

        Raises:
            LineTooLong: A line, whole or not, is beyond the limit; the buffer is of no more use.
        """
        limit = self._max_line_bytes
        if limit is not None and self.held + len(chunk) > limit:
            self._check(chunk, limit)
        if not self._parts and chunk.endswith(b"\n"):
            return chunk  # as streams of single lines do (benchmarks: decoding, one in a chunk)
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._hold(chunk)
            return b""
        whole = self.drain() + chunk[:end] if self._parts else chunk[:end]
        if end < len(chunk):
            self._hold(chunk[end:])
        return whole

    def drain(self) -> bytes:
        """Give everything that is held."""
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


class LineDecoder:
    r"""Splits a UTF-8 stream into lines.

    LF and CRLF end a line, a bare CR is content. What is not UTF-8 becomes U+FFFD, just as if the
    whole body were decoded at once. A byte-order mark is content.

    Args:
        max_line_bytes: The most bytes that may stand before an LF; None for no limit.

    Example:
        >>> decoder = LineDecoder()
        >>> decoder.feed(b'{"n": 1}\r\n{"n"'), decoder.feed(b": 2}\n\nlast"), decoder.flush()
        (['{"n": 1}'], ['{"n": 2}', ''], ['last'])
    """

    __slots__ = ("_buffer",)

    def __init__(self, max_line_bytes: int | None = None) -> None:
        self._buffer = LineBuffer(max_line_bytes)

    def feed(self, chunk: bytes) -> list[str]:
        """Take the next bytes.

        Args:
            chunk: Any number of bytes, cut anywhere.

        Returns:
            The lines that are now whole, without their ends.

        Raises:
            LineTooLong: A line, whole or not, is beyond the limit; the decoder is of no more use.
        """
        whole = self._buffer.take(chunk)
        text = whole.decode("utf-8", "replace")
        if "\r" in text:  # looking costs next to nothing, replacing as much as splitting
            text = text.replace("\r\n", "\n")
        lines = text.split("\n")
        lines.pop()  # what follows the last LF: nothing
        return lines

    def flush(self) -> list[str]:
        """Take note of the end.

        Returns:
            The last line, where no LF ended it.
        """
        last = self._buffer.drain()
        return [last.decode("utf-8", "replace")] if last else []


class LineSplitter:
    r"""Splits a stream into lines of bytes; see `LineDecoder`.

    Args:
        max_line_bytes: The most bytes that may stand before an LF; None for no limit.

    Example:
        >>> splitter = LineSplitter()
        >>> splitter.feed(b"1\r\n\xff"), splitter.feed(b"\nlast"), splitter.flush()
        ([b'1'], [b'\xff'], [b'last'])
    """

    __slots__ = ("_buffer",)

    def __init__(self, max_line_bytes: int | None = None) -> None:
        self._buffer = LineBuffer(max_line_bytes)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; see `LineDecoder.feed`.

        Raises:
            LineTooLong: A line, whole or not, is beyond the limit; the splitter is of no more use.
        """
        lines = self._buffer.take(chunk).split(b"\n")
        lines.pop()  # what follows the last LF: nothing
        return [line.removesuffix(b"\r") for line in lines]

    def flush(self) -> list[bytes]:
        """Take note of the end; see `LineDecoder.flush`."""
        last = self._buffer.drain()
        return [last] if last else []
