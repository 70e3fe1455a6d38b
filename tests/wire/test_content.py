"""Content codings: decoding, corrupt data, and bombs that must not expand."""

import gzip
import tracemalloc
import zlib
from types import ModuleType

import brotli
import pytest
import zstandard
from tests.wire.whole_body import ContentTooLarge, decode_body

from railhttp.wire import decompressors
from railhttp.wire.content import (
    ACCEPT_ENCODING,
    MAX_CODINGS,
    ContentError,
    decoder_for,
    is_only_chunked,
)
from railhttp.wire.decompressors import PIECE_BYTES

TEXT = b"How many angels? " * 5000
ZSTD = zstandard.ZstdCompressor()


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


WHOLE = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip, in any case": (" X-GZip ", gzip.compress(TEXT)),
    "gzip of two members": ("gzip", gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])),
    "gzip with padding": ("gzip", gzip.compress(TEXT) + bytes(512)),
    "gzip with padding between": ("gzip", gzip.compress(TEXT) + bytes(9) + gzip.compress(b"")),
    "deflate in zlib": ("deflate", zlib.compress(TEXT)),
    "deflate, bare": ("deflate", bare_deflate(TEXT)),
    "br": ("br", brotli.compress(TEXT)),
    "zstd": ("zstd", ZSTD.compress(TEXT)),
    "zstd of two frames": ("zstd", ZSTD.compress(TEXT[:999]) + ZSTD.compress(TEXT[999:])),
    "zstd after a skippable frame": ("zstd", b"\x50\x2a\x4d\x18\2\0\0\0hi" + ZSTD.compress(TEXT)),
    "two codings": ("gzip, br", brotli.compress(gzip.compress(TEXT))),
    "three codings": ("br,zstd , deflate", zlib.compress(ZSTD.compress(brotli.compress(TEXT)))),
    "identity among others": ("identity, gzip,", gzip.compress(TEXT)),
}


@pytest.mark.parametrize(("coding", "body"), WHOLE.values(), ids=WHOLE)
def test_a_body_is_undone_whole(coding: str, body: bytes) -> None:
    assert decode_body(coding, body, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("coding", ["", "identity", "unheard-of", "unheard-of, gzip", "gzip, what"])
def test_a_coding_that_is_not_known_leaves_the_body_as_it_is(coding: str) -> None:
    assert decoder_for(coding) is None
    assert decode_body(coding, TEXT, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_body_without_a_byte_is_whole(coding: str) -> None:
    assert decode_body(coding, b"", max_bytes=0) == b""


CORRUPT = {
    "not gzip": ("gzip", TEXT),
    "gzip with a wrong checksum": ("gzip", gzip.compress(TEXT)[:-8] + bytes(8)),
    "gzip with something behind": ("gzip", gzip.compress(TEXT) + b"\r\n"),
    "deflate that is none": ("deflate", b"\xff" * 99),
    "deflate with a wrong checksum": ("deflate", zlib.compress(TEXT)[:-4] + b"sum!"),
    "deflate with something behind": ("deflate", zlib.compress(TEXT) + b"\0"),
    "not br": ("br", b"\xff" * 99),
    "br with something behind": ("br", brotli.compress(TEXT) + b"\0"),
    "not zstd": ("zstd", TEXT),
    "zstd with something behind": ("zstd", ZSTD.compress(TEXT) + b"behind"),
    "too many codings": ("gzip," * (MAX_CODINGS + 1), gzip.compress(TEXT)),
    "the lower of two": ("gzip, br", brotli.compress(TEXT)),
}


@pytest.mark.parametrize(("coding", "body"), CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_body_is_refused(coding: str, body: bytes) -> None:
    with pytest.raises(ContentError) as caught:
        decode_body(coding, body, max_bytes=1_000_000)
    assert not caught.value.truncated


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("deflate", zlib.compress(TEXT)),
        ("br", brotli.compress(TEXT)),
    ],
)
def test_what_comes_after_the_end_in_another_chunk_is_refused_too(coding: str, body: bytes) -> None:
    decoder = decoder_for(coding)
    assert decoder is not None
    assert b"".join(decoder.feed(body)) == TEXT
    with pytest.raises(ContentError, match="after the end"):
        list(decoder.feed(b"more"))


def test_a_truncated_body_is_told_from_a_corrupt_one() -> None:
    with pytest.raises(ContentError, match="gzip data is truncated") as caught:
        decode_body("gzip", gzip.compress(TEXT)[:-1], max_bytes=len(TEXT))
    assert caught.value.truncated


def test_a_window_beyond_rfc_9659_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=24)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(ContentError, match="too much memory"):
        decode_body("zstd", compressor.compress(bytes(2**25)) + compressor.flush(), max_bytes=2**26)


