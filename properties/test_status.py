"""Every status from 100 to 599 has its track: Success below 400, Failure from there on."""

import asyncio
from typing import Final

from tests.servers.connection import Connection
from tests.servers.listener import Listener
from tests.servers.registry import answer, head

from railhttp import HTTPClient, HTTPClientConfig, HTTPConnectionError, HTTPStatusError

INTERIM: Final = range(100, 200)
"""An interim answer is passed over; but for 101, which nobody has asked for."""


class StatusServer(Listener):
    """Answers with the status that the path names."""

    async def handle(self, connection: Connection) -> None:
        while True:
            request = await connection.read_head()
            status = int(request.path[1:])
            await connection.send(head(status=f"{status} Any") if status in INTERIM else b"")
            await connection.send(answer(b"", status=f"{max(status, 200)} Any"))


async def tracks() -> None:
    config = HTTPClientConfig(trust_env=False)
    async with StatusServer() as server, HTTPClient(config) as client:
        for status in range(100, 600):
            result = await client.post(server.url(f"/{status}"))
            if status == 101:
                assert isinstance(result.failure(), HTTPConnectionError)
                continue
            seen = max(status, 200)
            assert (await client.request("POST", server.url(f"/{status}"))).status == seen
            if seen < 400:
                assert result.unwrap().status == seen
                continue
            failure = result.failure()
            assert isinstance(failure, HTTPStatusError)
            assert (failure.status, failure.attempts) == (seen, 1)


def test_status_decides_the_track() -> None:
    asyncio.run(tracks())
