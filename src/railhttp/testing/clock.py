"""A clock that tests move by hand, so that hours pass in no time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sized
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

T = TypeVar("T")

_TURNS = 20  # least turns of the event loop after each step, so that sockets are served too
_BLIND_TURNS = 1_000  # the same for a loop that does not show what is ready, such as uvloop
_MOST_TURNS = 10_000  # a task that polls without end is always ready


@dataclass(slots=True, eq=False)
class ManualTimer:
    """A callback that a `ManualClock` has yet to call."""

    _callback: Callable[[], None] | None

    def cancel(self) -> None:
        """Never call the callback."""
        self._callback = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the callback was cancelled, or called already."""
        return self._callback is None

    def ring(self) -> None:
        """Call the callback, unless the timer is cancelled."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class ManualClock:
    """A `Clock` that stands still until the test moves it.

    Pass it as `clock=` to a client or a policy. `advance` wakes sleepers and timers in order and
    lets the event loop run after each one; `run` does the same until an awaitable is done.

    Args:
        now: The first reading of `monotonic()`, in seconds.
        wall: The first reading of `wall()`, in seconds since 1970-01-01 UTC.
        chances: The values that `uniform()` returns, in order; after them it returns 0.5.

    Attributes:
        slept: The length of every sleep so far, in seconds, in order.

    Example:
        >>> async def nap(clock: ManualClock) -> float:
        ...     await clock.sleep(3600)
        ...     return clock.monotonic()
        >>> clock = ManualClock()
        >>> asyncio.run(clock.run(nap(clock))), clock.slept
        (3600.0, [3600])
    """

    def __init__(
        self, *, now: float = 0.0, wall: float = 1_700_000_000.0, chances: Iterable[float] = ()
    ) -> None:
        self._now = now
        self._wall = wall
        self._chances = iter(chances)
        self._timers: list[tuple[float, int, ManualTimer]] = []
        self._numbers = count()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; only `advance` and `run` change them."""
        return self._now

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; they move with `monotonic()`, and with `set_wall`."""
        return self._wall

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock to a time since 1970-01-01 UTC, forward or back."""
        self._wall = seconds

    def uniform(self) -> float:
        """The next one of the scripted numbers."""
        return next(self._chances, 0.5)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved that far; zero or less lets other tasks run once."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        timer = self.call_later(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> ManualTimer:
        """Call `callback` once the clock has moved that far; the timer can be cancelled."""
        timer = ManualTimer(callback)
        heappush(self._timers, (self._now + max(0.0, seconds), next(self._numbers), timer))
        return timer

    @property
    def next_timer(self) -> float | None:
        """The reading of `monotonic()` at which the next timer or sleeper is due, or None."""
        while self._timers and self._timers[0][2].is_cancelled:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    async def advance(self, seconds: float) -> None:
        """Move the clock; every timer that becomes due is called at its own time.

        With 0 seconds, the timers that are due now are called, and the loop runs.
        """
        await self.settle()
        until = self._now + seconds
        while (due := self.next_timer) is not None and due <= until:
            await self._ring()
        self._move(until)
        await self.settle()

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Await something that waits for this clock only, and move the clock from timer to timer.

        Raises:
            RuntimeError: It still waits, but no timer of this clock is left.
        """
        task = asyncio.ensure_future(awaitable)
        try:
            await self.settle()
            while not task.done():
                if self.next_timer is None:
                    raise RuntimeError("not done, but no timer of this clock is left")
                await self._ring()
            return await task
        finally:
            task.cancel()

    async def settle(self) -> None:
        """Let the event loop run until no task is ready, without moving the clock.

        A loop that does not show what is ready, such as uvloop, gets 1000 turns. Any loop gets at
        most 10000, since two tasks that poll each other never end.
        """
        # asyncio has no public way to find out whether a task is ready
        # (tests/testing/test_clock.py::test_long_work_takes_no_time).
        ready: Sized | None = getattr(asyncio.get_running_loop(), "_ready", None)
        least = _TURNS if ready is not None else _BLIND_TURNS
        for turn in range(_MOST_TURNS):
            await asyncio.sleep(0)
            if turn >= least and not ready:
                break

    async def _ring(self) -> None:
        when, _, timer = heappop(self._timers)
        self._move(when)
        timer.ring()
        await self.settle()

    def _move(self, until: float) -> None:
        self._wall += max(0.0, until - self._now)
        self._now = max(self._now, until)
