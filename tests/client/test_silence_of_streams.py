"""How long a server may be silent in the body of a stream."""

import asyncio

import pytest

from railhttp import HTTPClient, HTTPClientConfig, HTTPTimeoutError
from railhttp.model.options import RequestOptions
from railhttp.testing import ManualClock, ScriptedTransport

A_DAY = 86_400.0


async def read_silence(
    clock: ManualClock, options: RequestOptions, read_timeout: float | None = None
) -> None:
    """Read a body in which nothing comes."""
    config = HTTPClientConfig(trust_env=False, timeout=30.0, read_timeout=read_timeout)
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/feed").hang(at="body")
    async with (
        HTTPClient(config, exchange=script, clock=clock) as client,
        client.stream("GET", "http://api.test/feed", **options) as chunks,
    ):
        await anext(chunks)


@pytest.mark.parametrize(
    ("of_the_client", "options", "limit"),
    [
        pytest.param(None, {}, 30.0, id="the client's timeout"),
        pytest.param(5.0, {}, 5.0, id="the client's read_timeout"),
        pytest.param(5.0, {"read_timeout": 7.0}, 7.0, id="the read_timeout of the call"),
        pytest.param(None, {"timeout": 9.0}, 9.0, id="the timeout of the call, for everything"),
        pytest.param(None, {"timeout": None, "read_timeout": 7.0}, 7.0, id="only a read_timeout"),
    ],
)
async def test_silence_ends_after(
    of_the_client: float | None, options: RequestOptions, limit: float
) -> None:
    clock = ManualClock()
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(read_silence(clock, options, of_the_client))
    assert (caught.value.limit, clock.monotonic()) == (limit, limit)


@pytest.mark.parametrize("options", [{"read_timeout": None}, {"timeout": None}])
async def test_without_a_limit_silence_may_last_a_day(options: RequestOptions) -> None:
    clock = ManualClock()
    reading = asyncio.ensure_future(read_silence(clock, options))

    def stop() -> None:
        reading.cancel()

    clock.call_later(A_DAY, stop)
    with pytest.raises(asyncio.CancelledError):
        await clock.run(reading)
    assert clock.monotonic() == A_DAY