def test_more_than_allowed_is_not_even_made() -> None:
    with pytest.raises(ContentTooLarge, match="larger than 1000 bytes") as caught:
        decode_body("gzip", gzip.compress(TEXT), max_bytes=1000)
    assert caught.value.limit == 1000
    with pytest.raises(ContentTooLarge):
        decode_body("", TEXT, max_bytes=1000)


@pytest.mark.parametrize(
    ("coding", "whole", "wbits"),
    [
        ("gzip", gzip.compress(bytes(3 * PIECE_BYTES + 7)), 16 + zlib.MAX_WBITS),
        ("deflate", bare_deflate(bytes(3 * PIECE_BYTES + 7)), -zlib.MAX_WBITS),
    ],
)
def test_all_that_a_part_of_the_body_holds_is_decoded_at_once(
    coding: str, whole: bytes, wbits: int
) -> None:
    for end in range(1, len(whole)):
        decoder = decoder_for(coding)
        assert decoder is not None
        decoded = sum(map(len, decoder.feed(whole[:end])))
        assert decoded == len(zlib.decompressobj(wbits).decompress(whole[:end]))


BOMB = bytes(48 * 2**20)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BOMB, 1)),
        ("deflate", bare_deflate(BOMB)),
        ("br", brotli.compress(BOMB, quality=1)),
        ("zstd", ZSTD.compress(BOMB)),
        ("gzip, gzip", gzip.compress(gzip.compress(BOMB))),
    ],
    ids=["gzip", "deflate", "br", "zstd", "gzip twice"],
)
def test_a_bomb_goes_off_in_small_pieces(coding: str, body: bytes) -> None:
    decoder = decoder_for(coding)
    assert decoder is not None
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in decoder.feed(body)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    decoder.finish()
    assert sum(sizes) == len(BOMB)
    assert max(sizes) <= 64 * 1024
    assert peak < 18 * 2**20  # zstandard: 8 MiB at once, twice while the parts are joined


def test_a_bomb_between_two_codings_is_refused() -> None:
    """Its innermost body is small, so that no limit on the result would ever end the work."""
    padded = gzip.compress(TEXT) + bytes(64 * 1024 * 1024)
    bomb = gzip.compress(gzip.compress(padded), 9)
    assert len(bomb) < 4096
    with pytest.raises(ContentError, match="expand too much"):
        decode_body("gzip, gzip, gzip", bomb, max_bytes=len(TEXT))


def test_what_was_compressed_again_and_again_for_no_good_reason_is_undone() -> None:
    body = gzip.compress(gzip.compress(gzip.compress(bytes(1024 * 1024))))
    assert decode_body("gzip, gzip, gzip", body, max_bytes=1024 * 1024) == bytes(1024 * 1024)


def test_five_codings_are_undone_and_six_are_refused() -> None:
    body = b"content"
    for _ in range(5):
        body = gzip.compress(body)
    five = ", ".join(["gzip"] * 5)
    assert decode_body(five, body, max_bytes=100) == b"content"
    assert decode_body(f"{five}, identity", body, max_bytes=100) == b"content"
    with pytest.raises(ContentError, match="more than 5"):
        decode_body(f"{five}, gzip", gzip.compress(body), max_bytes=100)


@pytest.mark.parametrize(
    ("transfer_encoding", "plain"),
    [
        *((text, True) for text in ("chunked", " Chunked ,", "identity", "identity, chunked", "")),
        *((text, False) for text in ("gzip", "gzip, chunked", "chunked, gzip", "chunked;q=1")),
        ("chunked, chunked", False),
        # Only SP and HTAB may be stripped, and `lower` turns the Kelvin sign into a `k`.
        *((f"{blank}chunked{blank}", False) for blank in "\x0b\x0c\x1c\x85\xa0\u2028"),
        ("chun\u212aed", False),
    ],
)
def test_a_transfer_coding_is_never_undone(transfer_encoding: str, plain: bool) -> None:
    assert is_only_chunked(transfer_encoding) is plain


def test_what_is_offered_is_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ACCEPT_ENCODING == "zstd, br, gzip, deflate"
    monkeypatch.setattr(decompressors, "installed", lambda *_: None)
    assert decompressors.find_brotli() is None
    assert decompressors.find_zstd() is None


def test_a_brotli_without_limits_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("brotli")
    old.Decompressor = object  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setattr(decompressors, "installed", lambda *_: old)
    assert decompressors.find_brotli() is None


