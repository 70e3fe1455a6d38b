"""Redirects that lead nowhere, round in circles, or where a client must not follow."""

from tests.servers.registry import Exchange, answer, fault


async def _redirect(x: Exchange, location: str) -> None:
    status = f"{x.query('status', '302')} Redirect"
    await x.send(answer(b"moved", f"Location: {location}", status=status))


@fault(keep_alive=True)
async def redirect_to(x: Exchange) -> None:
    """To `?url=`, with `?status=` (302)."""
    await _redirect(x, x.query("url", "/ok"))


@fault(keep_alive=True)
async def redirect_loop(x: Exchange) -> None:
    """To itself."""
    await _redirect(x, x.request.target)


@fault(keep_alive=True)
async def redirect_forever(x: Exchange) -> None:
    """To itself with another query each time, so that no URL comes twice."""
    await _redirect(x, f"/redirect-forever?hop={int(x.query('hop', '0')) + 1}")


@fault(keep_alive=True)
async def redirect_without_location(x: Exchange) -> None:
    """A 302 that does not say where to."""
    await x.send(answer(b"moved", status="302 Found"))


@fault(keep_alive=True)
async def redirect_empty_location(x: Exchange) -> None:
    """A 302 with an empty Location."""
    await _redirect(x, "")


@fault(keep_alive=True)
async def redirect_bad_url(x: Exchange) -> None:
    """To a URL that cannot be parsed."""
    await _redirect(x, "http://[::1/ok")


@fault(keep_alive=True)
async def redirect_bad_port(x: Exchange) -> None:
    """To a port beyond 65535."""
    await _redirect(x, "http://127.0.0.1:99999/ok")


@fault(keep_alive=True)
async def redirect_no_host(x: Exchange) -> None:
    """To a URL without a host."""
    await _redirect(x, "http:///ok")


@fault(keep_alive=True)
async def redirect_ftp(x: Exchange) -> None:
    """To ftp:."""
    await _redirect(x, "ftp://127.0.0.1/ok")


@fault(keep_alive=True)
async def redirect_file(x: Exchange) -> None:
    """To file:."""
    await _redirect(x, "file:///etc/hostname")


@fault(keep_alive=True)
async def redirect_data(x: Exchange) -> None:
    """To data:."""
    await _redirect(x, "data:text/plain,ok")


@fault(keep_alive=True)
async def redirect_downgrade(x: Exchange) -> None:
    """To http: at the same host and port; a plain server elsewhere is reached by /redirect-to."""
    await _redirect(x, f"http://{x.request.header('host')}/ok")


@fault(keep_alive=True)
async def redirect_other_origin(x: Exchange) -> None:
    """To /ok at the same port of `localhost`, which is another origin than 127.0.0.1."""
    port = x.request.header("host").rpartition(":")[2]
    await _redirect(x, f"{x.query('scheme', 'http')}://localhost:{port}/ok")


@fault(keep_alive=True)
async def redirect_with_userinfo(x: Exchange) -> None:
    """To the same host with credentials in the URL."""
    await _redirect(x, f"http://ann:s3cret@{x.request.header('host')}/ok")


@fault(keep_alive=True)
async def redirect_header_injection(x: Exchange) -> None:
    """To a path with an encoded line break and a header behind it."""
    await _redirect(x, "/ok?next=%0d%0aX-Injected:%20yes")


@fault(keep_alive=True)
async def redirect_raw_utf8(x: Exchange) -> None:
    """To a query in raw UTF-8, not percent-encoded."""
    await _redirect(x, "/ok?name=caf\N{LATIN SMALL LETTER E WITH ACUTE}")


@fault(reads_body=False)
async def redirect_before_body(x: Exchange) -> None:
    """A 307 to /ok while the body is still coming; the rest is thrown away."""
    fields = ("Location: /ok", "Connection: close")
    await x.send(answer(b"moved", *fields, status="307 Temporary Redirect"))
    await x.hold()


@fault()
async def redirect_short_body(x: Exchange) -> None:
    """To /ok, with a body that ends before its length."""
    location = "Location: /ok"
    await x.send(answer(b"moved", location, status="302 Found")[:-3])


@fault()
async def redirect_to_reset(x: Exchange) -> None:
    """To /reset-before-head: the failure comes with the second hop."""
    await _redirect(x, "/reset-before-head")
