"""Bodies whose framing lies."""

from tests.servers.registry import Exchange, answer, fault, head

_CHUNKED = head("Transfer-Encoding: chunked")


@fault()
async def short_body(x: Exchange) -> None:
    """4 of 100 bytes, and FIN."""
    await x.send(head("Content-Length: 100") + b"part")


@fault(keep_alive=True)
async def long_body(x: Exchange) -> None:
    """More bytes than the Content-Length says."""
    await x.send(head("Content-Length: 2") + b"ok and more")


@fault()
async def body_until_close(x: Exchange) -> None:
    """A body without any length, which is legal: FIN ends it."""
    await x.send(head("Connection: close") + b"ok")


@fault()
async def truncated_chunk(x: Exchange) -> None:
    """FIN inside a chunk."""
    await x.send(_CHUNKED + b"64\r\npart")


@fault()
async def missing_final_chunk(x: Exchange) -> None:
    """FIN after a chunk that is not the last."""
    await x.send(_CHUNKED + b"4\r\npart\r\n")


@fault()
async def missing_final_crlf(x: Exchange) -> None:
    """FIN after the last chunk's size."""
    await x.send(_CHUNKED + b"4\r\npart\r\n0\r\n")


@fault()
async def bad_chunk_size(x: Exchange) -> None:
    """A first chunk whose size is no number, and FIN."""
    await x.send(_CHUNKED + b"xyz\r\npart\r\n0\r\n\r\n")


@fault()
async def negative_chunk_size(x: Exchange) -> None:
    """A first chunk of -4 bytes, and FIN."""
    await x.send(_CHUNKED + b"-4\r\npart\r\n0\r\n\r\n")


@fault()
async def huge_chunk_size(x: Exchange) -> None:
    """A first chunk of 2**80 bytes, and FIN."""
    await x.send(_CHUNKED + b"1" + b"0" * 20 + b"\r\npart\r\n")


@fault()
async def chunk_line_too_long(x: Exchange) -> None:
    """A chunk extension of 100 000 bytes, and FIN."""
    await x.send(_CHUNKED + b"4;x=" + b"a" * 100_000 + b"\r\npart\r\n0\r\n\r\n")


@fault()
async def bad_chunk_in_body(x: Exchange) -> None:
    """A good chunk, a moment later a bad one, and silence: aiohttp's C parser hangs here."""
    await x.send(_CHUNKED + b"4\r\npart\r\n")
    await x.pause()
    await x.send(b"xyz\r\npart\r\n")
    await x.hold()


@fault()
async def bad_chunk_then_close(x: Exchange) -> None:
    """A good chunk, a moment later a bad one, and FIN."""
    await x.send(_CHUNKED + b"4\r\npart\r\n")
    await x.pause()
    await x.send(b"xyz\r\npart\r\n")


@fault()
async def chunk_overruns(x: Exchange) -> None:
    """A chunk longer than its size, and FIN."""
    await x.send(_CHUNKED + b"4\r\npartial\r\n0\r\n\r\n")


@fault(keep_alive=True)
async def trailers(x: Exchange) -> None:
    """A trailer field after the last chunk, which is legal."""
    await x.send(_CHUNKED + b"2\r\nok\r\n0\r\nX-Trailer: yes\r\n\r\n")


@fault()
async def endless_body(x: Exchange) -> None:
    """Chunks of 64 KiB without an end, as fast as they are taken."""
    await x.send(_CHUNKED)
    while True:
        await x.send(b"10000\r\n" + b"a" * 65536 + b"\r\n")


@fault(keep_alive=True)
async def long_line(x: Exchange) -> None:
    """600 000 bytes without a line's end; aiohttp's `readline` takes 512 KiB."""
    await x.send(answer(b"a" * 600_000 + b"\n", "Content-Type: text/plain"))