@pytest.mark.parametrize("stray", [b"x", b"\n", b"\x1f", b"xy", b"\x1fx", b"\0x", b"\r\n"])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_stray_bytes_after_gzip_are_no_truncated_stream(stray: bytes, pieces: int) -> None:
    """A retry would not help; the verdict does not depend on how the bytes were cut."""
    data = gzip.compress(b"text") + stray
    size = -(-len(data) // pieces)
    with pytest.raises(ContentError) as caught:
        decoded_in_pieces("gzip", data, size)
    assert not caught.value.truncated


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_no_byte_may_follow_but_zeros_after_gzip(coding: str, pieces: int) -> None:
    body = {
        "gzip": gzip.compress(b"text"),
        "deflate": zlib.compress(b"text"),
        "br": brotli.compress(b"text"),
        "zstd": ZSTD.compress(b"text"),
    }[coding]
    for stray in map(bytes, zip(range(256), strict=True)):
        size = -(-len(body + stray) // pieces)
        if (coding, stray) == ("gzip", b"\0"):
            assert decoded_in_pieces(coding, body + stray, size) == b"text"
            continue
        with pytest.raises(ContentError) as caught:
            decoded_in_pieces(coding, body + stray, size)
        assert not caught.value.truncated


@pytest.mark.parametrize("low", range(256))
def test_sixteen_numbers_start_a_skippable_frame_of_zstd(low: int) -> None:
    """RFC 8878, section 3.1.2: 0x184D2A50 to 0x184D2A5F, in little-endian order."""
    data = bytes([low]) + b"\x2a\x4d\x18\2\0\0\0hi" + ZSTD.compress(b"text")
    if low >> 4 == 5:
        assert decoded_in_pieces("zstd", data, 1) == b"text"
    else:
        with pytest.raises(ContentError, match="it starts with other bytes"):
            decoded_in_pieces("zstd", data, 1)


@pytest.mark.parametrize("data", [b"x", b"\0", b"text"])
def test_a_body_that_does_not_start_as_gzip_is_not_truncated_gzip(data: bytes) -> None:
    with pytest.raises(ContentError) as caught:
        decoded_in_pieces("gzip", data, 1)
    assert not caught.value.truncated


def test_a_second_member_that_is_cut_off_is_truncated() -> None:
    with pytest.raises(ContentError) as caught:
        decoded_in_pieces("gzip", gzip.compress(b"a") + gzip.compress(b"b")[:-1], 7)
    assert caught.value.truncated


def decoded_in_pieces(coding: str, data: bytes, size: int) -> bytes:
    decoder = decoder_for(coding)
    assert decoder is not None
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    whole = b"".join(part for piece in pieces for part in decoder.feed(piece))
    decoder.finish()
    return whole


STARTS = {"gzip": [b"\x1f\x8b"], "zstd": [b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"]}
"""The bytes that a stream starts with: RFC 1952, 2.3.1; RFC 8878, 3.1.1 and 3.1.2."""


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("coding", "start"), [(c, one) for c in STARTS for one in STARTS[c]])
def test_only_a_whole_start_begins_another_stream(coding: str, start: bytes, size: int) -> None:
    """Fewer bytes after a stream are trailing data; a whole start begins a truncated stream."""
    stream = WHOLE[coding][1]
    for end in range(1, len(start) + 1):
        with pytest.raises(ContentError) as caught:
            decoded_in_pieces(coding, stream + start[:end], size)
        assert caught.value.truncated is (end == len(start))
        with pytest.raises(ContentError) as caught:
            decoded_in_pieces(coding, start[:end], size)
        assert caught.value.truncated


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("coding", "start"), [(c, one) for c in STARTS for one in STARTS[c]])
def test_each_byte_of_a_start_counts(coding: str, start: bytes, size: int) -> None:
    for place in range(1, len(start)):
        other = start[:place] + bytes([start[place] ^ 1]) + start[place + 1 :] + b"more"
        for before in (b"", WHOLE[coding][1]):
            with pytest.raises(ContentError) as caught:
                decoded_in_pieces(coding, before + other, size)
            assert not caught.value.truncated


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_no_bytes_are_decoded_to_no_pieces(coding: str) -> None:
    """An empty piece would ask for a turn for others."""
    decoder = decoder_for(coding)
    assert decoder is not None
    body = WHOLE["deflate in zlib" if coding == "deflate" else coding][1]
    assert list(decoder.feed(b"")) == []
    assert b"".join(decoder.feed(body)) == TEXT
    assert list(decoder.feed(b"")) == []
    decoder.finish()


def test_the_largest_window_of_rfc_9659_is_read() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=23)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(TEXT) + compressor.flush()
    assert decode_body("zstd", body, max_bytes=len(TEXT)) == TEXT
