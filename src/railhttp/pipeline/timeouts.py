"""Time limits for very many calls at the price of very few timers.

Timeouts of one duration expire in the order in which they began, so one timer for the first of them
is enough: a call costs an entry in a dict, not a timer (benchmarks/README.md).
"""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from railhttp.model.clock import Clock, TimerHandle
from railhttp.model.errors import HTTPTimeoutError

if TYPE_CHECKING:
    from railhttp.pipeline.call import Call

_MOST_KEPT: Final = 16
"""Durations whose timers stay between two calls: a new one costs a fifth of a call."""


class ExpiredError(TimeoutError):
    """The time of a timeout is over."""


class ClosedError(Exception):
    """The client was stopped, or it cannot serve this event loop."""

    def __init__(self, message: str = "the client was stopped") -> None:
        super().__init__(message)


class Timeout:
    """A context that cancels its task when its time is over, and then raises `ExpiredError`.

    A cancellation from outside always wins: if the task was cancelled both by its limit and from
    outside, the block ends with `CancelledError`. The limit's own cancellation carries the timeout
    as its message, so code inside the block can find the reason (`timeout_behind`).

    Attributes:
        expires: When the time is over, on the clock's `monotonic()`; 0 if there is no limit.
        is_open: Whether the block is still running.
    """

    __slots__ = (
        *("_cancelling", "_cancels", "_fail", "_failure", "_queue", "_reason", "_task"),
        *("expires", "is_open", "owner"),
    )

    def __init__(
        self,
        queue: "_TimerQueue",
        owner: "Call | None" = None,
        fail: "Callable[[Call], HTTPTimeoutError] | None" = None,
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
        self._cancels = 0
        queue.timeouts[self] = None
        self.expires: float = 0.0 if queue.seconds is None else queue.expiry(queue.seconds)
        self.is_open: bool = True
        return self

    @property
    def is_expired(self) -> bool:
        """Whether the time is over."""
        return self._reason is ExpiredError

    @property
    def failure(self) -> Exception:
        """The failure that the expiry means, always the same object."""
        if self._failure is None:
            if self._fail is None or self.owner is None:
                self._failure = ExpiredError()
            else:
                self._failure = self._fail(self.owner)
        return self._failure

    def end(self, reason: type[Exception]) -> None:
        """Cancel the task inside the block."""
        self._reason = reason
        self._cancel()

    def insist(self) -> None:
        """Cancel the task again if it swallowed the first cancellation."""
        if self.is_open:
            self._cancel()

    def _cancel(self) -> None:
        self._cancels += 1
        self._task.cancel(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        queue = self._queue
        queue.timeouts.pop(self, None)
        if not (queue.keep or queue.timeouts):
            queue.forget()
        self.is_open = False
        if self._reason is None:
            return
        for _ in range(self._cancels):
            self._task.uncancel()
        if self._task.cancelling() > self._cancelling:
            # The task was cancelled from outside too, and must not find that it goes on
            # (tests/client/test_cancellation.py, "in one turn").
            raise asyncio.CancelledError from None
        if exc_type is asyncio.CancelledError:
            raise (self.failure if self.is_expired else self._reason()) from None


class _TimerQueue:
    """The timeouts of one duration, the first to expire in front."""

    __slots__ = ("_clock", "_owner", "_timer", "keep", "loop", "seconds", "timeouts")

    def __init__(
        self,
        owner: "Timeouts",
        loop: asyncio.AbstractEventLoop,
        seconds: float | None,
        *,
        keep: bool,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.seconds: float | None = seconds
        self._owner = owner
        self._clock = owner.clock
        self.keep: bool = keep
        self._timer: TimerHandle | None = None
        # A timeout enters and leaves by itself: a method for each would cost every call two frames.
        self.timeouts: dict[Timeout, None] = {}

    def expiry(self, seconds: float) -> float:
        """Return the time at which a timeout that begins now expires."""
        if self._timer is None:
            self._timer = self._clock.call_later(seconds, self._expire)
        return self._clock.monotonic() + seconds

    def forget(self) -> None:
        """Drop the queue, which no timeout uses any more."""
        self._owner.forget(self)

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        while self.timeouts:
            first = next(iter(self.timeouts))
            if first.expires > now:
                self._timer = self._clock.call_later(first.expires - now, self._expire)
                return
            del self.timeouts[first]
            first.end(ExpiredError)
        self._owner.expired(self)

    def close(self) -> None:
        """Stop the timer, and end all timeouts."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        timeouts, self.timeouts = self.timeouts, {}
        for timeout in timeouts:
            timeout.end(ClosedError)


class Timeouts:
    """The time limits of a client or a pipeline.

    Args:
        clock: The source of time.
        usual: The durations that recur; their timers stay between two calls.
        check_loop: Called before the first limit on another event loop than the last; an exception
            from it is raised by `limit`.
    """

    __slots__ = ("_check_loop", "_loop", "_queues", "_usual", "clock")

    def __init__(
        self,
        clock: Clock,
        usual: Iterable[float | None] = (),
        check_loop: Callable[[], None] | None = None,
    ) -> None:
        self.clock: Final = clock
        self._check_loop = check_loop
        self._usual = frozenset(usual)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[float | None, _TimerQueue] = {}

    def limit(
        self,
        seconds: float | None,
        owner: "Call | None" = None,
        fail: "Callable[[Call], HTTPTimeoutError] | None" = None,
    ) -> Timeout:
        """Return a context with a time limit.

        Args:
            seconds: How long the block may take; None is no limit.
            owner: The call that is limited.
            fail: Builds its failure when the time is over.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # timers of another loop never fire here
            if self._check_loop is not None:
                self._check_loop()
            self._loop = loop
            self._queues = {}
        queue = self._queues.get(seconds)
        if queue is None:
            keep = seconds in self._usual or len(self._queues) < _MOST_KEPT
            queue = self._queues[seconds] = _TimerQueue(self, loop, seconds, keep=keep)
        return Timeout(queue, owner, fail)

    def expect(self, usual: Iterable[float | None]) -> None:
        """Keep the timers of more durations between two calls."""
        self._usual |= frozenset(usual)

    def expired(self, queue: _TimerQueue) -> None:
        """Drop a duration that no call has used for as long as it lasts, unless it is usual."""
        if queue.seconds not in self._usual:
            self.forget(queue)

    def forget(self, queue: _TimerQueue) -> None:
        """Drop a duration that no call uses any more."""
        if self._queues.get(queue.seconds) is queue:
            del self._queues[queue.seconds]
            queue.close()

    def close(self) -> None:
        """End all limits: the blocks raise `ClosedError`."""
        self._loop = None
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            queue.close()


def timeout_behind(error: asyncio.CancelledError, owner: object) -> Timeout | None:
    """Find the time limit that a cancellation comes from."""
    match error.args:
        case (Timeout(is_expired=True) as timeout,) if timeout.owner is owner:
            return timeout
        case _:
            return None
