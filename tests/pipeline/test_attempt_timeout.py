"""The time limit of an attempt."""

import asyncio

import pytest
from tests.pipeline.scripted import ScriptedCall
from yarl import URL

from railhttp.model.errors import Delivery, HTTPTimeoutError, HTTPValidationError
from railhttp.model.request import Request, SendOptions
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.testing import ManualClock


async def test_an_attempt_that_takes_too_long_is_cut() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, takes=60.0)
    with pytest.raises(HTTPTimeoutError, match=r"not done within 2\.0s") as caught:
        await clock.run(AttemptTimeout(2.0, clock=clock).execute(call))
    assert (caught.value.phase, caught.value.method, caught.value.attempts) == ("read", "GET", 1)
    assert clock.monotonic() == caught.value.elapsed == 2.0


async def test_a_plain_function_that_was_cut_may_have_had_its_effect() -> None:
    clock = ManualClock()
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(AttemptTimeout(2.0, clock=clock).execute(clock.sleep, 60.0))
    assert caught.value.delivery is Delivery.MAYBE_SENT


async def test_an_attempt_in_time_passes() -> None:
    clock = ManualClock()
    response = await clock.run(
        AttemptTimeout(2.0, clock=clock).execute(ScriptedCall(clock, takes=1.9))
    )
    assert response.status == 200


async def test_no_attempt_begins_when_the_calls_time_is_up() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, timeout=1.0)
    await clock.advance(1.0)
    with pytest.raises(HTTPTimeoutError, match="not done within") as caught:
        await AttemptTimeout(2.0, clock=clock).execute(call)
    assert (caught.value.phase, caught.value.delivery) == ("total", Delivery.NOT_SENT)
    assert call.attempts == 0


async def test_its_own_timeout_error_passes_untouched() -> None:
    async def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await AttemptTimeout(2.0).execute(fail)


def test_one_limit_serves_one_event_loop_after_the_other() -> None:
    clock = ManualClock()
    timeout = AttemptTimeout(2.0, clock=clock)
    for _ in range(2):
        assert asyncio.run(clock.run(timeout.execute(ScriptedCall(clock)))).status == 200
        with pytest.raises(HTTPTimeoutError):
            asyncio.run(clock.run(timeout.execute(ScriptedCall(clock, takes=9.0))))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(HTTPValidationError):
        AttemptTimeout(seconds)


async def test_an_inner_limit_holds_for_its_own_attempt_only() -> None:
    """A failure names the limit of its attempt, so each layer puts back the one before it."""
    clock = ManualClock()
    outer, inner = AttemptTimeout(5.0, clock=clock), AttemptTimeout(2.0, clock=clock)
    request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
    call = HTTPCall(request, "http://h", clock, None, 9.0)
    seen: list[float | None] = []

    async def send(one: HTTPCall) -> None:
        seen.append(one.attempt_timeout)

    async def twice(one: HTTPCall) -> None:
        await inner.run(send, one)
        seen.append(one.attempt_timeout)

    await outer.run(twice, call)
    assert seen == [2.0, 5.0]
    assert call.attempt_timeout == 9.0


@pytest.mark.parametrize(
    ("timeout", "phase", "limit"), [(4.0, "total", 4.0), (5.0, "read", 5.0), (6.0, "read", 5.0)]
)
async def test_the_nearer_one_of_two_limits_is_named(
    timeout: float, phase: str, limit: float
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, timeout=timeout, takes=100.0)
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(AttemptTimeout(5.0, clock=clock).execute(call))
    assert (caught.value.phase, caught.value.limit) == (phase, limit)
    assert clock.monotonic() == limit
