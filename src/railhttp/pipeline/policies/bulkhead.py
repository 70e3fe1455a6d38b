"""Bounds how many calls run at once: obeys `railhttp.policy.bulkhead`."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import ParamSpec, TypeVar

from railhttp.model.errors import HTTPConnectionError, HTTPTimeoutError
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.fair_semaphore import FairSemaphore
from railhttp.pipeline.scope import CallScope, deadline_of, facts_of, scope_of
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.protocols import Clock

T = TypeVar("T")
P = ParamSpec("P")


class Bulkhead:
    """Lets a limited number of calls run at once, and a limited number wait in order of arrival.

    The time that a call waits counts against its deadline.

    Args:
        limit: How many calls may run at once.
        max_queue: How many more may wait.
        max_wait: The longest that one may wait, in seconds; None for as long as it takes.
        clock: What tells when a call has waited too long.

    Raises:
        HTTPValidationError: A number is out of its bounds.

    Example:
        >>> import asyncio
        >>> async def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> asyncio.run(Bulkhead(limit=1).execute(greet, "Ann"))
        'hello Ann'
    """

    def __init__(
        self,
        limit: int,
        *,
        max_queue: int = 100,
        max_wait: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = BulkheadRule(limit, max_queue, max_wait)
        self._permits = FairSemaphore(self._rule, clock)
        self._clock = clock

    def __repr__(self) -> str:
        limit, running, waiting = self._rule.limit, self.running, self.waiting
        return f"<{type(self).__name__} of {limit}, {running} running, {waiting} waiting>"

    @property
    def running(self) -> int:
        """How many calls run."""
        return self._permits.running

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return self._permits.waiting

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` once there is room for it.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPConnectionError: Of kind `rejected`: the queue is full, or it waited too long.
            HTTPTimeoutError: Its deadline came while it waited.
        """
        await self.enter(scope_of(func))
        try:
            return await func(*args, **kwargs)
        finally:
            self.leave()

    def enter_now(self) -> bool:
        """Take a place if one is free; whoever gets one must `leave` it."""
        return self._permits.take_now()

    async def enter(self, scope: CallScope | None) -> None:
        """Wait for a place; whoever gets one must `leave` it.

        Raises:
            HTTPConnectionError: See `execute`.
            HTTPTimeoutError: See `execute`.
        """
        permits = self._permits
        if self.enter_now():
            return
        if permits.is_full:
            raise self._rejection("the queue is full", scope)
        remaining = deadline_of(scope).remaining(self._clock.monotonic())
        patience = inf if self._rule.max_wait is None else self._rule.max_wait
        if remaining > 0 and await permits.wait(min(patience, remaining)):
            return
        if remaining <= patience:
            facts = facts_of(scope)
            raise HTTPTimeoutError("bulkhead: no time is left to wait", phase="total", **facts)
        raise self._rejection(f"no place within {patience:g} s", scope)

    def leave(self) -> None:
        """Make room for the next one."""
        self._permits.give_back()

    def _rejection(self, message: str, scope: CallScope | None) -> HTTPConnectionError:
        facts = facts_of(scope)
        return HTTPConnectionError(f"bulkhead: {message}", kind="rejected", **facts)
