"""The bulkhead, and what it says when it refuses."""

import asyncio
from collections.abc import Callable

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
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.testing import ManualClock
from railhttp.testing.clock import ManualTimer


async def test_fifty_callers_run_in_order_and_never_more_than_the_limit_at_once() -> None:
    bulkhead = Bulkhead(3)
    inside: list[int] = []
    most = 0
    order: list[int] = []

    async def visit(number: int) -> None:
        nonlocal most
        order.append(number)
        inside.append(number)
        most = max(most, len(inside))
        await asyncio.sleep(0)
        inside.remove(number)

    await asyncio.gather(*(bulkhead.execute(visit, number) for number in range(50)))
    assert (most, order) == (3, list(range(50)))
    assert (bulkhead.running, bulkhead.waiting) == (0, 0)


async def test_cancelling_fifty_waiters_at_once_loses_no_permit() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(2, clock=clock)
    tasks = [
        asyncio.ensure_future(bulkhead.execute(ScriptedCall(clock, takes=1.0))) for _ in range(52)
    ]
    await clock.settle()
    assert (bulkhead.running, bulkhead.waiting) == (2, 50)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (bulkhead.running, bulkhead.waiting) == (0, 0)
    assert (await clock.run(bulkhead.execute(ScriptedCall(clock)))).status == 200


async def test_a_permit_that_arrives_with_a_cancellation_goes_to_the_next_waiter() -> None:
    bulkhead, clock = Bulkhead(1), ManualClock()
    await bulkhead.enter(Call(clock))
    first, second = (asyncio.ensure_future(bulkhead.enter(Call(clock))) for _ in range(2))
    await asyncio.sleep(0)
    bulkhead.leave()
    first.cancel()
    await second
    assert first.cancelled()
    assert (bulkhead.running, bulkhead.waiting) == (1, 0)


@pytest.mark.parametrize("timeout_first", [True, False])
async def test_a_timeout_that_arrives_with_a_cancellation_changes_nothing(
    timeout_first: bool,
) -> None:
    class Captured(ManualClock):
        def call_later(self, seconds: float, callback: Callable[[], None]) -> ManualTimer:
            self.callback = callback
            return super().call_later(seconds, callback)

    clock = Captured()
    bulkhead = Bulkhead(1, max_wait=1.0, clock=clock)
    await bulkhead.enter(Call(clock))
    waiter = asyncio.ensure_future(bulkhead.enter(Call(clock)))
    await asyncio.sleep(0)
    ends = (clock.callback, waiter.cancel) if timeout_first else (waiter.cancel, clock.callback)
    for end in ends:
        end()
    await asyncio.gather(waiter, return_exceptions=True)
    assert waiter.cancelled()
    assert (bulkhead.running, bulkhead.waiting) == (1, 0)


async def test_a_full_queue_rejects_at_once() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_queue=0, clock=clock)
    await bulkhead.enter(Call(clock))
    call = ScriptedCall(clock)
    with pytest.raises(HTTPConnectionError, match="the queue is full") as caught:
        await bulkhead.execute(call)
    error = caught.value
    assert (error.kind, error.delivery, error.method) == ("rejected", Delivery.NOT_SENT, "GET")
    assert (error.attempts, call.attempts) == (0, 0)


async def test_a_wait_longer_than_max_wait_is_a_rejection() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_wait=2.0, clock=clock)
    await bulkhead.enter(Call(clock))
    with pytest.raises(HTTPConnectionError, match="no place within 2 s"):
        await clock.run(bulkhead.execute(asyncio.sleep, 0))
    assert clock.monotonic() == 2.0


async def test_a_deadline_that_passes_in_the_queue_is_a_timeout_of_the_call() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_wait=2.0, clock=clock)
    await bulkhead.enter(Call(clock))
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(bulkhead.execute(ScriptedCall(clock, timeout=1.5)))
    assert (caught.value.phase, caught.value.delivery) == ("total", Delivery.NOT_SENT)
    assert clock.monotonic() == caught.value.elapsed == 1.5


async def test_a_call_that_fails_makes_room_too() -> None:
    async def fail() -> None:
        raise KeyError

    bulkhead = Bulkhead(1)
    with pytest.raises(KeyError):
        await bulkhead.execute(fail)
    assert bulkhead.running == 0


@pytest.mark.parametrize(("limit", "max_queue", "max_wait"), [(0, 0, 0), (1, -1, 0), (1, 0, -1)])
def test_numbers_out_of_bounds_are_refused(limit: int, max_queue: int, max_wait: float) -> None:
    with pytest.raises(HTTPValidationError):
        Bulkhead(limit, max_queue=max_queue, max_wait=max_wait)


@pytest.mark.parametrize(
    ("timeout", "kind"),
    [(4.0, HTTPTimeoutError), (5.0, HTTPTimeoutError), (6.0, HTTPConnectionError)],
)
async def test_the_nearer_one_of_deadline_and_max_wait_ends_the_wait_for_a_place(
    timeout: float, kind: type[HTTPFailure]
) -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_wait=5.0, clock=clock)
    await bulkhead.enter(Call(clock))
    with pytest.raises(kind):
        await clock.run(bulkhead.enter(Call(clock, timeout=timeout)))
    assert clock.monotonic() == min(timeout, 5.0)


@pytest.mark.parametrize(("limit", "max_queue"), [(1, 0), (2, 1), (1, 2), (3, 1)])
async def test_the_queue_is_full_when_as_many_wait_as_may(limit: int, max_queue: int) -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(limit, max_queue=max_queue, clock=clock)
    for _ in range(limit):
        await bulkhead.enter(Call(clock))
    waiting = [asyncio.ensure_future(bulkhead.enter(Call(clock))) for _ in range(max_queue)]
    await clock.settle()
    assert (bulkhead.running, bulkhead.waiting) == (limit, max_queue)
    with pytest.raises(HTTPConnectionError, match="the queue is full"):
        await asyncio.wait_for(bulkhead.enter(Call(clock)), 10.0)
    for _ in range(max_queue):
        bulkhead.leave()
    await asyncio.gather(*waiting)
    assert (bulkhead.running, bulkhead.waiting) == (limit, 0)


async def test_a_caller_that_gives_up_waits_no_more() -> None:
    clock = ManualClock()
    bulkhead = Bulkhead(1, max_queue=1, clock=clock)
    await bulkhead.enter(Call(clock))
    for _ in range(3):
        waiting = asyncio.ensure_future(bulkhead.enter(Call(clock)))
        await clock.settle()
        assert bulkhead.waiting == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (bulkhead.running, bulkhead.waiting) == (1, 0)
