"""Heads that no parser should take, and some that look as if none should."""

from tests.servers.registry import Exchange, answer, fault, head


@fault()
async def malformed_status_line(x: Exchange) -> None:
    """A status that is no number."""
    await x.send(b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n")


@fault()
async def status_out_of_range(x: Exchange) -> None:
    """A status of four digits."""
    await x.send(answer(b"ok", status="2000 Very OK"))


@fault()
async def unknown_version(x: Exchange) -> None:
    """HTTP/9.9."""
    await x.send(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok")


@fault()
async def garbage(x: Exchange) -> None:
    """Bytes that are not HTTP."""
    await x.send(bytes(range(128, 256)) + b"\r\n\r\n")


@fault()
async def http09(x: Exchange) -> None:
    """A body and no head, as in HTTP/0.9."""
    await x.send(b"<html>ok</html>\r\n")


@fault()
async def http2_preface(x: Exchange) -> None:
    """An HTTP/2 server's SETTINGS frame, and GOAWAY."""
    await x.send(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    await x.send(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")


@fault()
async def wrong_protocol(x: Exchange) -> None:
    """The greeting of an SSH server."""
    await x.send(b"SSH-2.0-OpenSSH_9.6\r\n")


@fault()
async def bad_header_line(x: Exchange) -> None:
    """A header line without a colon."""
    await x.send(answer(b"ok", "this is no header"))


@fault()
async def bad_header_name(x: Exchange) -> None:
    """A header name with a space before the colon."""
    await x.send(answer(b"ok", "X-Space : value"))


@fault()
async def empty_header_name(x: Exchange) -> None:
    """A header line that begins with its colon."""
    await x.send(answer(b"ok", ": value"))


@fault()
async def nul_in_header(x: Exchange) -> None:
    """A NUL in a header's value."""
    await x.send(answer(b"ok", "X-Nul: a\x00b"))


@fault()
async def cr_in_header(x: Exchange) -> None:
    """A bare CR in a header's value."""
    await x.send(answer(b"ok", "X-Cr: a\rb"))


@fault()
async def folded_header(x: Exchange) -> None:
    """A header continued on the next line (obs-fold, RFC 9112 section 5.2)."""
    await x.send(answer(b"ok", "X-Folded: a", " b"))


@fault()
async def header_line_too_long(x: Exchange) -> None:
    """A header of 70 000 bytes; the client takes 65 536."""
    await x.send(answer(b"ok", "X-Long: " + "a" * 70_000))


@fault()
async def too_many_headers(x: Exchange) -> None:
    """300 header fields; the client takes 256."""
    await x.send(answer(b"ok", *(f"X-Field-{n}: {n}" for n in range(300))))


@fault()
async def endless_head(x: Exchange) -> None:
    """Header fields without an end."""
    await x.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await x.send(b"X-More: and more\r\n" * 100)
        await x.pause()


@fault()
async def conflicting_lengths(x: Exchange) -> None:
    """Two Content-Lengths that differ."""
    await x.send(head("Content-Length: 2", "Content-Length: 4") + b"okay")


@fault()
async def chunked_and_length(x: Exchange) -> None:
    """Both Transfer-Encoding and Content-Length, as in response splitting."""
    await x.send(head("Content-Length: 2", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")


@fault()
async def negative_length(x: Exchange) -> None:
    """Content-Length: -5."""
    await x.send(head("Content-Length: -5") + b"ok")


@fault()
async def length_no_number(x: Exchange) -> None:
    """Content-Length: two."""
    await x.send(head("Content-Length: two") + b"ok")


@fault(keep_alive=True)
async def no_content_with_body(x: Exchange) -> None:
    """A 204 with a body behind it."""
    await x.send(answer(b"body", status="204 No Content"))


@fault(keep_alive=True)
async def not_modified_with_length(x: Exchange) -> None:
    """A 304 with the Content-Length of the body that it rightly leaves out."""
    await x.send(head("Content-Length: 1000", 'ETag: "1"', status="304 Not Modified"))


@fault()
async def unasked_101(x: Exchange) -> None:
    """A switch of protocols that nobody asked for, on a connection that stays open."""
    await x.send(head("Upgrade: websocket", "Connection: Upgrade", status="101 Switching"))
    await x.hold()


@fault(keep_alive=True)
async def continue_then_ok(x: Exchange) -> None:
    """A `100 Continue` that nobody asked for, and a good answer."""
    await x.send(head(status="100 Continue") + answer(b"ok"))


@fault(keep_alive=True)
async def early_hints(x: Exchange) -> None:
    """A 103, and a good answer."""
    await x.send(head("Link: </style.css>; rel=preload", status="103 Early Hints") + answer(b"ok"))


@fault()
async def endless_continue(x: Exchange) -> None:
    """One `100 Continue` after another."""
    while True:
        await x.send(head(status="100 Continue"))
        await x.pause()


@fault()
async def endless_processing(x: Exchange) -> None:
    """One `102 Processing` after another."""
    while True:
        await x.send(head(status="102 Processing"))
        await x.pause()
