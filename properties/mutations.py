"""Real messages, and what a broken or malicious peer makes of them."""

import gzip
from typing import Final

from hypothesis import strategies as st

HEADS: Final = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain; "
    b"charset=utf-8\r\nSet-Cookie: a=b; Path=/; HttpOnly\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/?k=v\r\nContent-Length: 0\r\n\r\n",
]
CHUNKED: Final = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    + b"%x\r\n%b\r\n0\r\n\r\n"
    % (len(gzip.compress(b"a", 1, mtime=0)), gzip.compress(b"a", 1, mtime=0)),
]
EVENTS: Final = [
    b"id: 7\nevent: add\ndata: one\ndata: two\nretry: 100\n\n: a comment\n\ndata: {}\n\n",
    b"\xef\xbb\xbfdata: caf\xc3\xa9\r\n\r\ndata\r\rdata: b\n\n",
]
COOKIES: Final = [
    b"session=abc; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax; Max-Age=3600",
    b'id="a b"; Expires=Wed, 21 Oct 2065 07:28:00 GMT; Path=/a/b',
    b"__Host-k=v; Secure; Path=/",
    b"a=b",
]
URLS: Final = [
    "https://user:pa%20ss@api.example:8443/v1/items;x=1?q=a+b&r=%C3%A9#top",
    "http://[2001:db8::1]:80/%7Ea/../b",
    "http://b\u00fccher.example/\u00e9?\u00fc=1",
    "//other.example/path",
]

_TOKENS: Final = [
    *(b"\0", b"\t", b"\x0b", b"\r", b"\n", b"\r\n", b" ", b":", b";", b",", b"\x7f", b"\xff"),
    *(b"0", b"+1", b"-1", b"0x5", b"1_0", b"99999999999999999999", b"Transfer-Encoding: chunked"),
    *(
        b"Content-Length: 4\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b'"',
        b"%",
        b"@",
        b"//",
        b"\\",
    ),
]
_pieces: Final = st.sampled_from(_TOKENS) | st.binary(min_size=1, max_size=4)


@st.composite
def mutated(draw: st.DrawFn, messages: list[bytes]) -> bytes:
    """Return a message of which a few places are replaced, repeated, moved or left out."""
    message = draw(st.sampled_from(messages))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(message)))
        end = min(len(message), start + draw(st.integers(0, 4)))
        match draw(st.sampled_from(["replace", "insert", "remove", "repeat", "cut", "case"])):
            case "replace":
                message = message[:start] + draw(_pieces) + message[end:]
            case "insert":
                message = message[:start] + draw(_pieces) + message[start:]
            case "remove":
                message = message[:start] + message[end:]
            case "repeat":
                message = message[:end] + message[start:]
            case "cut":
                message = message[:start]
            case _:
                message = message[:start] + message[start:end].swapcase() + message[end:]
    return message


@st.composite
def cut(draw: st.DrawFn, message: bytes) -> list[bytes]:
    """Return the pieces in which a message arrives; sometimes each byte alone."""
    if draw(st.integers(0, 9)) == 0:
        return [message[at : at + 1] for at in range(len(message))]
    places = draw(st.lists(st.integers(0, len(message)), max_size=6).map(sorted))
    ends = [*places, len(message)]
    return [message[start:end] for start, end in zip([0, *places], ends, strict=True)]
