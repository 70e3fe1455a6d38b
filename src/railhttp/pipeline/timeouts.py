"""Time limits for very many calls at the price of very few timers.

All watches of one duration expire in the order in which they began, so one timer for the first of
them is enough: a call costs an entry in a dict, not a timer (benchmarks/README.md, "Time limits").
"""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from railhttp.model.errors import HTTPTimeoutError
from railhttp.protocols import Clock, TimerHandle


class ExpiredError(TimeoutError):
    """The time of a watch is over."""


class ClosedError(Exception):
    """A watch ended because its watchdog was closed, or could not begin on this event loop."""

    def __init__(self, message: str = "the client was stopped") -> None:
        super().__init__(message)


class Watch:
    """A context that cancels its task when its time is over, and then raises `ExpiredError`.

    A cancellation from elsewhere passes through untouched, as with `asyncio.timeout`. One of its
    own bears the watch as its message, so that whoever is inside can tell what it means
    (`watch_behind`).

    Args:
        queue: The watches of its duration.
        owner: The call whose limit it is; None where it is nobody's.
        fail: Builds the failure to raise in place of `ExpiredError`.

    Attributes:
        expires: When its time is over, on the clock's `monotonic()`; 0 where it has no limit.
        is_open: Whether its block has not been left yet.
    """

    __slots__ = (
        *("_cancelling", "_fail", "_failure", "_queue", "_reason", "_task"),
        *("expires", "is_open", "owner"),
    )

    def __init__(
        self,
        queue: "_Queue",
        owner: object = None,
        fail: Callable[[], HTTPTimeoutError] | None = None,
    ) -> None:
        self._queue = queue
        self.owner = owner
        self._fail = fail
        self._failure: Exception | None = None
        self._reason: type[Exception] | None = None

    def __enter__(self) -> Self:
        queue = self._queue
        task = asyncio.current_task(queue.loop)
        if task is None:
            raise RuntimeError("a time limit needs a running task")
        self._task = task
        self._cancelling = task.cancelling()
        self.expires = queue.join(self)
        self.is_open = True
        return self

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self._reason is ExpiredError

    @property
    def failure(self) -> Exception:
        """What the end of its time means, always the same object."""
        if self._failure is None:
            self._failure = ExpiredError() if self._fail is None else self._fail()
        return self._failure

    def end(self, reason: type[Exception]) -> None:
        """End the wait of the task that is inside."""
        self._reason = reason
        self._task.cancel(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.leave(self)
        self.is_open = False
        if self._reason is None:
            return
        is_ours = self._task.uncancel() <= self._cancelling
        if is_ours and exc_type is asyncio.CancelledError:
            raise (self.failure if self.is_expired else self._reason()) from None
        if not is_ours and exc is self._failure is not None:
            # Somebody else cancelled the task too, and must not find that it goes on.
            raise asyncio.CancelledError from None


class _Queue:
    """The watches of one duration, the first to expire in front."""

    __slots__ = ("_clock", "_owner", "_timer", "_usual", "_watches", "loop", "seconds")

    def __init__(
        self,
        owner: "Watchdog",
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        seconds: float | None,
        *,
        usual: bool,
    ) -> None:
        self.loop = loop
        self._owner = owner
        self._clock = clock
        self._usual = usual
        self.seconds = seconds
        self._timer: TimerHandle | None = None
        self._watches: dict[Watch, None] = {}

    def join(self, watch: Watch) -> float:
        """Add a watch, and say when it expires."""
        self._watches[watch] = None
        seconds = self.seconds
        if seconds is None:
            return 0.0
        if self._timer is None:
            self._timer = self._clock.call_later(seconds, self._ring)
        return self._clock.monotonic() + seconds

    def leave(self, watch: Watch) -> None:
        """Remove a watch, if it is still there."""
        self._watches.pop(watch, None)
        if not (self._usual or self._watches):
            self._owner.forget(self)

    def _ring(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        while self._watches:
            first = next(iter(self._watches))
            if first.expires > now:
                self._timer = self._clock.call_later(first.expires - now, self._ring)
                return
            del self._watches[first]
            first.end(ExpiredError)

    def close(self) -> None:
        """Stop the timer, and end the watches that are there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        watches, self._watches = self._watches, {}
        for watch in watches:
            watch.end(ClosedError)


class Watchdog:
    """Hands out time limits.

    Args:
        clock: What tells the time.
        usual: The durations that come again and again; their timers stay between two calls.
        check_loop: Asked before a watch begins on another event loop than the last one; what it
            raises is raised by `watch`.

    Example:
        >>> import asyncio
        >>> from railhttp.pipeline.clock import SYSTEM_CLOCK
        >>> async def main() -> None:
        ...     with Watchdog(SYSTEM_CLOCK).watch(0.001):
        ...         await asyncio.sleep(1)
        >>> asyncio.run(main())
        Traceback (most recent call last):
        railhttp.pipeline.timeouts.ExpiredError
    """

    __slots__ = ("_check_loop", "_clock", "_loop", "_queues", "_usual")

    def __init__(
        self,
        clock: Clock,
        usual: Iterable[float | None] = (),
        check_loop: Callable[[], None] | None = None,
    ) -> None:
        self._clock = clock
        self._check_loop = check_loop
        self._usual = frozenset(usual)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[float | None, _Queue] = {}

    def watch(
        self,
        seconds: float | None,
        owner: object = None,
        fail: Callable[[], HTTPTimeoutError] | None = None,
    ) -> Watch:
        """Give a context with a time limit.

        Args:
            seconds: The limit; None is none, but the context still ends with the watchdog.
            owner: The call whose limit it is.
            fail: Builds what the context raises when the time is over; an `ExpiredError` if None.

        Raises:
            ExpiredError: From the context, when the time is over.
            ClosedError: From the context, when the watchdog is closed meanwhile.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the timers of another one ring no more
            if self._check_loop is not None:
                self._check_loop()
            self._loop = loop
            self._queues = {}
        queue = self._queues.get(seconds)
        if queue is None:
            usual = seconds in self._usual
            queue = self._queues[seconds] = _Queue(self, self._clock, loop, seconds, usual=usual)
        return Watch(queue, owner, fail)

    def forget(self, queue: _Queue) -> None:
        """Forget a duration that nobody waits for and that is no usual one."""
        if self._queues.get(queue.seconds) is queue:
            del self._queues[queue.seconds]
            queue.close()

    def close(self) -> None:
        """End all watches: the tasks inside get `ClosedError`."""
        self._loop = None
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            queue.close()


def watch_behind(error: asyncio.CancelledError) -> Watch | None:
    """Find the time limit that a cancellation comes from.

    Args:
        error: The cancellation; asyncio hands its message on, from task to task too.

    Returns:
        The watch whose time is over; None where the cancellation comes from elsewhere.

    Example:
        >>> print(watch_behind(asyncio.CancelledError("shutting down")))
        None
    """
    match error.args:
        case (Watch(is_expired=True) as watch,):
            return watch
        case _:
            return None
