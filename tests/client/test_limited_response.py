"""How a stream waits for the exchange that gives it its chunks, whatever that one does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from railhttp import HTTPClient, HttpResponse, HTTPTimeoutError
from railhttp.model.errors import CallInfo
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState


class Source:
    """An exchange whose responses have the chunks that a function gives."""

    def __init__(self, give: Callable[[], Awaitable[bytes]]) -> None:
        self._give = give

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        return self.answer(await self.read())

    async def open(self, request: Request, progress: AttemptState) -> "Source":
        return self

    def answer(self, body: bytes = b"") -> HttpResponse:
        return HttpResponse(200, body=body)

    def call_info(self) -> CallInfo:
        return {}

    async def chunk(self) -> bytes:
        return await self._give()

    async def read(self) -> bytes:
        return await self._give()

    def close(self) -> None:
        """Nothing is open."""


async def first_chunk(
    give: Callable[[], Awaitable[bytes]], read_timeout: float | None = None
) -> bytes:
    async with (
        HTTPClient(exchange=Source(give)) as client,
        client.stream("GET", "http://h/", read_timeout=read_timeout) as chunks,
    ):
        return await anext(chunks)


async def test_a_chunk_that_is_there_is_not_waited_for() -> None:
    async def give() -> bytes:
        return b"there"

    turns: list[str] = []
    async with (
        HTTPClient(exchange=Source(give)) as client,
        client.stream("GET", "http://h/") as chunks,
    ):
        asyncio.get_running_loop().call_soon(turns.append, "others ran")
        assert await anext(chunks) == b"there"
        assert not turns


async def test_a_chunk_may_take_several_waits() -> None:
    async def give() -> bytes:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return b"late"

    assert await first_chunk(give, read_timeout=10) == b"late"


async def test_the_end_of_a_wait_reaches_the_exchange_which_may_wait_for_its_own_end() -> None:
    seen = []

    async def give() -> bytes:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.001)
            seen.append("cleaned up")
        return b""

    with pytest.raises(HTTPTimeoutError, match="too long"):
        await first_chunk(give, read_timeout=0.01)
    assert seen == ["cleaned up"]


async def test_a_chunk_that_comes_in_the_moment_of_the_end_is_not_lost() -> None:
    async def give() -> bytes:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return b"in time"
        return b""

    assert await first_chunk(give, read_timeout=0.01) == b"in time"


async def test_a_cancellation_passes_through() -> None:
    async def give() -> bytes:
        await asyncio.sleep(10)
        return b""

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await first_chunk(give)
