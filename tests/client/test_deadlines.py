"""Time limits: what each covers, and that it is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import pytest
from tests.loops import PatientLoop
from tests.patience import until
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.listener import unanswered_port

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.testing import ManualClock

LIMIT: Final = 0.12
SLACK: Final = 0.4
"""Seconds of waiting by which a limit may be late; the defects looked for cost a second or more."""
STALLED: Final = 30.0
"""Seconds that a call takes at least if its limit does not hold."""


@asynccontextmanager
async def in_time(limit: float) -> AsyncIterator[None]:
    """Assert that the block lasts as long as the limit, and is not late.

    A busy machine may be late by any time, so only the loop's own time counts, see `tests.loops`.
    uvloop's own time contains some of the machine's.
    """
    loop = asyncio.get_running_loop()
    began, idle_before = monotonic(), loop.time()
    yield
    assert monotonic() - began >= limit * 0.95
    slack = SLACK if isinstance(loop, PatientLoop) else STALLED / 3
    assert loop.time() - idle_before < limit + slack


@pytest.mark.parametrize(
    ("path", "delivery"),
    [
        ("/stall-before-head", Delivery.MAYBE_SENT),
        ("/stall-in-head", Delivery.MAYBE_SENT),
        ("/endless-continue", Delivery.MAYBE_SENT),
        ("/stall-after-head", Delivery.ANSWERED),
        ("/stall-in-body", Delivery.ANSWERED),
        ("/stall-in-chunks", Delivery.ANSWERED),
        ("/slow-drip?bytes=10000", Delivery.ANSWERED),
        ("/slow-head?interval=1", Delivery.MAYBE_SENT),
    ],
)
async def test_the_timeout_covers_the_whole_call(
    client: HTTPClient, faults: FaultServer, path: str, delivery: Delivery
) -> None:
    async with in_time(LIMIT):
        failure = (await client.get(faults.url(path), timeout=LIMIT)).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.delivery, failure.attempts) == ("total", delivery, 1)
    assert failure.elapsed >= LIMIT * 0.95


async def test_the_timeout_covers_redirects(client: HTTPClient, faults: FaultServer) -> None:
    url = faults.url("/redirect-forever")
    failure = (await client.get(url, timeout=LIMIT, max_redirects=10**9)).failure()
    assert (failure.label, failure.delivery) == ("total", Delivery.ANSWERED)


async def test_the_timeout_covers_connecting(client: HTTPClient) -> None:
    with unanswered_port() as port:
        async with in_time(LIMIT):
            result = await client.get(f"http://127.0.0.1:{port}/", timeout=LIMIT)
    assert (result.failure().label, result.failure().delivery) == ("total", Delivery.NOT_SENT)


async def test_the_timeout_covers_the_wait_for_the_pool(faults: FaultServer) -> None:
    config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), trust_env=False)
    async with nothing_left(), HTTPClient(config) as client:
        busy = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        async with in_time(LIMIT):
            failure = (await client.get(faults.url(), timeout=LIMIT)).failure()
        assert (failure.label, failure.delivery) == ("total", Delivery.NOT_SENT)
        busy.cancel()
        await asyncio.wait([busy])


async def test_the_timeout_covers_the_waits_between_attempts(echo: EchoServer) -> None:
    clock = ManualClock()
    policy = RetryPolicy(max_attempts=9, base_delay=10.0, jitter=False, reraise=True, clock=clock)
    async with HTTPClient(retry_policy=policy, clock=clock) as client:
        failure = (await clock.run(client.get(echo.url("/flaky/k/99"), timeout=25.0))).failure()
    assert clock.monotonic() <= 25.0
    assert (failure.message, failure.attempts) == ("status 503", 2)  # a third would come too late


async def test_the_timeout_covers_an_upload_that_stalls(
    client: HTTPClient, faults: FaultServer
) -> None:
    async with in_time(LIMIT):
        url = faults.url("/stalled-upload")
        result = await client.put(url, data=bytes(16_000_000), timeout=LIMIT)
    assert (result.failure().label, result.failure().delivery) == ("total", Delivery.MAYBE_SENT)


async def test_the_timeout_covers_a_body_that_is_slow_to_come(
    client: HTTPClient, faults: FaultServer
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a"
            await asyncio.sleep(0.01)

    async with nothing_left(), in_time(LIMIT):
        failure = (await client.put(faults.url(), data=endless(), timeout=LIMIT)).failure()
        assert failure.label == "total"


async def test_the_timeout_of_ones_own_pool_holds_where_no_config_says_another(
    faults: FaultServer,
) -> None:
    pool = ConnectionPool(timeout=LIMIT)
    assert HTTPClient(HTTPClientConfig(timeout=5.0), pool).config.timeout == 5.0
    async with HTTPClient(pool=pool) as client, in_time(LIMIT):
        failure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert (client.config.timeout, failure.label) == (LIMIT, "total")


async def test_none_is_no_limit(faults: FaultServer) -> None:
    async with HTTPClient(HTTPClientConfig(timeout=0.05, trust_env=False)) as client:
        url = faults.url("/slow-answer", interval=0.1)
        assert (await client.get(url)).failure().label == "total"
        assert (await client.get(url, timeout=None)).unwrap().body == b"ok"


@pytest.mark.parametrize("path", ["/stall-before-head", "/stall-in-head", "/stall-in-body"])
async def test_a_silence_ends_after_the_read_timeout(
    client: HTTPClient, faults: FaultServer, path: str
) -> None:
    async with in_time(LIMIT):
        options = RequestOptions(read_timeout=LIMIT, timeout=None)
        failure = (await client.post(faults.url(path), **options)).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit) == ("read", LIMIT)


async def test_the_read_timeout_counts_silence_and_not_time(
    client: HTTPClient, faults: FaultServer
) -> None:
    url = faults.url("/slow-drip", interval=0.02)
    assert (await client.get(url, read_timeout=0.2)).unwrap().body == b"a" * 20


async def test_an_attempt_has_a_time_of_its_own(faults: FaultServer) -> None:
    policy = RetryPolicy(max_attempts=3, base_delay=0.001)
    config = HTTPClientConfig(trust_env=False, attempt_timeout=0.05)
    async with nothing_left(), HTTPClient(config, retry_policy=policy) as client:
        async with in_time(0.15):
            with pytest.raises(HTTPRetryExhaustedError) as caught:
                await client.get(faults.url("/stall-in-body"))
        assert [failure.label for failure in caught.value.failures] == ["read"] * 3
        assert len(faults.received) == caught.value.attempts == 3
        within = await client.get(faults.url("/slow-answer", interval=0.08), attempt_timeout=None)
        assert within.unwrap().body == b"ok"


@pytest.mark.parametrize(
    ("outer", "inner", "label"), [(0.05, 1.0, "total"), (1.0, 0.05, "read"), (0.05, 0.05, "total")]
)
async def test_the_nearest_limit_wins(
    client: HTTPClient, faults: FaultServer, outer: float, inner: float, label: str
) -> None:
    url = faults.url("/stall-in-body")
    failure = (await client.post(url, timeout=outer, attempt_timeout=inner)).failure()
    assert failure.label == label


@pytest.mark.parametrize("theirs", [0.05, 0.0501, 5.0])
async def test_a_limit_of_the_callers_own_is_the_callers(
    client: HTTPClient, faults: FaultServer, theirs: float
) -> None:
    call = client.get(faults.url("/stall-in-body"), timeout=0.3)
    if theirs > 1:
        async with asyncio.timeout(theirs):
            assert (await call).failure().label == "total"
    else:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(theirs):
                await call
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one
