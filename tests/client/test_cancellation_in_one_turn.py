"""A cancellation from outside always propagates, also in the turn of the loop that ends a limit.

Both cancel the task, and the limit must not take the other's cancellation for its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HttpResponse,
    RequestContext,
    ResiliencePipeline,
    RetryPolicy,
)
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.clock import SystemClock
from railhttp.protocols import IncomingResponse
from railhttp.resilience import AttemptTimeout, Bulkhead, OriginBreakers
from railhttp.testing import ScriptedTransport

URL: Final = "https://api.example/v1"
ATTEMPT: Final = 10.0
TOTAL: Final = 25.0


class HandClock(SystemClock):
    """A clock whose timers fire when they are told to, in the turn of whoever tells them."""

    __slots__ = ("_offset", "_timers")

    def __init__(self) -> None:
        self._offset = 0.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return super().monotonic() + self._offset

    @override
    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.Handle:
        entry = (self.monotonic() + seconds, callback)
        self._timers.append(entry)
        loop = asyncio.get_running_loop()
        return loop.call_later(10_000.0, callback)

    def expire(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._offset += seconds
        due = [timer for timer in self._timers if timer[0] <= self.monotonic()]
        self._timers = [timer for timer in self._timers if timer not in due]
        for _, callback in due:
            callback()


class Slow:
    """An interceptor that gives way a few times, out and back."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        for _ in range(3):
            await asyncio.sleep(0)
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        for _ in range(3):
            await asyncio.sleep(0)
        return response


class SlowExchange:
    """A scripted exchange that gives way a few times before it answers, and counts its requests."""

    def __init__(self) -> None:
        self._script = ScriptedTransport()
        events = {"Content-Type": "text/event-stream", "ETag": '"v1"'}
        self._script.on("GET", "/v1").reply(200, body=b"data: 1\n\n" * 3, headers=events)
        self.sends = 0

    async def _give_way(self, attempt: AttemptState) -> None:
        self.sends += 1
        for stage in Stage:
            attempt.stage = stage
            await asyncio.sleep(0)

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        await self._give_way(attempt)
        return await self._script.send(request, attempt)

    async def open(self, request: Request, attempt: AttemptState) -> IncomingResponse:
        await self._give_way(attempt)
        return await self._script.open(request, attempt)


async def verb(client: HTTPClient, folder: Path) -> object:
    return await client.get(URL)


async def request(client: HTTPClient, folder: Path) -> object:
    return await client.request("GET", URL)


async def future(client: HTTPClient, folder: Path) -> object:
    return await client.future.get(URL)


async def stream(client: HTTPClient, folder: Path) -> object:
    async with client.stream("GET", URL) as answer:
        return [chunk async for chunk in answer]


async def sse(client: HTTPClient, folder: Path) -> object:
    async with client.sse(URL) as events:
        return [event async for event in events]


async def download(client: HTTPClient, folder: Path) -> object:
    return await client.download(URL, folder / "file")


Ask = Callable[[HTTPClient, Path], Awaitable[object]]


async def cancelled_in_turn(
    ask: Ask, folder: Path, turn: int, seconds: float, *, limit_first: bool
) -> tuple[bool, int]:
    """Cancel a call and end its limits in one turn; was it under way, and how often was it sent."""
    clock, exchange = HandClock(), SlowExchange()
    pipeline = ResiliencePipeline(
        Bulkhead(10), RetryPolicy(3), OriginBreakers(), AttemptTimeout(ATTEMPT), total=TOTAL
    )
    config = HTTPClientConfig(total=True, timeout=None)
    client = HTTPClient(
        config, exchange=exchange, clock=clock, resilience=pipeline, interceptors=[Slow()]
    )
    async with client:
        task = asyncio.ensure_future(ask(client, folder))
        for _ in range(turn):
            await asyncio.sleep(0)
        if task.done():
            await task
            return False, exchange.sends
        if limit_first:
            clock.expire(seconds)
        task.cancel()
        if not limit_first:
            clock.expire(seconds)
        await asyncio.wait([task], timeout=10.0)
        assert task.cancelled(), task
    return True, exchange.sends


@pytest.mark.parametrize("limit_first", [True, False])
@pytest.mark.parametrize("seconds", [ATTEMPT, TOTAL])
@pytest.mark.parametrize("ask", [verb, request, future, stream, sse, download])
async def test_a_cancellation_propagates_at_every_await(
    tmp_path: Path, ask: Ask, seconds: float, limit_first: bool
) -> None:
    turn, under_way = 1, True
    while under_way:
        folder = tmp_path / str(turn)
        folder.mkdir()
        under_way, sends = await cancelled_in_turn(
            ask, folder, turn, seconds, limit_first=limit_first
        )
        assert sends <= 1
        turn += 1 if turn < 40 else 10
    assert turn > 10
