"""What layers put back or take away when a call has ended."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from yarl import URL

from railhttp import HTTPClient
from railhttp.model.request import Request, SendOptions
from railhttp.pipeline.http_call import HTTPCall
from railhttp.resilience import Bulkhead, ResiliencePipeline
from railhttp.testing import ManualClock, ScriptedTransport


def call_at(clock: ManualClock) -> HTTPCall:
    request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
    return HTTPCall(request, "http://h", clock, 100.0, 50.0)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_pipeline_puts_back_the_limits_of_its_call(fails: bool) -> None:
    clock = ManualClock()
    call = call_at(clock)
    before = call.timeout, call.deadline, call.attempt_timeout
    seen = []

    async def send(one: HTTPCall) -> None:
        seen.append((one.timeout, one.deadline, one.attempt_timeout))
        if fails:
            raise KeyError

    pipeline = ResiliencePipeline.standard(total=7.0, attempt_timeout=3.0, clock=clock)
    if fails:
        with pytest.raises(KeyError):
            await pipeline.run(send, call)
    else:
        await pipeline.run(send, call)
    assert seen == [(7.0, 7.0, 3.0)]
    assert (call.timeout, call.deadline, call.attempt_timeout) == before


async def test_a_permit_that_came_in_time_leaves_no_timer() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_wait=60.0, clock=clock)

    async def work(_: HTTPCall) -> None:
        await clock.sleep(1.0)

    calls = [call_at(clock), call_at(clock)]
    await clock.run(_both(bulkhead, work, calls))
    assert clock.next_timer is None


async def _both(
    bulkhead: Bulkhead, work: Callable[[HTTPCall], Awaitable[None]], calls: list[HTTPCall]
) -> None:
    await asyncio.gather(*(bulkhead.run(work, call) for call in calls))


async def test_a_client_that_was_stopped_leaves_no_timer() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    async with HTTPClient(exchange=script, clock=clock) as client:
        (await client.get("http://h/")).unwrap()
        assert clock.next_timer is not None
    assert clock.next_timer is None
