"""Time limits for many tasks by few timers."""

import asyncio
from typing import Final
from unittest.mock import patch

import pytest

from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.timeouts import ClosedError, ExpiredError, Timeouts
from railhttp.testing import ManualClock


async def hold(timeouts: Timeouts, seconds: float | None) -> str:
    """Wait for ever under a limit, and tell what ended it."""
    try:
        with timeouts.limit(seconds):
            await asyncio.Event().wait()
    except (ExpiredError, ClosedError) as error:
        return type(error).__name__
    return "nothing"


async def test_a_limit_ends_the_wait() -> None:
    assert await hold(Timeouts(SYSTEM_CLOCK), 0.01) == "ExpiredError"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_block_that_ends_in_time_is_left_alone() -> None:
    with Timeouts(SYSTEM_CLOCK).limit(0.01):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)  # would be cancelled here


async def test_what_the_block_raises_passes() -> None:
    with pytest.raises(KeyError), Timeouts(SYSTEM_CLOCK).limit(1.0):
        raise KeyError


async def test_many_limits_of_one_duration_need_one_timer() -> None:
    clock = ManualClock()
    with patch.object(clock, "call_later", wraps=clock.call_later) as timers:
        timeouts = Timeouts(clock, (0.03,))
        early = [asyncio.create_task(hold(timeouts, 0.03)) for _ in range(50)]
        await clock.advance(0.01)
        late = [asyncio.create_task(hold(timeouts, 0.03)) for _ in range(50)]
        await clock.advance(0.03)
        outcomes = await asyncio.gather(*early, *late)
    assert set(outcomes) == {"ExpiredError"}
    assert timers.call_count == 2  # one for each time at which limits end


async def test_limits_that_begin_later_end_later() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock)
    ended: list[str] = []

    async def named(name: str) -> None:
        await hold(timeouts, 0.03)
        ended.append(name)

    first = asyncio.create_task(named("first"))
    await clock.advance(0.01)
    second = asyncio.create_task(named("second"))
    await clock.advance(0.0201)
    assert ended == ["first"]
    await clock.advance(0.01)
    await first
    await second
    assert ended == ["first", "second"]


@pytest.mark.parametrize(("outer", "inner"), [(0.01, 1.0), (1.0, 0.01), (0.01, 0.01)])
async def test_of_two_limits_the_nearer_one_ends_the_wait(outer: float, inner: float) -> None:
    timeouts = Timeouts(SYSTEM_CLOCK)

    async def nested() -> str:
        try:
            with timeouts.limit(outer):
                return await hold(timeouts, inner)
        except ExpiredError:
            return "the outer one"

    assert await nested() == ("ExpiredError" if inner < outer else "the outer one")


async def test_a_cancellation_from_elsewhere_passes() -> None:
    task = asyncio.create_task(hold(Timeouts(SYSTEM_CLOCK), 1.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_very_moment_passes_too() -> None:
    timeouts = Timeouts(SYSTEM_CLOCK)
    task = asyncio.create_task(hold(timeouts, None))
    await asyncio.sleep(0)
    timeouts.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_no_limit_still_ends_with_the_timeouts() -> None:
    timeouts = Timeouts(SYSTEM_CLOCK)
    tasks = [asyncio.create_task(hold(timeouts, limit)) for limit in (None, 5.0, 5.0)]
    await asyncio.sleep(0)
    timeouts.close()
    assert await asyncio.gather(*tasks) == ["ClosedError"] * 3
    assert await hold(timeouts, 0.01) == "ExpiredError"  # it can be used again


def timers_of(clock: ManualClock, timeouts: Timeouts, *durations: float) -> list[float]:
    """Use limits one after the other, and return the durations of the timers that it takes."""
    with patch.object(clock, "call_later", wraps=clock.call_later) as timers:
        for seconds in durations:
            with timeouts.limit(seconds):
                pass
    return [call.args[0] for call in timers.call_args_list]


FEW: Final = tuple(map(float, range(1, 17)))


async def test_the_timers_of_few_durations_stay_between_two_calls() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock)
    assert timers_of(clock, timeouts, 5.0, 5.0, 4.0, 5.0) == [5.0, 4.0]
    assert timers_of(clock, Timeouts(clock), *FEW, *FEW) == [*FEW]


async def test_of_many_durations_only_the_usual_ones_keep_their_timers() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock, usual=(30.0,))
    timers_of(clock, timeouts, *FEW)
    assert timers_of(clock, timeouts, 60.0, 60.0, 30.0, 30.0) == [60.0, 60.0, 30.0]


async def test_more_durations_can_become_usual() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock, usual=(60.0,))
    timeouts.expect((30.0,))
    timers_of(clock, timeouts, *FEW)
    assert timers_of(clock, timeouts, 60.0, 30.0, 60.0, 30.0) == [60.0, 30.0]


async def test_a_duration_that_is_no_longer_used_leaves_its_place_to_another() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock, usual=FEW[8:])
    timers_of(clock, timeouts, *FEW)
    await clock.advance(16.0)
    others = (60.0, 61.0, 62.0, 63.0, 64.0, 65.0, 66.0, 67.0)
    assert timers_of(clock, timeouts, *others, *others) == [*others]
    assert timers_of(clock, timeouts, 68.0, 68.0) == [68.0, 68.0]


async def test_a_duration_in_use_stays_after_its_timer() -> None:
    clock = ManualClock()
    timeouts = Timeouts(clock)
    task = asyncio.create_task(hold(timeouts, 2.0))
    await clock.advance(1.0)
    other = asyncio.create_task(hold(timeouts, 2.0))
    await clock.advance(1.5)
    assert timers_of(clock, timeouts, 2.0) == []
    timeouts.close()
    assert [await task, await other] == ["ExpiredError", "ClosedError"]


def test_a_limit_needs_a_task() -> None:
    async def outside() -> None:
        failed = asyncio.get_running_loop().create_future()

        def enter() -> None:
            try:
                with Timeouts(SYSTEM_CLOCK).limit(1.0):
                    failed.set_result("entered")
            except RuntimeError as error:
                failed.set_result(str(error))

        asyncio.get_running_loop().call_soon(enter)
        assert await failed == "a time limit needs a running task"

    asyncio.run(outside())


def test_a_usual_limit_holds_on_the_next_event_loop_too() -> None:
    timeouts = Timeouts(SYSTEM_CLOCK, usual=(0.01,))
    assert asyncio.run(hold(timeouts, 0.01)) == "ExpiredError"

    async def leave_a_timer_behind() -> None:
        with timeouts.limit(0.01):
            pass

    asyncio.run(leave_a_timer_behind())
    assert asyncio.run(hold(timeouts, 0.01)) == "ExpiredError"
