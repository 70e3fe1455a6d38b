"""The rate limiter, and what it says when it refuses."""

import asyncio

import pytest
from tests.pipeline.scripted import ScriptedCall

from railhttp.model.errors import (
    Delivery,
    HTTPConnectionError,
    HTTPFailure,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.pipeline.call import Call
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.store import MemoryStore
from railhttp.testing import ManualClock


async def begin_times(limiter: RateLimiter, clock: ManualClock, callers: int) -> list[float]:
    """When each of so many callers, all there at once, begins."""
    began: list[float] = []

    async def begin() -> None:
        began.append(clock.monotonic())

    await clock.run(asyncio.gather(*(limiter.execute(begin) for _ in range(callers))))
    return began


async def test_the_first_second_admits_no_more_than_any_other() -> None:
    clock = ManualClock()
    began = await begin_times(RateLimiter(10, clock=clock), clock, 50)
    assert sum(when < 1.0 - 1e-9 for when in began) == 10
    assert began == pytest.approx([number / 10 for number in range(50)])


async def test_after_a_pause_a_burst_may_begin_at_once() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1, burst=3, clock=clock)
    assert await begin_times(limiter, clock, 5) == [0, 0, 0, 1, 2]
    await clock.advance(10)
    assert await begin_times(limiter, clock, 4) == [12, 12, 12, 13]


async def test_a_cancelled_waiter_leaves_its_turn_to_the_next() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1, clock=clock)
    await limiter.admit(Call(clock))
    first, second = (asyncio.ensure_future(limiter.admit(Call(clock))) for _ in range(2))
    await clock.settle()
    assert limiter.waiting == 2
    first.cancel()
    await clock.run(second)
    assert clock.monotonic() == 1.0


async def test_a_turn_after_max_wait_is_rejected_at_once() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1, max_wait=1.0, clock=clock)
    calls = [ScriptedCall(clock) for _ in range(3)]
    outcomes = await clock.run(
        asyncio.gather(*(limiter.execute(call) for call in calls), return_exceptions=True)
    )
    refusal = outcomes[2]
    assert isinstance(refusal, HTTPConnectionError)
    assert "its turn would not come within 1 s" in str(refusal)
    assert (refusal.kind, refusal.delivery) == ("rejected", Delivery.NOT_SENT)
    assert [call.began for call in calls] == [[0.0], [1.0], []]


async def test_a_turn_after_the_deadline_is_a_timeout_of_the_call() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1, clock=clock)
    await limiter.admit(Call(clock))
    with pytest.raises(HTTPTimeoutError) as caught:
        await limiter.execute(ScriptedCall(clock, timeout=1.0))
    assert (caught.value.phase, caught.value.delivery) == ("total", Delivery.NOT_SENT)
    assert (clock.monotonic(), limiter.waiting) == (0.0, 0)


async def test_a_full_queue_refuses_at_once() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1, max_queue=0, clock=clock)
    await limiter.admit(Call(clock))
    with pytest.raises(HTTPConnectionError, match="too many calls wait already"):
        await limiter.admit(Call(clock))


async def test_a_waiter_that_others_overtake_elsewhere_gives_up_in_time() -> None:
    clock = ManualClock()
    store = MemoryStore[float](clock=clock)
    limiter = RateLimiter(1, max_wait=1.5, store=store, clock=clock)
    await limiter.admit(Call(clock))
    first, second = (asyncio.ensure_future(limiter.admit(Call(clock))) for _ in range(2))
    await clock.settle()
    assert isinstance(second.exception(), HTTPConnectionError)
    await store.apply("", lambda full_at, event, now: (now + 60.0, None), None)
    with pytest.raises(HTTPConnectionError):
        await clock.run(first)
    assert clock.monotonic() == 1.0


async def test_a_waiter_behind_one_that_is_overtaken_gives_up_in_time_too() -> None:
    clock = ManualClock()
    store = MemoryStore[float](clock=clock)
    limiter = RateLimiter(1, store=store, clock=clock)
    await limiter.admit(Call(clock))
    first = asyncio.ensure_future(limiter.admit(Call(clock)))
    await clock.settle()
    second = asyncio.ensure_future(limiter.execute(ScriptedCall(clock, timeout=2.5)))
    await clock.settle()
    await store.apply("", lambda full_at, event, now: (now + 60.0, None), None)
    with pytest.raises(HTTPTimeoutError):
        await clock.run(second)
    assert clock.monotonic() == 2.5
    await clock.run(first)
    assert (clock.monotonic(), limiter.waiting) == (60.0, 0)


@pytest.mark.parametrize(
    ("rate", "burst", "max_queue", "max_wait", "field"),
    [
        (0, 1, 0, 0, "rate"),
        (float("inf"), 1, 0, 0, "rate"),
        (1, 0, 0, 0, "burst"),
        (1, 1, -1, 0, "max_queue"),
        (1, 1, 0, -1, "max_wait"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    rate: float, burst: int, max_queue: int, max_wait: float, field: str
) -> None:
    with pytest.raises(HTTPValidationError, match=f"^{field}: "):
        RateLimiter(rate, burst, max_queue=max_queue, max_wait=max_wait)


@pytest.mark.parametrize(
    ("timeout", "kind"),
    [(4.0, HTTPTimeoutError), (5.0, HTTPTimeoutError), (6.0, HTTPConnectionError)],
)
async def test_the_nearer_one_of_deadline_and_max_wait_refuses_a_turn(
    timeout: float, kind: type[HTTPFailure]
) -> None:
    clock = ManualClock()
    limiter = RateLimiter(0.1, max_wait=5.0, clock=clock)
    await limiter.admit(Call(clock))
    with pytest.raises(kind):
        await limiter.admit(Call(clock, timeout=timeout))
    assert clock.monotonic() == 0.0
