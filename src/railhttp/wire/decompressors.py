"""One interface for zlib, brotli and zstd, with bounded output and a detected end of stream.

Each instance decompresses one stream (gzip: member, zstd: frame). `brotli` and `brotlicffi` before
1.2 cannot limit the output of a call, so they are treated as not installed.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Final, Protocol

PIECE_BYTES: Final = 64 * 1024
"""Largest size of a piece."""

_BROTLI_LIMIT: Final = 16 * 1024  # brotli returns up to twice its limit
_ZSTD_SLICE: Final = 256  # input bytes; see _Zstandard
_ZSTD_WINDOW_LOG: Final = 23  # 8 MiB, the maximum for a content coding (RFC 9659)


class Decompressor(Protocol):
    """Decompresses one stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream is complete."""
        ...

    @property
    def unused_data(self) -> bytes:
        """The part of the last data that follows the end of the stream."""
        ...

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Decompress `data`, which is not empty, lazily."""
        ...


class InflateDecompressor:
    """A gzip member (RFC 1952), or another format that `wbits` of zlib selects."""

    __slots__ = ("_stream",)

    def __init__(self, wbits: int = 16 + zlib.MAX_WBITS) -> None:
        self._stream = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """Whether the stream is complete, with its checksum."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """The data after the end of the stream."""
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Decompress more of the stream."""
        stream = self._stream
        while True:
            piece = stream.decompress(data, PIECE_BYTES)
            if piece:
                yield piece
            # At the end zlib keeps the following data in the tail as well as in unused_data.
            data = stream.unconsumed_tail
            if stream.eof or (not data and len(piece) < PIECE_BYTES):
                return


class DeflateDecompressor(InflateDecompressor):
    """The coding `deflate`: zlib (RFC 9110, section 8.4.1.2), or raw, as some servers send it."""

    __slots__ = ("_fresh",)

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._fresh = True

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Decompress more of the stream."""
        # The low four bits of a zlib header are 8; no encoder of raw deflate starts with these bits
        # (tests/wire/test_content.py::test_a_body_is_undone_whole).
        if self._fresh and data[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._fresh = False
        return super().pieces(data)


class _BrotliStream(Protocol):
    def process(self, data: bytes, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...
    def can_accept_more_data(self) -> bool: ...


class _Brotli:
    """A Brotli stream (RFC 7932), with the package `brotli` or `brotlicffi`."""

    __slots__ = ("_stream",)

    unused_data = b""  # the packages raise for data after the end

    def __init__(self, package: ModuleType) -> None:
        self._stream: _BrotliStream = package.Decompressor()

    @property
    def eof(self) -> bool:
        return self._stream.is_finished()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        while True:
            piece = stream.process(data, output_buffer_limit=_BROTLI_LIMIT)
            if piece:
                yield piece
            needs_more = len(piece) < _BROTLI_LIMIT and stream.can_accept_more_data()
            if needs_more or stream.is_finished():
                return
            data = b""


class _ZstandardStream(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes) -> bytes: ...


class _Zstandard:
    """A Zstandard frame (RFC 8878), with the package `zstandard`.

    The package cannot limit its output. A block has at least 4 bytes and expands to at most
    128 KiB, so a slice of 256 bytes expands to at most 8 MiB; slicing costs a tenth in speed.
    """

    __slots__ = ("_stream", "unused_data")

    def __init__(self, package: ModuleType) -> None:
        frames = package.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG)
        self._stream: _ZstandardStream = frames.decompressobj()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return self._stream.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
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
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _StdlibZstd:  # pragma: no cover  # from Python 3.14 on
    """A Zstandard frame (RFC 8878), with `compression.zstd` of Python 3.14."""

    __slots__ = ("_stream",)

    def __init__(self, package: ModuleType) -> None:
        window = {package.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._stream: _StdlibZstdStream = package.ZstdDecompressor(options=window)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        while True:
            if piece := stream.decompress(data, PIECE_BYTES):
                yield piece
            if stream.eof or stream.needs_input:
                return
            data = b""


def installed(*names: str) -> ModuleType | None:
    """Import the first package that is installed; None if there is none."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


def find_brotli() -> tuple[type[Exception], Callable[[], Decompressor]] | None:
    """Return the error class and a factory of Brotli decompressors; None if not installed."""
    package = installed("brotli", "brotlicffi")
    if package is None or not hasattr(package.Decompressor, "can_accept_more_data"):
        return None
    return package.error, partial(_Brotli, package)


def find_zstd() -> tuple[type[Exception], Callable[[], Decompressor]] | None:
    """Return the error class and a factory of Zstandard decompressors; None if not installed."""
    if package := installed("compression.zstd"):  # pragma: no cover  # from Python 3.14 on
        return package.ZstdError, partial(_StdlibZstd, package)
    if package := installed("zstandard"):
        return package.ZstdError, partial(_Zstandard, package)
    return None
