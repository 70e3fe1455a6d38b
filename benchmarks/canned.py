"""A minimal server: the same answer to everything, as fast as asyncio can.

python -m benchmarks.canned PORT BYTES_OF_LARGE TLS_PORT CERTIFICATE ADDRESS...
"""

import asyncio
import ssl
import sys
from typing import Final, cast

DOCUMENT: Final = (
    b'{"id": 4711, "name": "Ann Example", "mail": "ann@example.org", "tags": ["a", "b", "c"], '
    b'"active": true, "score": 98.6, "address": {"street": "1 Long Road", "city": "Springfield", '
    b'"zip": "12345"}}'
)
_JSON: Final = (
    b"HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (len(DOCUMENT), DOCUMENT)
)
_HEAD_OF_LARGE: Final = (
    b"HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n"
)
_BLOCK: Final = bytes(64 * 1024)


class Canned(asyncio.Protocol):
    """Answers each request head without reading it, but for a GET of `/large`."""

    def __init__(self, large: int) -> None:
        self._large = large
        self._left = 0
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # as for all TCP servers

    def data_received(self, data: bytes) -> None:
        *heads, self._pending = (self._pending + data).split(b"\r\n\r\n")
        for head in heads:
            if head.startswith(b"GET /large "):
                self._transport.write(_HEAD_OF_LARGE % self._large)
                self._left = self._large
                self.resume_writing()
            else:
                self._transport.write(_JSON)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._left and not self._paused:
            block = _BLOCK[: self._left]
            self._left -= len(block)
            self._transport.write(block)


async def serve(
    port: int, large: int, tls_port: int, certificate: str, addresses: list[str]
) -> None:
    """Listen on some addresses for ever.

    Args:
        port: The port of plain HTTP.
        large: How many bytes `/large` has.
        tls_port: The port of HTTPS on the first address.
        certificate: A PEM file with the key and the chain; no HTTPS if empty.
        addresses: The addresses.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Canned(large), addresses, port, backlog=1024)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        await loop.create_server(
            lambda: Canned(large), addresses[0], tls_port, ssl=context, backlog=1024
        )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(
        serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
    )
