"""A response means the same however TCP cuts its bytes; the server counts the connections."""

import asyncio
from typing import Final

import pytest
from returns.methods import unwrap_or_failure
from tests.servers.connection import Connection, Received
from tests.servers.listener import Listener

from railhttp import HTTPClient, HTTPClientConfig, HttpResponse

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class CuttingServer(Listener):
    """Sends one response on each request, cut in two with a pause between the pieces."""

    def __init__(self, response: bytes, place: int | None, after: bytes = OK) -> None:
        super().__init__()
        self._pieces = [response] if place is None else [response[:place], response[place:]]
        self._after = after
        self.received: list[Received] = []
        self.sent = asyncio.Event()

    async def handle(self, connection: Connection) -> None:
        while True:
            self.received.append(await connection.read_head())
            if len(self.received) > 1:
                await connection.send(self._after)
                continue
            for piece in self._pieces:
                await connection.send(piece)
                await asyncio.sleep(0.02)
            self.sent.set()


HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
NO_BODY: Final = b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\nmore"
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
LONGER: Final = {
    "behind HEAD": ("HEAD", NO_BODY % 200, b""),
    "behind 204": ("GET", NO_BODY % 204, b""),
    "behind 304": ("GET", NO_BODY % 304, b""),
    "longer than Content-Length": ("GET", HEAD + b"ok and more", b"ok"),
    "a second response": ("GET", HEAD + b"ok" + HEAD + b"no", b"ok"),
    "behind the last chunk": ("GET", CHUNKED + b"more", b"ok"),
    "behind no content": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", b""),
}


@pytest.mark.parametrize("back", [None, 1, 4, 5, 9])
@pytest.mark.parametrize("case", LONGER)
async def test_a_response_with_surplus_counts_and_its_connection_does_not(
    case: str, back: int | None
) -> None:
    method, response, body = LONGER[case]
    place = None if back is None else len(response) - back
    async with CuttingServer(response, place) as server, HTTPClient(_CONFIG) as client:
        call = client.head if method == "HEAD" else client.get
        first = unwrap_or_failure(await call(server.url()))
        assert isinstance(first, HttpResponse)
        assert first.body == body
        await server.sent.wait()
        await asyncio.sleep(0.01)  # one turn of the loop, in which the client reads the rest
        assert (await client.get(server.url())).unwrap().body == b"ok"
    assert [request.connection for request in server.received] == [1, 2]


FOLDED: Final = b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok"
BARE_LF: Final = b"HTTP/1.1 200 OK\nX: a b\nContent-Length: 2\n\nok"
DOUBLED: Final = (
    b"HTTP/1.1 200 OK\r\nX: a b\r\nServer: a\r\nServer: b\r\nContent-Length: 2\r\n\r\nok"
)


@pytest.mark.parametrize("place", [None, 10, 20, 22, 24, 25, 26])
@pytest.mark.parametrize("response", [FOLDED, BARE_LF, DOUBLED])
async def test_what_a_user_agent_may_mend_is_mended(response: bytes, place: int | None) -> None:
    """RFC 9112, sections 2.2 and 5.2; aiohttp's parsers and modes differ on each."""
    async with CuttingServer(response, place) as server, HTTPClient(_CONFIG) as client:
        answer = (await client.get(server.url())).unwrap()
        assert (answer.headers["X"], answer.body) == ("a b", b"ok")
        (await client.get(server.url())).unwrap()
    assert [request.connection for request in server.received] == [1, 1]


@pytest.mark.parametrize("place", [None, 10, 20, 22, 30])
@pytest.mark.parametrize("field", [b"Content-Length : 2", b"X : y", b"X\t: y", b"X: a\rb", b"X"])
async def test_a_field_that_proxies_disagree_on_is_refused(field: bytes, place: int | None) -> None:
    response = b"HTTP/1.1 200 OK\r\n" + field + b"\r\nContent-Length: 2\r\n\r\nok"
    async with CuttingServer(response, place) as server, HTTPClient(_CONFIG) as client:
        assert (await client.post(server.url())).failure().label == "protocol"


_CONFIG: Final = HTTPClientConfig(trust_env=False)


async def test_latin_1_in_a_field_can_be_encoded_again() -> None:
    response = b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    async with CuttingServer(response, None) as server, HTTPClient(_CONFIG) as client:
        text = (await client.get(server.url())).unwrap().headers["X"]
    assert (text, text.encode()) == ("café", "café".encode())
