"""Decoding of content codings (RFC 9110, section 8.4), in bounded pieces against bombs.

gzip and deflate are built in; `br` and `zstd` need a package (`railhttp[brotli]`,
`railhttp[zstd]`). Every compressed stream must be complete. After a gzip or zstd stream another one
may follow, after gzip also zero bytes; other trailing data is an error.
"""

import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from railhttp.model.validation import OWS
from railhttp.wire.decompressors import (
    PIECE_BYTES,
    Decompressor,
    DeflateDecompressor,
    InflateDecompressor,
    find_brotli,
    find_zstd,
)

MAX_CODINGS: Final = 5
"""Largest number of stacked codings; honest servers use one."""

BETWEEN_BYTES: Final = 8 * 1024 * 1024
BETWEEN_RATIO: Final = 100
"""Limits of the data between stacked codings: `BETWEEN_BYTES`, plus `BETWEEN_RATIO` bytes for each
byte on the wire. Compressed data hardly shrinks when it is compressed again, but each coding of a
bomb expands it a thousandfold, even if the decoded body is tiny."""


class ContentError(ValueError):
    """A body does not match its `Content-Encoding`; if truncated, it is valid but incomplete."""

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.truncated: Final = truncated


class ContentDecoder(Protocol):
    """Decodes one body; it must not be used again after an error."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode the next bytes into pieces of at most 64 KiB; raise `ContentError` if corrupt.

        An empty piece means that 64 KiB were read, of which there may be thousands of streams: give
        other tasks a turn.

        They are decoded lazily, so that the caller can stop at a limit. Iterate to the end before
        the next `feed`.
        """
        ...

    def finish(self) -> None:
        """Raise `ContentError` if the data has ended too early; an empty body is complete."""
        ...


# RFC 8878, sections 3.1.1 and 3.1.2: frames, and skippable frames
_ZSTD_STARTS: Final = (
    b"\x28\xb5\x2f\xfd",
    *(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60)),
)


class _Coding(NamedTuple):
    name: str
    error: type[Exception]  # of its decompressors
    start: Callable[[], Decompressor]  # for one stream
    repeats: bool = False  # whether another stream may follow a stream
    padding: bytes = b""  # may stand between and after streams
    starts: tuple[bytes, ...] = ()  # one of them starts every stream


def _available() -> Iterator[_Coding]:
    if zstd := find_zstd():
        yield _Coding("zstd", *zstd, repeats=True, starts=_ZSTD_STARTS)
    if brotli := find_brotli():
        yield _Coding("br", *brotli)
    yield _Coding("gzip", zlib.error, InflateDecompressor, True, b"\0", (b"\x1f\x8b",))
    yield _Coding("deflate", zlib.error, DeflateDecompressor)


_CODINGS: Final = {coding.name: coding for coding in _available()}

ACCEPT_ENCODING: Final = ", ".join(_CODINGS)
"""The value for `Accept-Encoding`: the supported codings, best first."""


class _CodingDecoder:
    """Decodes one coding, stream after stream."""

    __slots__ = ("_coding", "_ended", "_held", "_stream")

    def __init__(self, coding: _Coding) -> None:
        self._coding = coding
        self._stream: Decompressor | None = None
        self._ended = False
        self._held = b""  # the start of a stream that may follow

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode in slices, because zlib copies the rest of its input for each piece."""
        for start in range(0, len(data), PIECE_BYTES):
            if start:
                yield b""
            try:
                yield from self._pieces(data[start : start + PIECE_BYTES])
            except self._coding.error as error:
                raise ContentError(f"not {self._coding.name}: {error}") from None

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while data := self._without_padding(data):
            stream = self._stream = self._stream or self._coding.start()
            yield from stream.pieces(data)
            if not stream.eof:
                return
            data = stream.unused_data
            self._stream = None
            self._ended = True

    def _without_padding(self, data: bytes) -> bytes:
        if self._stream is not None:
            return data
        coding, start = self._coding, self._held + data
        rest = start if self._held or not self._ended else start.lstrip(coding.padding)
        if self._ended and rest and not coding.repeats:
            raise ContentError(f"not {coding.name}: data after the end")
        if not coding.starts or not rest:
            return rest
        longest = len(coding.starts[0])
        if not any(known.startswith(rest[:longest]) for known in coding.starts):
            place = "data after the end" if self._ended else "it starts with other bytes"
            raise ContentError(f"not {coding.name}: {place}")
        self._held = rest if len(rest) < longest else b""
        return b"" if self._held else rest

    def finish(self) -> None:
        if self._held and self._ended:  # too little to be a stream, even a truncated one
            raise ContentError(f"not {self._coding.name}: data after the end")
        if self._stream is not None or self._held:
            raise ContentError(f"{self._coding.name} data is truncated", truncated=True)


class _StackedDecoder:
    """Decodes stacked codings, starting with the one that was applied last."""

    __slots__ = ("_decoders", "_left")

    def __init__(self, decoders: tuple[ContentDecoder, ...]) -> None:
        self._decoders = decoders
        self._left = BETWEEN_BYTES

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._left += BETWEEN_RATIO * len(data)
        *outer, innermost = self._decoders
        pieces = iter((data,))
        for decoder in outer:
            pieces = self._bounded(_through(decoder, pieces))
        return _through(innermost, pieces)

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise ContentError("stacked content codings expand too much")
            yield piece

    def finish(self) -> None:
        for decoder in self._decoders:
            decoder.finish()


def _through(decoder: ContentDecoder, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield from decoder.feed(piece)
        else:
            yield piece


@lru_cache(maxsize=64)
def _codings(content_encoding: str) -> tuple[_Coding, ...]:
    names = [name.strip(OWS).lower().removeprefix("x-") for name in content_encoding.split(",")]
    named = [name for name in names if name not in {"", "identity"}]
    if len(named) > MAX_CODINGS:
        raise ContentError(f"more than {MAX_CODINGS} content codings")
    known = [_CODINGS[name] for name in reversed(named) if name in _CODINGS]
    return tuple(known) if len(known) == len(named) else ()


def is_only_chunked(transfer_encoding: str) -> bool:
    """Whether `Transfer-Encoding` is empty or just `chunked` (RFC 9112, section 6.1).

    Other transfer codings are never requested, and railhttp does not decode them.
    """
    if not transfer_encoding.isascii():  # `lower` turns the Kelvin sign into a `k`
        return False
    names = [name.strip(OWS).lower() for name in transfer_encoding.split(",")]
    return [name for name in names if name not in {"", "identity"}] in ([], ["chunked"])


def decoder_for(content_encoding: str) -> ContentDecoder | None:
    """Create the decoder for one body; None if nothing is to be decoded.

    If one coding is unknown or its package is not installed, the body is not decoded at all,
    because the codings below it cannot be reached. More than `MAX_CODINGS` raise `ContentError`.
    """
    decoders = tuple(map(_CodingDecoder, _codings(content_encoding)))
    if len(decoders) > 1:
        return _StackedDecoder(decoders)
    return decoders[0] if decoders else None
