"""The clock: the only source of time, randomness and sleep."""

from collections.abc import Callable
from typing import Protocol


class TimerHandle(Protocol):
    """A scheduled callback; see `Clock.call_later`."""

    def cancel(self) -> None:
        """Cancel the callback."""
        ...


class Clock(Protocol):
    """Source of time, randomness and sleep.

    `railhttp.pipeline.clock.SystemClock` reads the real time; `railhttp.testing.ManualClock` moves
    only when a test advances it.
    """

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; its zero is arbitrary."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC, for dates in header fields."""
        ...

    def uniform(self) -> float:
        """A random number, at least 0 and less than 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or fewer seconds let other tasks run once."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a callback on the running loop."""
        ...
