"""The clock: the one source of time, sleep and randomness."""

from collections.abc import Callable
from typing import Protocol


class TimerHandle(Protocol):
    """A scheduled callback; see `Clock.call_later`."""

    def cancel(self) -> None:
        """Cancel the callback."""
        ...


class Clock(Protocol):
    """The source of time, sleep and randomness.

    `railhttp.pipeline.clock.SystemClock` is the real one; tests use a clock that they advance.
    """

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back; its zero is arbitrary."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970-01-01 UTC, for dates in header fields."""
        ...

    def uniform(self) -> float:
        """Return a random number, at least 0 and less than 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a time of zero or less lets other tasks run once."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule `callback` on the running loop.

        Returns:
            The handle that cancels it.
        """
        ...
