"""Header fields whose bytes are not ASCII (RFC 9110, section 5.5)."""

from typing import Final

import pytest
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient

FIELDS: Final = {
    b"caf\xe9": "café",
    b"caf\xc3\xa9": "café",
    b"\xe9 \xc3\xa9": "é Ã©",
    b"\xff\xfe": "ÿþ",
    b"plain": "plain",
}


def respond(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    fields = b"".join([line + b"\r\n" for line in lines])
    return (
        b"HTTP/1.1 " + status + b"\r\n" + fields + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("octets", FIELDS)
async def test_bytes_that_are_no_utf_8_are_latin_1_and_can_be_encoded_again(octets: bytes) -> None:
    async with ScriptedServer(sends(respond(b"X: " + octets))) as server, HTTPClient() as client:
        response = (await client.get(server.url())).unwrap()
        async with client.stream("GET", server.url()) as stream:
            streamed = stream.headers["X"]
    assert response.headers["X"] == streamed == FIELDS[octets]
    assert response.headers["X"].encode() == FIELDS[octets].encode()


async def test_a_location_keeps_the_bytes_that_are_no_utf_8() -> None:
    moved = respond(b"Location: /caf\xe9?\xc3\xa9=%7e", status=b"302 Found")
    async with ScriptedServer(sends(moved), sends(respond())) as server, HTTPClient() as client:
        response = (await client.get(server.url("/"))).unwrap()
    assert server.received[1].target == "/caf%E9?%C3%A9=%7e"
    assert response.url.isascii()


async def test_a_cookie_goes_back_in_the_bytes_in_which_it_came() -> None:
    cookie = respond(b"Set-Cookie: sid=caf\xe9")
    async with ScriptedServer(sends(cookie), sends(respond())) as server, HTTPClient() as client:
        first = (await client.get(server.url())).unwrap()
        (await client.get(server.url())).unwrap()
    assert first.headers["Set-Cookie"] == "sid=café"
    assert server.received[1].header("cookie").encode("latin-1") == b"sid=caf\xe9"
