"""Bounds the time of an attempt."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.timeout import format_timeout
from railhttp.model.validation import require_timeout
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.policy import Policy
from railhttp.pipeline.timeouts import Timeouts

T = TypeVar("T")
C = TypeVar("C", bound=Call)


class AttemptTimeout(Policy):
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
        super().__init__(clock)
        self._timeouts = Timeouts(clock, (seconds,))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {format_timeout(self._seconds)}>"

    @property
    def seconds(self) -> float:
        """The time for an attempt."""
        return self._seconds

    @override
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make an attempt, and cancel it when its time is over.

        Raises:
            HTTPTimeoutError: The attempt was not done in time; its phase is the one that the
                attempt was in, or `total` if the deadline of the call came first.
        """
        left = call.remaining()
        outer = call.attempt_timeout
        call.attempt_timeout = self._seconds
        fail = Call.timed_out if left < self._seconds else Call.attempt_timed_out
        try:
            with self._timeouts.limit(min(left, self._seconds), call, fail):
                return await send(call)
        finally:
            call.attempt_timeout = outer
