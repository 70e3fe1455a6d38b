"""Compressed bodies that are cut, corrupt, dangerous, or compressed by nobody knows what."""

import gzip
import zlib
from functools import cache

import brotli
import zstandard
from tests.servers.registry import Exchange, answer, fault, head

TEXT = b"".join(b"line %d of a text that is worth compressing\n" % n for n in range(200))
BOMB_SIZE = 10 * 1024 * 1024


async def _send(x: Exchange, coding: str, body: bytes) -> None:
    await x.send(answer(body, f"Content-Encoding: {coding}", "Content-Type: text/plain"))


@fault()
async def transfer_coding_gzip(x: Exchange) -> None:
    """A chunked body that is compressed for the transfer, which nobody asked for by TE."""
    body = gzip.compress(TEXT)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    await x.send(head("Transfer-Encoding: gzip, chunked") + chunks)


@fault(keep_alive=True)
async def gzip_corrupt(x: Exchange) -> None:
    """A gzip stream with its middle overwritten."""
    good = gzip.compress(TEXT)
    middle = len(good) // 2
    await _send(x, "gzip", good[:middle] + b"\xff" * 32 + good[middle + 32 :])


@fault(keep_alive=True)
async def gzip_not_gzip(x: Exchange) -> None:
    """Plain text that says it is gzip."""
    await _send(x, "gzip", TEXT)


@fault(keep_alive=True)
async def gzip_truncated(x: Exchange) -> None:
    """Half a gzip stream, with a true Content-Length."""
    good = gzip.compress(TEXT)
    await _send(x, "gzip", good[: len(good) // 2])


@fault(keep_alive=True)
async def gzip_without_trailer(x: Exchange) -> None:
    """A gzip stream that lacks its checksum and length: every byte of the text is there."""
    await _send(x, "gzip", gzip.compress(TEXT)[:-8])


@fault(keep_alive=True)
async def gzip_bad_checksum(x: Exchange) -> None:
    """A gzip stream with a wrong CRC."""
    good = gzip.compress(TEXT)
    await _send(x, "gzip", good[:-8] + bytes(4) + good[-4:])


@fault(keep_alive=True)
async def gzip_trailing_garbage(x: Exchange) -> None:
    """Bytes that belong to nothing behind a good gzip stream."""
    await _send(x, "gzip", gzip.compress(TEXT) + b"garbage")


@fault(keep_alive=True)
async def gzip_members(x: Exchange) -> None:
    """Two gzip members in one body, which is legal (RFC 1952 section 2.2)."""
    await _send(x, "gzip", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]))


@fault(keep_alive=True)
async def gzip_empty(x: Exchange) -> None:
    """No bytes at all that say they are gzip."""
    await _send(x, "gzip", b"")


@fault(keep_alive=True)
async def gzip_twice(x: Exchange) -> None:
    """Two codings, one on top of the other."""
    await _send(x, "gzip, gzip", gzip.compress(gzip.compress(TEXT)))


@fault(keep_alive=True)
async def deflate_truncated(x: Exchange) -> None:
    """Half a zlib stream."""
    good = zlib.compress(TEXT)
    await _send(x, "deflate", good[: len(good) // 2])


@fault(keep_alive=True)
async def deflate_raw(x: Exchange) -> None:
    """A deflate stream without the zlib wrapper, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    await _send(x, "deflate", packer.compress(TEXT) + packer.flush())


@fault(keep_alive=True)
async def br_truncated(x: Exchange) -> None:
    """Half a brotli stream."""
    good = brotli.compress(TEXT)
    await _send(x, "br", good[: len(good) // 2])


@fault(keep_alive=True)
async def br_corrupt(x: Exchange) -> None:
    """Plain text that says it is brotli."""
    await _send(x, "br", TEXT)


@fault(keep_alive=True)
async def zstd_truncated(x: Exchange) -> None:
    """Half a zstd frame."""
    good = zstandard.ZstdCompressor().compress(TEXT)
    await _send(x, "zstd", good[: len(good) // 2])


@fault(keep_alive=True)
async def zstd_corrupt(x: Exchange) -> None:
    """Plain text that says it is zstd."""
    await _send(x, "zstd", TEXT)


@cache
def _bomb(coding: str) -> bytes:
    zeros = bytes(BOMB_SIZE)
    if coding == "br":
        return brotli.compress(zeros, quality=1)  # the best takes a second
    return zstandard.ZstdCompressor().compress(zeros) if coding == "zstd" else gzip.compress(zeros)


@fault(keep_alive=True)
async def gzip_bomb(x: Exchange) -> None:
    """10 kB that unpack to 10 MiB."""
    await _send(x, "gzip", _bomb("gzip"))


@fault(keep_alive=True)
async def br_bomb(x: Exchange) -> None:
    """A few bytes of brotli that unpack to 10 MiB."""
    await _send(x, "br", _bomb("br"))


@fault(keep_alive=True)
async def zstd_bomb(x: Exchange) -> None:
    """Less than 1 kB of zstd that unpacks to 10 MiB."""
    await _send(x, "zstd", _bomb("zstd"))


@fault(keep_alive=True)
async def unknown_encoding(x: Exchange) -> None:
    """A coding that nobody knows."""
    await _send(x, "x-squeeze", b"squeezed")
