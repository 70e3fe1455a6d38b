"""Bounds how long something takes."""

from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import ParamSpec, TypeVar

from railhttp.model.errors import CallInfo, Delivery, HTTPTimeoutError
from railhttp.model.validation import require_timeout
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.scope import CallScope, phase_of, scope_of
from railhttp.pipeline.timeouts import Watchdog
from railhttp.protocols import Clock

T = TypeVar("T")
P = ParamSpec("P")


class AttemptTimeout:
    """Bounds the time of one attempt, which is never longer than what is left of its call's.

    Args:
        seconds: How long an attempt may take.
        clock: What tells the time.

    Raises:
        HTTPValidationError: `seconds` is not more than 0.

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
        self._watchdog = Watchdog(clock, (seconds,))

    @property
    def seconds(self) -> float:
        """How long an attempt may take."""
        return self._seconds

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func`, and cancel it when its time is up.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPTimeoutError: The attempt's time was up, of the phase that it was in; or the
                call's, of phase `total`.
        """
        return await self.run(scope_of(func), partial(func, *args, **kwargs))

    async def run(self, scope: CallScope | None, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, see `execute`.

        Raises:
            HTTPTimeoutError: See `execute`.
        """
        deadline = None if scope is None else scope.deadline
        left = inf if deadline is None else deadline - self._clock.monotonic()

        def fail() -> HTTPTimeoutError:
            facts = CallInfo(delivery=Delivery.MAYBE_SENT) if scope is None else scope.call_info()
            if left < self._seconds:
                return HTTPTimeoutError("the call's time is up", phase="total", **facts)
            limit = self._seconds
            message = f"the attempt took longer than {limit:g} s"
            return HTTPTimeoutError(message, phase=phase_of(scope), limit=limit, **facts)

        if left <= 0:
            raise fail()
        owner = None if scope is None else scope.call
        with self._watchdog.watch(min(left, self._seconds), owner, fail):
            return await call()
