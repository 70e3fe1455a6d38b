"""Cancelling: it passes through at every await, as the canceller's, and leaves nothing behind."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

import pytest
from tests.patience import until
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp import (
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HttpResponse,
    RequestContext,
    RequestOptions,
    RetryPolicy,
)

CONFIG: Final = HTTPClientConfig(
    ConnectionPoolConfig(max_connections=1), timeout=5.0, trust_env=False
)


async def after_steps(steps: int, call: "asyncio.Task[object]") -> bool:
    """Cancel a call after some turns of the loop; tell whether it was still under way."""
    for _ in range(steps):
        await asyncio.sleep(0)
    under_way = not call.done()
    call.cancel()
    await asyncio.wait([call])
    if not call.cancelled():
        call.exception()  # seen, so that nobody complains of it
    assert call.cancelled() is under_way
    return under_way


class Slow:
    """An interceptor that waits in both directions."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        await asyncio.sleep(0)
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        await asyncio.sleep(0)
        return response


def upload() -> RequestOptions:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"a" * 100_000

    return {"data": pieces()}


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/ok", RequestOptions),
        ("GET", "/redirect-other-origin", RequestOptions),
        ("GET", "/gzip-members", lambda: RequestOptions(attempt_timeout=3.0, read_timeout=3.0)),
        ("GET", "/reset-before-head", RequestOptions),
        ("PUT", "/ok", upload),
        ("POST", "/ok", lambda: RequestOptions(data=io.BytesIO(bytes(500_000)))),
    ],
)
async def test_a_call_can_be_cancelled_at_every_step(
    faults: FaultServer, method: str, path: str, options: Callable[[], RequestOptions]
) -> None:
    policy = RetryPolicy(base_delay=0.001, reraise=True)
    steps = 0
    async with HTTPClient(CONFIG, retry_policy=policy, interceptors=[Slow()]) as client:
        async with nothing_left():
            while True:
                call = client.request(method, faults.url(path), **options())
                if not await after_steps(steps, asyncio.ensure_future(call)):
                    break
                steps += 1 if steps < 40 else 7
                await client.pool.stop()  # what a kept connection would hold open
                await client.pool.start()
            await client.pool.stop()
        await client.pool.start()
        assert (await client.get(faults.url())).unwrap().body == b"ok"
    assert steps > 5


async def test_a_handshake_can_be_cancelled_at_every_step(tls: TlsContexts) -> None:
    steps = 0
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        ProxyServer() as proxy,
        HTTPClient(CONFIG) as client,
    ):
        while True:
            options = RequestOptions(ssl_context=tls.client, proxy=proxy.url())
            call = asyncio.ensure_future(client.request("GET", server.url(), **options))
            if not await after_steps(steps, call):
                break
            steps += 3
        assert (await client.get(server.url(), ssl_context=tls.client)).unwrap().body == b"ok"
    assert steps > 5


@pytest.mark.parametrize("path", ["/stall-before-head", "/stall-in-body", "/stalled-upload"])
async def test_a_waiting_call_gives_its_place_back(path: str) -> None:
    async with nothing_left(), FaultServer() as faults, HTTPClient(CONFIG) as client:
        for count in (1, 2, 3):  # the pool has one place
            call = asyncio.create_task(client.put(faults.url(path), data=bytes(8_000_000)))
            await until(partial(reached, faults, count))
            assert await after_steps(1, call)
        assert (await client.get(faults.url())).unwrap().body == b"ok"


def reached(faults: FaultServer, count: int) -> bool:
    return len(faults.received) == count


async def test_a_call_in_the_queue_of_the_pool_can_be_cancelled(faults: FaultServer) -> None:
    async with nothing_left(), HTTPClient(CONFIG) as client:
        first = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        queued = [asyncio.create_task(client.get(faults.url())) for _ in range(3)]
        await asyncio.sleep(0.01)
        queued[0].cancel()
        first.cancel()
        outcomes = await asyncio.gather(*queued, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert [task.result().unwrap().body for task in queued[1:]] == [b"ok", b"ok"]


async def test_half_of_fifty_calls_are_cancelled_and_the_others_do_not_notice(
    faults: FaultServer,
) -> None:
    config = HTTPClientConfig(timeout=5.0, trust_env=False)
    async with nothing_left(), HTTPClient(config) as client:
        url = faults.url("/slow-answer", interval=0.005)
        calls = [asyncio.create_task(client.get(url)) for _ in range(50)]
        await until(lambda: len(faults.received) > 5)
        for call in calls[::2]:
            call.cancel()
        await asyncio.wait(calls)
        for call in calls[1::2]:
            assert call.result().unwrap().body == b"ok"
        assert sum(call.cancelled() for call in calls[::2]) > 10


async def test_a_task_group_cancels_its_calls(faults: FaultServer) -> None:
    async def fail_when_it_waits() -> None:
        await until(lambda: faults.received)
        raise KeyError("theirs")

    async def both(client: HTTPClient) -> None:
        async with asyncio.TaskGroup() as group:
            calls.append(group.create_task(client.get(faults.url("/stall-in-body"))))
            group.create_task(fail_when_it_waits())

    calls: list[asyncio.Task[object]] = []
    async with nothing_left(), HTTPClient(CONFIG) as client:
        with pytest.raises(ExceptionGroup) as caught:
            await both(client)
    assert [str(error) for error in caught.value.exceptions] == ["'theirs'"]
    assert [call.cancelled() for call in calls] == [True]


async def test_nested_limits_of_the_callers_end_in_their_order(faults: FaultServer) -> None:
    async def nested(outer: float, inner: float) -> str:
        async with asyncio.timeout(outer):
            try:
                async with asyncio.timeout(inner):
                    result = await client.get(faults.url("/stall-before-head"), timeout=0.1)
                    return result.failure().label
            except TimeoutError:
                return "inner"

    async with HTTPClient(CONFIG) as client:
        assert await nested(4.0, 4.0) == "total"
        assert await nested(4.0, 0.03) == "inner"
        with pytest.raises(TimeoutError):
            await nested(0.03, 4.0)


async def test_a_cancelled_wait_between_attempts(echo: EchoServer) -> None:
    policy = RetryPolicy(base_delay=10.0, jitter=False)
    async with nothing_left(), HTTPClient(CONFIG, retry_policy=policy) as client:
        call = asyncio.create_task(client.get(echo.url("/flaky/k/9"), timeout=None))
        await until(lambda: echo.seen["k"])
        await asyncio.sleep(0.01)
        assert await after_steps(1, call)
        assert echo.seen["k"] == 1
