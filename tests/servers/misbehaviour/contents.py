"""Whole, well-framed answers whose content is not what it says it is."""

from tests.servers.registry import Exchange, answer, fault

_JSON = "Content-Type: application/json"


@fault(keep_alive=True)
async def invalid_charset(x: Exchange) -> None:
    """A charset that nobody knows."""
    await x.send(answer(b"ok", "Content-Type: text/plain; charset=no-such-charset"))


@fault(keep_alive=True)
async def invalid_utf8(x: Exchange) -> None:
    """Latin-1 that says it is UTF-8."""
    await x.send(answer(b"caf\xe9", "Content-Type: text/plain; charset=utf-8"))


@fault(keep_alive=True)
async def bad_json(x: Exchange) -> None:
    """JSON that stops in the middle."""
    await x.send(answer(b'{"a": [1, 2', _JSON))


@fault(keep_alive=True)
async def invalid_utf8_json(x: Exchange) -> None:
    """JSON in Latin-1."""
    await x.send(answer(b'{"a": "caf\xe9"}', _JSON))


@fault(keep_alive=True)
async def deep_json(x: Exchange) -> None:
    """100 000 arrays in one another: a RecursionError for Python's parser."""
    await x.send(answer(b"[" * 100_000 + b"]" * 100_000, _JSON))


@fault(keep_alive=True)
async def huge_int_json(x: Exchange) -> None:
    """A number of 5000 digits: Python takes 4300."""
    await x.send(answer(b"9" * 5000, _JSON))


@fault(keep_alive=True)
async def empty_json(x: Exchange) -> None:
    """No bytes at all that say they are JSON."""
    await x.send(answer(b"", _JSON))


@fault(keep_alive=True)
async def json_as_html(x: Exchange) -> None:
    """JSON that says it is HTML."""
    await x.send(answer(b'{"a": 1}', "Content-Type: text/html"))


@fault(keep_alive=True)
async def no_content_type(x: Exchange) -> None:
    """JSON that does not say what it is."""
    await x.send(answer(b'{"a": 1}'))


@fault(keep_alive=True)
async def repeated_set_cookie(x: Exchange) -> None:
    """Three cookies, one of them with a comma in its date."""
    expires = "expires=Fri, 31 Dec 2100 23:59:59 GMT"
    cookies = ("Set-Cookie: a=1", f"Set-Cookie: b=2; {expires}", "Set-Cookie: c=3; HttpOnly")
    await x.send(answer(b"ok", *cookies))


@fault(keep_alive=True)
async def bad_set_cookie(x: Exchange) -> None:
    """Cookies that are none, and one that is."""
    await x.send(answer(b"ok", "Set-Cookie: ;;=", "Set-Cookie: b[a]d=\x01", "Set-Cookie: good=1"))
