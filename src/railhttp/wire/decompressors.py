"""One face for zlib, brotli and zstd: bounded pieces out, and the end of the stream noticed.

Each class undoes one stream (gzip: member, zstd: frame). `brotli` and `brotlicffi` serve from
1.2 on: older ones put no limit on what one call gives, and are treated as not installed.
"""

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Final, Protocol

PIECE_BYTES: Final = 64 * 1024
"""The most that is yielded at once."""

_BROTLI_LIMIT: Final = 16 * 1024  # brotli gives up to twice what it is asked for
_ZSTD_SLICE: Final = 256  # bytes in; see ZstandardDecompressor
_ZSTD_WINDOW_LOG: Final = 23  # 8 MiB, the most that RFC 9659 allows to a content coding


class Decompressor(Protocol):
    """What undoes one compressed stream."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came after the end of the stream in the last data."""
        ...

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more of the stream, as far as it is iterated over; `data` is not empty."""
        ...


class InflateDecompressor:
    """A gzip member (RFC 1952), or what else zlib's `wbits` may name."""

    __slots__ = ("_stream",)

    def __init__(self, wbits: int = 16 + zlib.MAX_WBITS) -> None:
        self._stream = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """Whether the end, with its checksum, was seen."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
        stream = self._stream
        while True:
            piece = stream.decompress(data, PIECE_BYTES)
            if piece:
                yield piece
            # At the end zlib leaves what follows in the tail as well as in unused_data.
            data = stream.unconsumed_tail
            if stream.eof or (not data and len(piece) < PIECE_BYTES):
                return


class DeflateDecompressor(InflateDecompressor):
    """The coding `deflate`: RFC 9110 says zlib, but some servers send it bare."""

    __slots__ = ("_fresh",)

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._fresh = True

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
        # A zlib header begins with an 8 in the low half byte, which no encoder of bare deflate
        # writes (tests/wire/test_content.py::test_a_body_is_undone_whole).
        if self._fresh and data[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._fresh = False
        return super().pieces(data)


class _BrotliStream(Protocol):
    def process(self, data: bytes, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...
    def can_accept_more_data(self) -> bool: ...


class BrotliDecompressor:
    """Brotli (RFC 7932), by the package `brotli` or `brotlicffi`."""

    __slots__ = ("_stream",)

    def __init__(self, package: ModuleType) -> None:
        self._stream: _BrotliStream = package.Decompressor()

    @property
    def eof(self) -> bool:
        """Whether the end was seen."""
        return self._stream.is_finished()

    @property
    def unused_data(self) -> bytes:
        """Nothing: the packages refuse data after the end themselves."""
        return b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
        stream = self._stream
        while True:
            piece = stream.process(data, output_buffer_limit=_BROTLI_LIMIT)
            if piece:
                yield piece
            if stream.is_finished() or (
                len(piece) < _BROTLI_LIMIT and stream.can_accept_more_data()
            ):
                return
            data = b""


class _ZstandardStream(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes) -> bytes: ...


class ZstandardDecompressor:
    """A Zstandard frame (RFC 8878), by the package `zstandard`.

    The package cannot limit its output; but a block needs 4 bytes and gives at most 128 KiB, so
    slices of 256 bytes hold at most 8 MiB in memory, and cost a tenth in speed.
    """

    __slots__ = ("_stream", "unused_data")

    def __init__(self, package: ModuleType) -> None:
        frames = package.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG)
        self._stream: _ZstandardStream = frames.decompressobj()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        """Whether the end was seen."""
        return self._stream.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
        for start in range(0, len(data), _ZSTD_SLICE):
            end = start + _ZSTD_SLICE
            output = self._stream.decompress(data[start:end])
            for at in range(0, len(output), PIECE_BYTES):
                yield output[at : at + PIECE_BYTES]
            if self._stream.eof:
                self.unused_data = self._stream.unused_data + data[end:]
                return


class _StdlibZstdStream(_ZstandardStream, Protocol):
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class StdlibZstdDecompressor:  # pragma: no cover  # from Python 3.14 on
    """A Zstandard frame (RFC 8878), by Python 3.14's `compression.zstd`."""

    __slots__ = ("_stream",)

    def __init__(self, package: ModuleType) -> None:
        window = {package.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._stream: _StdlibZstdStream = package.ZstdDecompressor(options=window)

    @property
    def eof(self) -> bool:
        """Whether the end was seen."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
        stream = self._stream
        while True:
            piece = stream.decompress(data, PIECE_BYTES)
            if piece:
                yield piece
            if stream.eof or stream.needs_input:
                return
            data = b""


def installed(*names: str) -> ModuleType | None:
    """Import the first package that is there.

    Example:
        >>> installed("no_such_package", "zlib").__name__
        'zlib'
    """
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def find_brotli() -> tuple[type[Exception], Callable[[], Decompressor]] | None:
    """Look for brotli: its error, and what makes a decompressor; None where it is not there."""
    package = installed("brotli", "brotlicffi")
    if package is None or not hasattr(package.Decompressor, "can_accept_more_data"):
        return None
    return package.error, partial(BrotliDecompressor, package)


def find_zstd() -> tuple[type[Exception], Callable[[], Decompressor]] | None:
    """Look for zstd: its error, and what makes a decompressor; None where it is not there."""
    if package := installed("compression.zstd"):  # pragma: no cover  # from Python 3.14 on
        return package.ZstdError, partial(StdlibZstdDecompressor, package)
    if package := installed("zstandard"):
        return package.ZstdError, partial(ZstandardDecompressor, package)
    return None
