"""The clock that tests move by hand."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from railhttp import HTTPClient
from railhttp.protocols import Clock
from railhttp.testing import ManualClock, ScriptedTransport


async def test_time_stands_still_until_it_is_moved() -> None:
    clock: Clock = ManualClock(now=5.0, wall=100.0)
    assert (clock.monotonic(), clock.wall()) == (5.0, 100.0)


async def test_sleepers_and_timers_are_woken_in_their_order_each_at_its_own_time() -> None:
    clock = ManualClock()
    log: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        log.append((name, clock.monotonic()))

    tasks = [
        asyncio.ensure_future(sleeper("third", 3.0)),
        asyncio.ensure_future(sleeper("first", 1.0)),
    ]
    clock.call_later(2.0, lambda: log.append(("second", clock.monotonic())))
    await clock.advance(2.5)
    assert log == [("first", 1.0), ("second", 2.0)]
    assert (clock.monotonic(), clock.next_timer) == (2.5, 3.0)
    await clock.advance(0.5)
    assert log[2:] == [("third", 3.0)]
    assert all(task.done() for task in tasks)
    assert clock.next_timer is None


async def test_what_a_sleeper_starts_when_woken_is_served_too() -> None:
    clock = ManualClock()

    async def twice() -> float:
        await clock.sleep(1.0)
        await clock.sleep(1.0)
        return clock.monotonic()

    task = asyncio.ensure_future(twice())
    await clock.advance(10.0)
    assert (task.result(), clock.monotonic(), clock.slept) == (2.0, 10.0, [1.0, 1.0])


async def test_a_sleep_of_nothing_lets_others_run_once() -> None:
    clock = ManualClock()
    other = asyncio.ensure_future(asyncio.sleep(0, "ran"))
    await clock.sleep(0.0)
    await clock.sleep(-1.0)
    assert other.result() == "ran"


async def test_a_cancelled_timer_never_rings() -> None:
    clock = ManualClock()
    log: list[str] = []
    timer = clock.call_later(1.0, lambda: log.append("rang"))
    timer.cancel()
    timer.ring()
    assert (timer.is_cancelled, clock.next_timer) == (True, None)
    await clock.advance(2.0)
    assert log == []


async def test_a_cancelled_sleeper_leaves_no_timer() -> None:
    clock = ManualClock()
    task = asyncio.ensure_future(clock.sleep(5.0))
    await clock.settle()
    task.cancel()
    await clock.settle()
    assert task.cancelled()
    assert clock.next_timer is None


async def test_run_jumps_from_timer_to_timer_and_gives_the_result() -> None:
    clock = ManualClock()
    assert await clock.run(asyncio.sleep(0, "done")) == "done"
    await clock.run(asyncio.gather(clock.sleep(60.0), clock.sleep(30.0)))
    assert clock.monotonic() == 60.0


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    ("calls", "chunks"), [(30, 1), (1, 300)], ids=["many calls", "a long body"]
)
def test_long_work_takes_no_time(
    loop: Callable[[], asyncio.AbstractEventLoop], calls: int, chunks: int
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(body=[b"a"] * chunks)

    async def call() -> list[int]:
        async with HTTPClient(exchange=script, clock=clock) as client:
            return [(await client.request("GET", "http://h/")).status for _ in range(calls)]

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(clock.run(call())) == [200] * calls
    assert clock.monotonic() == 0.0


async def test_two_clocks_that_wait_for_each_other_come_to_an_end() -> None:
    first, second = ManualClock(), ManualClock()
    await asyncio.gather(first.run(first.sleep(1.0)), second.run(second.sleep(2.0)))
    assert (first.monotonic(), second.monotonic()) == (1.0, 2.0)


async def test_run_says_when_nothing_would_ever_wake_what_it_awaits() -> None:
    with pytest.raises(RuntimeError, match="no timer of this clock is left"):
        await ManualClock().run(asyncio.Event().wait())


async def test_run_hands_on_what_is_raised() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await ManualClock().run(fail())


def test_chances_are_scripted_and_then_even() -> None:
    clock = ManualClock(chances=[0.1, 0.9])
    assert [clock.uniform() for _ in range(4)] == [0.1, 0.9, 0.5, 0.5]


async def test_the_wall_clock_moves_along_and_can_be_set_back() -> None:
    clock = ManualClock(wall=100.0)
    await clock.advance(5.0)
    assert clock.wall() == 105.0
    clock.set_wall(50.0)
    await clock.advance(1.0)
    assert (clock.wall(), clock.monotonic()) == (51.0, 6.0)


@pytest.mark.parametrize(
    ("loop", "least", "most"),
    [(asyncio.new_event_loop, 20, 100), (uvloop.new_event_loop, 1_000, 1_100)],
)
def test_an_idle_loop_is_left_soon(
    loop: Callable[[], asyncio.AbstractEventLoop],
    least: int,
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns, sleep = 0, asyncio.sleep

    async def counted(delay: float) -> None:
        nonlocal turns
        turns += 1
        await sleep(delay)

    monkeypatch.setattr(asyncio, "sleep", counted)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ManualClock().settle())
    assert least <= turns <= most


async def test_tasks_that_poll_for_ever_do_not_hold_the_clock() -> None:
    polls = 0

    async def poll() -> None:
        nonlocal polls
        while True:
            polls += 1
            await asyncio.sleep(0)

    tasks = [asyncio.ensure_future(poll()) for _ in range(2)]
    await ManualClock().settle()
    for task in tasks:
        task.cancel()
    assert 10_000 <= polls / 2 <= 10_100


async def test_a_timer_of_the_past_is_due_now() -> None:
    clock = ManualClock(now=10.0)
    rung: list[float] = []
    clock.call_later(-5.0, lambda: rung.append(clock.monotonic()))
    assert clock.next_timer == 10.0
    await clock.advance(0)
    assert (rung, clock.monotonic()) == ([10.0], 10.0)


async def test_timers_of_one_time_ring_in_the_order_in_which_they_were_set() -> None:
    clock = ManualClock()
    rung: list[int] = []
    timers = [clock.call_later(1.0, partial(rung.append, number)) for number in range(9)]
    await clock.advance(1.0)
    assert rung == [*range(9)]
    assert all(timer.is_cancelled for timer in timers)
    timers[0].ring()
    assert rung == [*range(9)]


async def test_run_cancels_what_it_gives_up() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    with pytest.raises(RuntimeError):
        await ManualClock().run(wait())
    await asyncio.sleep(0)
    assert ended == ["ended"]


def test_a_clock_starts_at_zero_in_november_2023() -> None:
    clock = ManualClock()
    assert (clock.monotonic(), clock.wall(), clock.slept) == (0.0, 1_700_000_000.0, [])
