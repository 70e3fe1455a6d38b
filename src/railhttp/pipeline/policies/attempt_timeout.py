"""Bounds the time of an attempt."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from railhttp.model.clock import Clock
from railhttp.model.validation import require_timeout
from railhttp.pipeline.call import attempt_of
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.timeouts import Timeouts
from railhttp.policy.deadline import Deadline

T = TypeVar("T")
P = ParamSpec("P")


class AttemptTimeout:
    """Bounds the time of one attempt; the deadline of its call holds too.

    Args:
        seconds: The time for an attempt.
        clock: The source of time for plain functions.

    Raises:
        HTTPValidationError: `seconds` is not a positive number.

    Example:
        >>> import asyncio
        >>> async def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> asyncio.run(AttemptTimeout(1.0).execute(greet, "Ann"))
        'hello Ann'
    """

    def __init__(self, seconds: float, *, clock: Clock = SYSTEM_CLOCK) -> None:
        require_timeout(seconds, field="attempt_timeout")
        self._seconds = seconds
        self._clock = clock
        self._timeouts = Timeouts(clock, (seconds,))

    @property
    def seconds(self) -> float:
        """The time for an attempt."""
        return self._seconds

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func`, and cancel it when its time is over.

        Returns:
            The result of `func`.

        Raises:
            HTTPTimeoutError: The attempt was not done in time; its phase is the one that the
                attempt was in, or `total` if the deadline of the call came first.
        """
        attempt = attempt_of(func, self._clock, *args, **kwargs)
        call = attempt.call
        left = Deadline(call.deadline).remaining(self._clock.monotonic())
        if left <= 0:
            raise call.timed_out()
        outer = call.attempt_timeout
        call.attempt_timeout = self._seconds
        fail = call.timed_out if left < self._seconds else call.attempt_timed_out
        try:
            with self._timeouts.limit(min(left, self._seconds), call, fail):
                return await attempt()
        finally:
            call.attempt_timeout = outer
