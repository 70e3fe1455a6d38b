"""Connections that end at the wrong moment, and uploads that nobody takes."""

from tests.servers.registry import Exchange, answer, fault, head

_PART = 1024


@fault(keep_alive=True)
async def ok(x: Exchange) -> None:
    """Nothing is wrong, and the connection stays open."""
    await x.send(answer(b"" if x.request.method == "HEAD" else b"ok", "Content-Type: text/plain"))


@fault()
async def reset_before_head(x: Exchange) -> None:
    """RST once the request has been read."""
    x.reset()


@fault()
async def reset_in_head(x: Exchange) -> None:
    """RST after half a head."""
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    x.reset()


@fault()
async def reset_in_body(x: Exchange) -> None:
    """RST after 4 of 100 bytes."""
    await x.send(head("Content-Length: 100") + b"part")
    x.reset()


@fault()
async def reset_in_chunks(x: Exchange) -> None:
    """RST between two chunks."""
    await x.send(head("Transfer-Encoding: chunked") + b"4\r\npart\r\n")
    x.reset()


@fault()
async def reset_in_endless_body(x: Exchange) -> None:
    """RST in a body that only the connection's end delimits."""
    await x.send(head("Connection: close") + b"part")
    x.reset()


@fault()
async def close_before_head(x: Exchange) -> None:
    """FIN once the request has been read."""


@fault()
async def close_in_head(x: Exchange) -> None:
    """FIN after half a head."""
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Ty")


@fault()
async def empty_answer(x: Exchange) -> None:
    """FIN without a byte, on a connection that is then only half closed (closed, with TLS)."""
    if x.connection.writer.can_write_eof():
        x.connection.writer.write_eof()
        await x.hold()


@fault()
async def close_after_answer(x: Exchange) -> None:
    """A good answer that promises keep-alive, and FIN."""
    await x.send(answer(b"ok", "Connection: keep-alive"))


@fault()
async def close_on_next(x: Exchange) -> None:
    """A good answer; the next request of the connection is read whole and answered by FIN."""
    await x.send(answer(b"ok", "Connection: keep-alive"))
    x.received.append(await x.connection.read_body(await x.connection.read_head()))


@fault()
async def reset_on_next(x: Exchange) -> None:
    """A good answer; the first byte of the next request is answered by RST."""
    await x.send(answer(b"ok", "Connection: keep-alive"))
    await x.connection.reader.readexactly(1)
    x.reset()


@fault()
async def unsolicited_answer(x: Exchange) -> None:
    """A good answer, and a 408 that nobody asked for behind it, as from an idle timeout."""
    await x.send(answer(b"ok", "Connection: keep-alive"))
    await x.send(answer(b"", "Connection: close", status="408 Request Timeout"))


@fault(keep_alive=True)
async def says_close_but_stays(x: Exchange) -> None:
    """A good answer with `Connection: close`, on a connection that stays open."""
    await x.send(answer(b"ok", "Connection: close"))


@fault(reads_body=False)
async def stalled_upload(x: Exchange) -> None:
    """Stops reading after the head: an upload beyond the sockets' buffers (some MiB) stalls."""
    await x.connection.stop_reading()


@fault(reads_body=False)
async def early_413(x: Exchange) -> None:
    """413 while the body is still coming; the rest is thrown away until the client leaves."""
    await x.send(answer(b"too large", "Connection: close", status="413 Content Too Large"))
    await x.hold()


@fault(reads_body=False)
async def early_413_reset(x: Exchange) -> None:
    """413 while the body is still coming, and RST, as from a server that closes at once."""
    await x.send(answer(b"too large", "Connection: close", status="413 Content Too Large"))
    x.reset()


@fault(reads_body=False)
async def close_in_upload(x: Exchange) -> None:
    """FIN after 1 KiB of the body, without a word; the rest meets a RST."""
    await x.connection.reader.readexactly(_PART)


@fault(reads_body=False)
async def reset_in_upload(x: Exchange) -> None:
    """RST after 1 KiB of the body."""
    await x.connection.reader.readexactly(_PART)
    x.reset()


@fault(reads_body=False)
async def expect100_never(x: Exchange) -> None:
    """The `100 Continue` that the client waits for never comes."""
    await x.hold()


@fault(reads_body=False)
async def expect100_refused(x: Exchange) -> None:
    """417 instead of `100 Continue`."""
    await x.send(answer(b"", "Connection: close", status="417 Expectation Failed"))
    await x.hold()
