"""A clock that is turned by hand, so that tests of hours take no time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sized
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

T = TypeVar("T")

_TURNS = 20
"""Turns of the event loop after each step at the least, so that sockets have a chance too."""

_BLIND_TURNS = 1_000
"""Turns of a loop that does not tell whether more is ready, such as uvloop."""

_MOST_TURNS = 10_000
"""Turns of any loop at the most: what polls without end is always ready."""


class ManualTimer:
    """A call that is yet to come.

    Args:
        callback: What is called.
    """

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Make sure that it does not come."""
        self._callback = None

    @property
    def is_cancelled(self) -> bool:
        """Whether it will not come, or has come already."""
        return self._callback is None

    def ring(self) -> None:
        """Let it come."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class ManualClock:
    """A `Clock` that stands still until it is told to move.

    Pass it as `clock=` to whatever takes one. `advance` wakes sleepers and timers in their order
    and lets the loop run after each; `run` does so until something is done.

    Args:
        now: What `monotonic()` shows at first, in seconds.
        wall: What `wall()` shows at first, in seconds since 1970-01-01 UTC.
        chances: What `uniform()` gives, one after the other; then 0.5 for ever.

    Attributes:
        slept: Every sleep that was asked for, in seconds, in order.

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
        """Seconds since some beginning; only `advance` and `run` change it."""
        return self._now

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; moves with `monotonic()`, and with `set_wall`."""
        return self._wall

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock, forward or back, as people and time servers do.

        Args:
            seconds: The time, since 1970-01-01 UTC.
        """
        self._wall = seconds

    def uniform(self) -> float:
        """The next one of the scripted numbers."""
        return next(self._chances, 0.5)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved that far; zero or less lets other tasks run once.

        Args:
            seconds: How far.
        """
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
        """Have `callback` called once the clock has moved that far.

        Args:
            seconds: How far.
            callback: What is called.

        Returns:
            The timer, which can be cancelled.
        """
        timer = ManualTimer(callback)
        heappush(self._timers, (self._now + max(0.0, seconds), next(self._numbers), timer))
        return timer

    @property
    def next_timer(self) -> float | None:
        """When the next timer or sleeper is due, on `monotonic()`; None where nothing waits."""
        while self._timers and self._timers[0][2].is_cancelled:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    async def advance(self, seconds: float) -> None:
        """Move the clock, and let everything happen that becomes due, each at its own time.

        Args:
            seconds: How far; 0 only lets the loop run and rings what is due now.
        """
        await self.settle()
        until = self._now + seconds
        while (due := self.next_timer) is not None and due <= until:
            await self._ring()
        self._move(until)
        await self.settle()

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Await something, moving the clock from timer to timer while it waits.

        Args:
            awaitable: What to await; it must wait for this clock only, not for sockets.

        Returns:
            Its result.

        Raises:
            RuntimeError: It waits for something that no timer of this clock will bring.
        """
        task = asyncio.ensure_future(awaitable)
        try:
            await self.settle()
            while not task.done():
                if self.next_timer is None:
                    raise RuntimeError("nothing that this clock could bring would wake it")
                await self._ring()
            return await task
        finally:
            task.cancel()

    async def settle(self) -> None:
        """Let the loop run until what is ready has run, without moving the clock.

        A loop that does not tell what is ready, such as uvloop, gets 1000 turns; any loop gets no
        more than 10000, since two tasks that wait for each other's turn would never be done.
        """
        # There is no public way to ask (tests/testing/test_clock.py::test_long_work_takes_no_time).
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
