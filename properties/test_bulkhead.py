"""The bulkhead: its limit, its fair and bounded queue, and no lost permit (invariants 19 to 21)."""

import asyncio
from math import inf
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.scripted import ScriptedCall, outcome_of

from railhttp.model.errors import HTTPConnectionError, HTTPTimeoutError
from railhttp.pipeline.call import Call
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.testing import ManualClock

ACTIONS: Final = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "arrive", "finish", "cancel", "settle", "tick"]),
        st.integers(0, 50),
    ),
    max_size=60,
)


class Crowd:
    """Callers of one bulkhead, each held inside until it is told to leave."""

    def __init__(self, limit: int, max_queue: int, max_wait: float | None) -> None:
        self.clock = ManualClock()
        self.limit = limit
        self.bulkhead = Bulkhead(limit, max_queue=max_queue, max_wait=max_wait, clock=self.clock)
        self.tasks: list[asyncio.Task[None]] = []
        self.doors: dict[int, asyncio.Event] = {}
        self.entered: list[int] = []  # of those that had to wait
        self.waits: list[float] = []

    def arrive(self) -> None:
        self.tasks.append(asyncio.create_task(self.visit(len(self.tasks))))

    async def visit(self, number: int) -> None:
        door = self.doors[number] = asyncio.Event()
        has_to_wait = self.bulkhead.running >= self.limit or self.bulkhead.waiting > 0
        since = self.clock.monotonic()

        async def inside() -> None:
            if has_to_wait:
                self.entered.append(number)
            self.waits.append(self.clock.monotonic() - since)
            await door.wait()

        refusal = await outcome_of(self.bulkhead.execute(inside))
        if refusal is not None:
            assert isinstance(refusal, HTTPConnectionError)
            self.waits.append(self.clock.monotonic() - since)

    async def play(self, action: str, number: int) -> None:
        alive = [index for index, task in enumerate(self.tasks) if not task.done()]
        match action:
            case "arrive":
                self.arrive()
            case "finish" if alive:
                index = alive[number % len(alive)]
                self.doors.get(index, asyncio.Event()).set()
            case "cancel" if alive:
                self.tasks[alive[number % len(alive)]].cancel()
            case "tick":
                await self.clock.advance(0.5)
            case _:
                await asyncio.sleep(0)


@given(ACTIONS, st.integers(1, 3), st.integers(0, 4), st.none() | st.sampled_from([0.0, 1.0]))
def test_cancelling_at_any_point_keeps_the_limit_the_queue_and_every_permit(
    actions: list[tuple[str, int]], limit: int, max_queue: int, max_wait: float | None
) -> None:
    async def scenario() -> None:
        crowd = Crowd(limit, max_queue, max_wait)
        for action, number in actions:
            await crowd.play(action, number)
            assert crowd.bulkhead.running <= limit
            assert crowd.bulkhead.waiting <= max_queue
        assert crowd.entered == sorted(crowd.entered)
        assert max(crowd.waits, default=0.0) <= (inf if max_wait is None else max_wait)
        while not all(task.done() for task in crowd.tasks):
            for door in crowd.doors.values():
                door.set()
            await crowd.clock.settle()
        await asyncio.gather(*crowd.tasks, return_exceptions=True)
        assert (crowd.bulkhead.running, crowd.bulkhead.waiting) == (0, 0)
        assert crowd.clock.next_timer is None

    asyncio.run(scenario())


@given(st.floats(0, 10), st.none() | st.floats(0, 10))
def test_the_wait_ends_with_the_shorter_of_max_wait_and_the_remaining_time(
    timeout: float, max_wait: float | None
) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        bulkhead = Bulkhead(1, max_wait=max_wait, clock=clock)
        await bulkhead.enter(Call(clock))
        call = ScriptedCall(clock, timeout=timeout)
        error = await clock.run(outcome_of(bulkhead.execute(call)))
        if max_wait is None or timeout <= max_wait:
            assert isinstance(error, HTTPTimeoutError)
            assert (error.phase, clock.monotonic()) == ("total", timeout)
        else:
            assert isinstance(error, HTTPConnectionError)
            assert (error.kind, clock.monotonic()) == ("rejected", max_wait)
        assert call.attempts == 0
        assert (bulkhead.running, bulkhead.waiting) == (1, 0)

    asyncio.run(scenario())
