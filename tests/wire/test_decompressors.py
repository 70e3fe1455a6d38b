"""Which packages decompress, and the limits between stacked codings."""

import gzip
import zlib
from collections.abc import Callable
from types import ModuleType

import brotli
import pytest
import zstandard

from railhttp.wire import decompressors
from railhttp.wire.content import ContentDecoder, ContentError, decoder_for
from railhttp.wire.decompressors import Decompressor, DeflateDecompressor, InflateDecompressor

TEXT = b"How many angels? " * 500
BODIES = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
}


def decoder_of(coding: str) -> ContentDecoder:
    decoder = decoder_for(coding)
    assert decoder is not None
    return decoder


@pytest.mark.parametrize(
    ("names", "find"),
    [
        (["brotli", "brotlicffi"], decompressors.find_brotli),
        (["compression.zstd", "zstandard"], decompressors.find_zstd),
    ],
)
def test_each_package_is_tried_in_turn(
    monkeypatch: pytest.MonkeyPatch, names: list[str], find: Callable[[], object]
) -> None:
    tried = []

    def missing(name: str) -> ModuleType:
        tried.append(name)
        raise ImportError(name)

    monkeypatch.setattr(decompressors, "import_module", missing)
    assert find() is None
    assert tried == names


@pytest.mark.parametrize("coding", BODIES)
def test_every_beginning_of_a_body_is_truncated(coding: str) -> None:
    body = BODIES[coding]
    for end in range(1, len(body)):
        decoder = decoder_of(coding)
        assert TEXT.startswith(b"".join(decoder.feed(body[:end])))
        with pytest.raises(ContentError, match="truncated") as caught:
            decoder.finish()
        assert caught.value.truncated


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_many_small_streams_give_others_a_turn_for_every_64_kib_that_are_read(coding: str) -> None:
    small = {"gzip": gzip.compress(b"a"), "zstd": zstandard.ZstdCompressor().compress(b"a")}[coding]
    number = 3 * 64 * 1024 // len(small)
    pieces = list(decoder_of(coding).feed(small * number))
    assert (b"".join(pieces), pieces.count(b"")) == (b"a" * number, 2)
    assert list(decoder_of(f"{coding}, gzip").feed(gzip.compress(small, 0)))[-1] == b"a"


def padded(size: int) -> bytes:
    """A gzip stream that has a given size because of the zero bytes after it."""
    return gzip.compress(TEXT).ljust(size, b"\0")


@pytest.mark.parametrize("excess", [0, 1])
def test_between_two_codings_may_be_8_mib_and_a_hundred_times_what_was_sent(excess: int) -> None:
    sent = 20_000
    between = 8 * 1024 * 1024 + 100 * sent
    body = gzip.compress(padded(between + excess), 9).ljust(sent, b"\0")
    assert len(body) == sent
    decoder = decoder_of("gzip, gzip")
    if excess:
        with pytest.raises(ContentError, match="expand too much"):
            b"".join(decoder.feed(body))
    else:
        assert b"".join(decoder.feed(body)) == TEXT
        decoder.finish()


@pytest.mark.parametrize("codings", ["gzip, br", "br, gzip", "zstd, gzip"])
def test_a_stack_is_complete_if_each_coding_is(codings: str) -> None:
    inner, outer = codings.split(", ")
    compress: Callable[[bytes], bytes] = gzip.compress if outer == "gzip" else brotli.compress
    for body in (compress(BODIES[inner][:-1]), compress(BODIES[inner])[:-1]):
        decoder = decoder_of(codings)
        list(decoder.feed(body))
        with pytest.raises(ContentError, match="truncated"):
            decoder.finish()


def test_a_coding_is_spelled_in_any_case_with_blanks_and_an_old_prefix() -> None:
    for name in ("GZIP", "\tx-gzip ", "identity, gzip", ",gzip,", "X-Identity, gzip"):
        assert b"".join(decoder_of(name).feed(BODIES["gzip"])) == TEXT
    for name in ("\x0bgzip", "gzip\x0c", "gzip;q=1"):
        assert decoder_for(name) is None


Found = tuple[type[Exception], Callable[[], Decompressor]]


def start_of(found: Found | None) -> Callable[[], Decompressor]:
    assert found is not None
    return found[1]


STARTS: dict[str, Callable[[], Decompressor]] = {
    "gzip": InflateDecompressor,
    "deflate": DeflateDecompressor,
    "br": start_of(decompressors.find_brotli()),
    "zstd": start_of(decompressors.find_zstd()),
}


@pytest.mark.parametrize("coding", STARTS)
def test_a_stream_is_complete_with_its_last_byte(coding: str) -> None:
    stream, body = STARTS[coding](), BODIES[coding]
    assert (stream.eof, stream.unused_data) == (False, b"")
    for end in range(1, len(body) + 1):
        list(stream.pieces(body[end - 1 : end]))
        assert (stream.eof, stream.unused_data) == (end == len(body), b"")


def test_a_gzip_member_is_no_other_format() -> None:
    for body in (BODIES["deflate"], BODIES["br"], BODIES["zstd"]):
        with pytest.raises(zlib.error):
            list(InflateDecompressor().pieces(body))
