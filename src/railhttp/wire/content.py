"""Content codings undone piece by piece (RFC 9110, section 8.4), so that no bomb explodes.

gzip and deflate are always there, `br` and `zstd` where a package for them is installed
(`railhttp[brotli]`, `railhttp[zstd]`). Every stream must be whole; behind it nothing may follow
but, for gzip and zstd, another one, and behind gzip zero bytes.
"""

import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from railhttp.wire.decompressors import (
    PIECE_BYTES,
    Decompressor,
    DeflateDecompressor,
    InflateDecompressor,
    find_brotli,
    find_zstd,
)

MAX_CODINGS: Final = 5
"""The most codings that are undone on top of each other; honest servers use one."""

BETWEEN_BYTES: Final = 8 * 1024 * 1024
BETWEEN_RATIO: Final = 100
"""How much codings on top of each other may hold between them: so many bytes, and so many for each
byte on the wire. What was compressed once hardly shrinks again; each coding of a bomb multiplies it
by a thousand, unseen where the innermost one holds next to nothing."""


class ContentError(ValueError):
    """A body is not what its `Content-Encoding` says it is.

    Attributes:
        truncated: Whether it is right as far as it goes, but its end is missing.

    Example:
        >>> list(decoder_for("gzip").feed(b"not gzip"))
        Traceback (most recent call last):
        railhttp.wire.content.ContentError: not gzip: Error -3 while decompressing data: incorrect
        header check
    """

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.truncated: Final = truncated


class ContentDecoder(Protocol):
    """Undoes the content codings of one body. After an error it is of no more use."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Undo some more of the body.

        Args:
            data: The next bytes from the wire.

        Yields:
            Pieces of at most 64 KiB, made as they are asked for, so that who counts them can
            stop at a limit. Iterate to the end before feeding more.

        Raises:
            ContentError: The data is corrupt.
        """
        ...

    def finish(self) -> None:
        """Check, after the last data, that the body is whole; one without a byte is.

        Raises:
            ContentError: The body is truncated.
        """
        ...


class _Coding(NamedTuple):
    """How to undo a coding.

    Attributes:
        name: Its name, in lower case.
        error: What its decompressors raise.
        start: Makes a decompressor, for one stream.
        repeats: Whether one stream may follow another.
        padding: Bytes that may stand between and behind streams.
    """

    name: str
    error: type[Exception]
    start: Callable[[], Decompressor]
    repeats: bool = False
    padding: bytes = b""


def _available() -> Iterator[_Coding]:
    if zstd := find_zstd():
        yield _Coding("zstd", *zstd, repeats=True)
    if brotli := find_brotli():
        yield _Coding("br", *brotli)
    yield _Coding("gzip", zlib.error, InflateDecompressor, repeats=True, padding=b"\0")
    yield _Coding("deflate", zlib.error, DeflateDecompressor)


_CODINGS: Final = {coding.name: coding for coding in _available()}

ACCEPT_ENCODING: Final = ", ".join(_CODINGS)
"""The codings that can be undone here, the best first: a value for `Accept-Encoding`."""


class _CodingDecoder:
    """Undoes one coding: stream after stream, until nothing is left."""

    __slots__ = ("_coding", "_ended", "_stream")

    def __init__(self, coding: _Coding) -> None:
        self._coding = coding
        self._stream: Decompressor | None = None
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Undo some more, in slices: zlib copies the rest of its input for each piece."""
        for start in range(0, len(data), PIECE_BYTES):
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
        if self._stream is not None or not self._ended:
            return data
        rest = data.lstrip(self._coding.padding)
        if rest and not self._coding.repeats:
            raise ContentError(f"not {self._coding.name}: data after the end")
        return rest

    def finish(self) -> None:
        """Check that the last stream has ended."""
        if self._stream is not None:
            raise ContentError(f"{self._coding.name} data without its end", truncated=True)


class _StackedDecoder:
    """Undoes several codings, the last applied first."""

    __slots__ = ("_decoders", "_left")

    def __init__(self, decoders: tuple[ContentDecoder, ...]) -> None:
        self._decoders = decoders
        self._left = BETWEEN_BYTES

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Undo some more."""
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
                raise ContentError("one content coding inside another expands beyond measure")
            yield piece

    def finish(self) -> None:
        """Check each."""
        for decoder in self._decoders:
            decoder.finish()


def _through(decoder: ContentDecoder, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from decoder.feed(piece)


@lru_cache(maxsize=64)
def _codings(content_encoding: str) -> tuple[_Coding, ...]:
    names = [name.strip().lower().removeprefix("x-") for name in content_encoding.split(",")]
    named = [name for name in names if name not in {"", "identity"}]
    if len(named) > MAX_CODINGS:
        raise ContentError(f"more than {MAX_CODINGS} content codings")
    known = [_CODINGS[name] for name in reversed(named) if name in _CODINGS]
    return tuple(known) if len(known) == len(named) else ()


def is_only_chunked(transfer_encoding: str) -> bool:
    """Tell whether a body is framed in the one way that needs no asking for (RFC 9112, 6.1).

    Args:
        transfer_encoding: The `Transfer-Encoding` field, several values joined by commas.

    Returns:
        Whether it names `chunked`, once, or nothing; of a `gzip` the body would still be undone.

    Example:
        >>> is_only_chunked("Chunked"), is_only_chunked("gzip, chunked")
        (True, False)
    """
    names = [name.strip().lower() for name in transfer_encoding.split(",")]
    return [name for name in names if name not in {"", "identity"}] in ([], ["chunked"])


def decoder_for(content_encoding: str) -> ContentDecoder | None:
    """Make the decoder for one body.

    A coding that is unknown, or whose package is not installed, leaves the body as it is: what
    lies below it cannot be reached.

    Args:
        content_encoding: The `Content-Encoding` field, several values joined by commas.

    Returns:
        The decoder; None where there is nothing to undo.

    Raises:
        ContentError: It names more codings than honest servers use (`MAX_CODINGS`).

    Example:
        >>> import gzip
        >>> decoder = decoder_for("gzip")
        >>> list(decoder.feed(gzip.compress(b"text")))
        [b'text']
        >>> decoder.finish()
        >>> decoder_for("identity") is decoder_for("unheard-of") is None
        True
    """
    decoders = tuple(map(_CodingDecoder, _codings(content_encoding)))
    if len(decoders) > 1:
        return _StackedDecoder(decoders)
    return decoders[0] if decoders else None
