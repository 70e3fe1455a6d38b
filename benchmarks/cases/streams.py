"""A large body, piece by piece."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from benchmarks.cases.case import Case, Send
from railhttp import HTTPClient, HTTPClientConfig


@asynccontextmanager
async def aiohttp_iter_any() -> AsyncIterator[Send]:
    """What railhttp is compared with."""
    async with aiohttp.ClientSession() as session:

        async def send(url: str) -> object:
            async with session.get(url) as response:
                return await _count(response.content.iter_any())

        yield send


@asynccontextmanager
async def railhttp_stream() -> AsyncIterator[Send]:
    """`client.stream`."""
    async with HTTPClient(HTTPClientConfig()) as client:

        async def send(url: str) -> object:
            async with client.stream("GET", url) as chunks:
                return await _count(chunks)

        yield send


async def _count(chunks: AsyncIterator[bytes]) -> int:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
    return size


CASES: Final[Mapping[str, Case]] = {
    "aiohttp iter_any": aiohttp_iter_any,
    "railhttp stream": railhttp_stream,
}
