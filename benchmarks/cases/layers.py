"""One request cut open: each case adds a layer to the one before, down in the list."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Final, cast

import aiohttp
from yarl import URL

from benchmarks.cases.case import Case, Send
from benchmarks.cases.clients import POOL
from railhttp import ConnectionPool, HTTPClient, HTTPClientConfig
from railhttp.model.request import Request
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.resilience import ResiliencePipeline
from railhttp.pipeline.timeouts import Timeouts
from railhttp.transport.exchange import AiohttpExchange


class OneShot(asyncio.Protocol):
    """A connection that hands on the body behind each head, and knows nothing of HTTP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's
        self._transport = cast("asyncio.Transport", transport)
        self.answer: asyncio.Future[bytes] | None = None

    def data_received(self, data: bytes) -> None:
        if self.answer is not None:
            self.answer.set_result(data[data.index(b"\r\n\r\n") + 4 :])

    async def send(self, head: bytes) -> bytes:
        self.answer = asyncio.get_running_loop().create_future()
        self._transport.write(head)
        return await self.answer


@asynccontextmanager
async def sockets() -> AsyncIterator[Send]:
    """The floor: the loop, the sockets and `json.loads`."""
    loop = asyncio.get_running_loop()
    idle: dict[str, list[OneShot]] = {}

    async def send(url: str) -> object:
        connections = idle.setdefault(url, [])
        if connections:
            connection = connections.pop()
        else:
            target = URL(url)
            _, connection = await loop.create_connection(
                OneShot, str(target.host), target.port or 80
            )
        body = await connection.send(_head(url))
        connections.append(connection)
        return json.loads(body)

    yield send


@cache
def _head(url: str) -> bytes:
    target = URL(url)
    return (
        f"GET {target.raw_path} HTTP/1.1\r\nHost: {target.authority}\r\nAccept: */*\r\n"
        "Accept-Encoding: gzip, deflate\r\nUser-Agent: sockets\r\n\r\n"
    ).encode()


@asynccontextmanager
async def public_knobs() -> AsyncIterator[Send]:
    """What anybody can have of aiohttp: no timer, no jar, no limit, no context manager."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:

        async def send(url: str) -> object:
            response = await session.get(_encoded(url))
            return json.loads(await response.read())

        yield send


@cache
def _encoded(url: str) -> URL:
    return URL(url, encoded=True)


@asynccontextmanager
async def pool_session() -> AsyncIterator[Send]:
    """The session of our pool: its connector, its request and response classes, its jar."""
    async with ConnectionPool.from_config(POOL) as pool:
        session = pool.session

        async def send(url: str) -> object:
            response = await session.request("GET", _encoded(url), allow_redirects=False)
            return json.loads(await response.read())

        yield send


@asynccontextmanager
async def exchange_open() -> AsyncIterator[Send]:
    """The exchange, up to the head of the response."""
    async with HTTPClient(HTTPClientConfig(pool=POOL)) as client:
        exchange = _exchange(client)

        async def send(url: str) -> object:
            call, request = _call(client, url)
            incoming = await exchange.open(request, call)
            return json.loads(await incoming.chunk())

        yield send


@asynccontextmanager
async def exchange_send() -> AsyncIterator[Send]:
    """The exchange, with the body and the `HttpResponse`."""
    async with HTTPClient(HTTPClientConfig(pool=POOL)) as client:
        exchange = _exchange(client)

        async def send(url: str) -> object:
            call, request = _call(client, url)
            response = await exchange.send(request, call)
            return response.json()

        yield send


@asynccontextmanager
async def one_attempt() -> AsyncIterator[Send]:
    """The chain of a client without its retries."""
    bare = ResiliencePipeline()
    async with HTTPClient(HTTPClientConfig(pool=POOL), resilience=bare) as client:

        async def send(url: str) -> object:
            call, _ = _call(client, url)
            response = await client._send(call)
            return response.json()

        yield send


def _exchange(client: HTTPClient) -> AiohttpExchange:
    return AiohttpExchange(client.pool, SYSTEM_CLOCK, Timeouts(SYSTEM_CLOCK).limit)


def _call(client: HTTPClient, url: str) -> tuple[HTTPCall, Request]:
    """Cut a client open: there is no public way to its inner layers."""
    prepared = client._builder.prepare("GET", url, {})
    return client._new_call(prepared), prepared.request


@asynccontextmanager
async def request() -> AsyncIterator[Send]:
    """The whole way, with the deadline and the retry policy, up to the raising face."""
    async with HTTPClient(HTTPClientConfig(pool=POOL)) as client:

        async def send(url: str) -> object:
            response = await client.request("GET", url)
            return response.json()

        yield send


CASES: Final[Mapping[str, Case]] = {
    "sockets alone": sockets,
    "public knobs": public_knobs,
    "pool.session": pool_session,
    "exchange.open": exchange_open,
    "exchange.send": exchange_send,
    "one attempt": one_attempt,
    "client.request": request,
}
