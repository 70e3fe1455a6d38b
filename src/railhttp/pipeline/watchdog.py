"""Time limits for very many calls at the price of very few timers.

All watches of one duration expire in the order in which they began, so one timer for the first of
them is enough: a call costs an entry in a dict, not a timer (benchmarks/README.md, "Time limits").
"""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from railhttp.protocols import Clock, TimerHandle


class ExpiredError(TimeoutError):
    """The time of a watch is over."""


class ClosedError(Exception):
    """A watch ended because its watchdog was closed."""


class Watch:
    """A context that cancels its task when its time is over, and then raises `ExpiredError`.

    A cancellation from elsewhere passes through untouched, as with `asyncio.timeout`.
    """

    __slots__ = ("_cancelling", "_closed", "_expired", "_queue", "_task", "expires")

    def __init__(self, queue: "_Queue") -> None:
        self._queue = queue
        self._expired = self._closed = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a running task")
        self._task = task
        self._cancelling = task.cancelling()
        self.expires = self._queue.add(self)
        return self

    def expire(self, *, closed: bool = False) -> None:
        """End the wait of the task that is inside."""
        self._expired, self._closed = True, closed
        self._task.cancel()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.remove(self)
        if (
            self._expired
            and self._task.uncancel() <= self._cancelling
            and exc_type is asyncio.CancelledError
        ):
            raise (ClosedError if self._closed else ExpiredError) from exc


class _Queue:
    """The watches of one duration, the first to expire in front."""

    __slots__ = ("_clock", "_owner", "_timer", "_watches", "seconds")

    def __init__(self, owner: "Watchdog", clock: Clock, seconds: float | None) -> None:
        self._owner = owner
        self._clock = clock
        self.seconds = seconds
        self._timer: TimerHandle | None = None
        self._watches: dict[Watch, None] = {}

    def add(self, watch: Watch) -> float:
        self._watches[watch] = None
        if self.seconds is None:
            return 0.0
        if self._timer is None:
            self._timer = self._clock.call_later(self.seconds, self._ring)
        return self._clock.monotonic() + self.seconds

    def remove(self, watch: Watch) -> None:
        self._watches.pop(watch, None)
        if not self._watches:
            self._owner.emptied(self)

    def _ring(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        while self._watches:
            first = next(iter(self._watches))
            if first.expires > now:
                self._timer = self._clock.call_later(first.expires - now, self._ring)
                return
            del self._watches[first]
            first.expire()

    def close(self, *, watches_too: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if watches_too:
            for watch in tuple(self._watches):
                watch.expire(closed=True)
            self._watches.clear()


class Watchdog:
    """Hands out time limits.

    Args:
        clock: What tells the time.
        usual: The durations that come again and again; their timers stay between two calls.

    Example:
        >>> import asyncio
        >>> from railhttp.pipeline.clock import SYSTEM_CLOCK
        >>> async def main() -> None:
        ...     with Watchdog(SYSTEM_CLOCK).watch(0.001):
        ...         await asyncio.sleep(1)
        >>> asyncio.run(main())
        Traceback (most recent call last):
        railhttp.pipeline.watchdog.ExpiredError
    """

    __slots__ = ("_clock", "_queues", "_usual")

    def __init__(self, clock: Clock, usual: Iterable[float | None] = ()) -> None:
        self._clock = clock
        self._usual = frozenset(usual)
        self._queues: dict[float | None, _Queue] = {}

    def watch(self, seconds: float | None) -> Watch:
        """Give a context with a time limit.

        Args:
            seconds: The limit; None is none, but the context still ends with the watchdog.

        Raises:
            ExpiredError: From the context, when the time is over.
            ClosedError: From the context, when the watchdog is closed meanwhile.
        """
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = _Queue(self, self._clock, seconds)
        return Watch(queue)

    def emptied(self, queue: _Queue) -> None:
        """Forget a duration that nobody waits for, unless it is a usual one."""
        if queue.seconds not in self._usual and self._queues.get(queue.seconds) is queue:
            del self._queues[queue.seconds]
            queue.close(watches_too=False)

    def close(self) -> None:
        """End all watches: the tasks inside get `ClosedError`."""
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            queue.close(watches_too=True)
