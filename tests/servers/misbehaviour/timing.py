"""Servers that are silent or slow. A silence lasts until the client leaves or the server ends."""

from tests.servers.registry import Exchange, answer, fault, head


@fault()
async def stall_before_head(x: Exchange) -> None:
    """Silence once the request has been read."""
    await x.hold()


@fault()
async def stall_in_head(x: Exchange) -> None:
    """Silence after half a head."""
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await x.hold()


@fault()
async def stall_after_head(x: Exchange) -> None:
    """Silence after the head."""
    await x.send(head("Content-Length: 100"))
    await x.hold()


@fault()
async def stall_in_body(x: Exchange) -> None:
    """Silence after 4 of 100 bytes."""
    await x.send(head("Content-Length: 100") + b"part")
    await x.hold()


@fault()
async def stall_in_chunks(x: Exchange) -> None:
    """Silence between two chunks."""
    await x.send(head("Transfer-Encoding: chunked") + b"4\r\npart\r\n")
    await x.hold()


@fault()
async def stall_in_redirect(x: Exchange) -> None:
    """A redirect whose body never ends."""
    await x.send(head("Location: /ok", "Content-Length: 100", status="302 Found") + b"part")
    await x.hold()


@fault(keep_alive=True)
async def slow_drip(x: Exchange) -> None:
    """A body of `?bytes=` (20), one at a time, `?interval=` seconds (0.01) apart."""
    size = int(x.query("bytes", "20"))
    await x.send(head(f"Content-Length: {size}"))
    await x.send_slowly(b"a" * size)


@fault(keep_alive=True)
async def slow_head(x: Exchange) -> None:
    """A head that comes byte by byte, `?interval=` seconds (0.01) apart."""
    await x.send_slowly(answer(b""))


@fault(keep_alive=True)
async def slow_answer(x: Exchange) -> None:
    """A good answer after `?interval=` seconds (0.01)."""
    await x.pause()
    await x.send(answer(b"ok"))
