"""The seams: what a client needs of its parts, and what it promises to its users.

Anything that has these methods will do; nothing has to inherit from them.
"""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, runtime_checkable

from typing_extensions import TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class TimerHandle(Protocol):
    """A call that is yet to come; see `Clock.call_later`."""

    def cancel(self) -> None:
        """Make sure that it does not come."""
        ...


class Clock(Protocol):
    """The one door through which time, chance and sleep come in.

    `railhttp.pipeline.clock.SystemClock` is the real one; tests turn a clock by hand.
    """

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC, for dates in header fields."""
        ...

    def uniform(self) -> float:
        """A random number, at least 0 and less than 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a time of zero or less lets other tasks run once."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Have `callback` called after some seconds, on the running loop."""
        ...


@runtime_checkable
class RetryPolicyProtocol(Protocol):
    """Decides whether a call is made again, and waits in between."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` until it succeeds or the policy gives up, and hand on its outcome.

        Raises:
            HTTPRetryExhaustedError: Every attempt failed. Where a policy raises an exception of
                its own, `tenacity.RetryError` among them, the client finds the last failure in it.
        """
        ...


@runtime_checkable
class CircuitBreakerProtocol(Protocol):
    """Refuses calls for a while after too many of them have failed."""

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func`, or refuse to.

        Raises:
            HTTPCircuitOpenError: The circuit is open and `func` was not called.
        """
        ...


@runtime_checkable
class ResiliencePipelineProtocol(Protocol):
    """Retry, breaker, bulkhead and timeout as one; it takes their place in a client."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` through every layer."""
        ...
