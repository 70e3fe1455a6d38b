"""Other clients, each in the way its documentation shows."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

import aiohttp

from benchmarks.cases.case import CONNECTIONS, Case, Send

PEERS: Final = ("httpx", "niquests", "pyreqwest", "lexigram-http")
"""Named like their packages, and imported by name, as a bare checkout does without them."""


@asynccontextmanager
async def raw_aiohttp() -> AsyncIterator[Send]:
    """What all others are compared with."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send(url: str) -> object:
            async with session.get(url) as response:
                body = await response.read()
            return json.loads(body)

        yield send


@asynccontextmanager
async def httpx() -> AsyncIterator[Send]:
    """The client that most know."""
    module = import_module("httpx")
    # It looks at every idle connection for each request, so more of them would only slow it down.
    limits = module.Limits(max_connections=CONNECTIONS, max_keepalive_connections=20)
    async with module.AsyncClient(limits=limits) as client:

        async def send(url: str) -> object:
            response = await client.get(url)
            return response.json()

        yield send


@asynccontextmanager
async def niquests() -> AsyncIterator[Send]:
    """The asynchronous heir of requests."""
    module = import_module("niquests")
    async with module.AsyncSession(
        pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS
    ) as client:

        async def send(url: str) -> object:
            response = await client.get(url)
            return response.json()

        yield send


@asynccontextmanager
async def pyreqwest() -> AsyncIterator[Send]:
    """A client in Rust."""
    module = import_module("pyreqwest.client")
    async with module.ClientBuilder().build() as client:

        async def send(url: str) -> object:
            response = await client.get(url).build().send()
            return await response.json()

        yield send


@asynccontextmanager
async def lexigram_http() -> AsyncIterator[Send]:
    """A client with the same API, on aiohttp too."""
    module = import_module("lexigram.http")
    pool = module.HTTPClientConfig().pool.model_copy(
        update={"max_connections": CONNECTIONS, "max_connections_per_host": CONNECTIONS}
    )
    config = module.HTTPClientConfig(pool=pool, enforce_url_safety=False)  # it refuses loopback
    async with module.HTTPClient.session_context(config) as client:

        async def send(url: str) -> object:
            result = await client.get(url)
            return result.unwrap().json

        yield send


CASES: Final[Mapping[str, Case]] = {
    "raw aiohttp": raw_aiohttp,
    "httpx": httpx,
    "niquests": niquests,
    "pyreqwest": pyreqwest,
    "lexigram-http": lexigram_http,
}
