"""Zstandard with the module of Python 3.14 and with the package `zstandard`: both do the same.

Python before 3.14 has a stand-in for the module, with the same interface.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Final

import pytest
import zstandard

from railhttp.wire import decompressors
from railhttp.wire.decompressors import PIECE_BYTES, Decompressor, find_zstd

TEXT: Final = b"How many angels? " * 20_000
FRAME: Final = zstandard.ZstdCompressor().compress(TEXT)
WINDOW: Final = "window_log_max"


class StandIn:
    """`compression.zstd.ZstdDecompressor` as its documentation describes it."""

    def __init__(self, options: Mapping[str, int] | None = None) -> None:
        window = 1 << (options or {WINDOW: 27})[WINDOW]
        self._stream = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()
        self._output = self._after = b""

    @property
    def eof(self) -> bool:
        return self._stream.eof and not self._output

    @property
    def needs_input(self) -> bool:
        return not self._stream.eof and not self._output

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data + self._after if self.eof else b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self.eof:
            raise EOFError
        if self._stream.eof:
            self._after += data
        else:
            self._output += self._stream.decompress(data)
        end = max_length if max_length >= 0 else len(self._output)
        piece, self._output = self._output[:end], self._output[end:]
        return piece


STAND_IN: Final = SimpleNamespace(
    ZstdDecompressor=StandIn,
    ZstdError=zstandard.ZstdError,
    DecompressionParameter=SimpleNamespace(window_log_max=WINDOW),
)
Start = Callable[[], Decompressor]


@pytest.fixture(params=["compression.zstd", "zstandard"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[type, Start]:
    """The error class and the decompressors of one package, when the other one is missing."""

    def imported(name: str) -> object:
        if name != request.param:
            raise ImportError(name)
        if name == "compression.zstd" and sys.version_info < (3, 14):
            return STAND_IN
        return import_module(name)

    monkeypatch.setattr(decompressors, "import_module", imported)
    found = find_zstd()
    assert found is not None
    return found


def test_a_frame_becomes_bounded_pieces(package: tuple[type, Start]) -> None:
    _, start = package
    stream = start()
    assert (stream.eof, stream.unused_data) == (False, b"")
    pieces = list(stream.pieces(FRAME))
    assert b"".join(pieces) == TEXT
    assert 0 < min(map(len, pieces)) <= max(map(len, pieces)) <= PIECE_BYTES
    assert (stream.eof, stream.unused_data) == (True, b"")


@pytest.mark.parametrize("size", [1, 300, 100_000])
def test_a_frame_ends_where_the_next_one_starts(package: tuple[type, Start], size: int) -> None:
    _, start = package
    stream, whole, text = start(), FRAME + FRAME, b""
    for at in range(0, len(whole), size):
        text += b"".join(stream.pieces(whole[at : at + size]))
        if stream.eof:
            assert at < len(FRAME) <= at + size
            assert stream.unused_data == whole[len(FRAME) : at + size]
            break
    assert text == TEXT


def test_a_frame_that_is_cut_has_no_end(package: tuple[type, Start]) -> None:
    _, start = package
    stream = start()
    assert TEXT.startswith(b"".join(stream.pieces(FRAME[:-1])))
    assert (stream.eof, stream.unused_data) == (False, b"")


@pytest.mark.parametrize(("window_log", "is_read"), [(23, True), (24, False)])
def test_a_window_has_8_mib_at_most(
    package: tuple[type, Start], window_log: int, is_read: bool
) -> None:
    """RFC 9659, section 3."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(TEXT) + compressor.flush()
    error, start = package
    if is_read:
        assert b"".join(start().pieces(frame)) == TEXT
    else:
        with pytest.raises(error):
            list(start().pieces(frame))
