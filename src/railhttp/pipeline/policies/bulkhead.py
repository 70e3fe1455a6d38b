"""Bounds how many calls run at once, as `railhttp.policy.bulkhead` decides."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPConnectionError
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.fair_semaphore import FairSemaphore
from railhttp.pipeline.policies.policy import Policy
from railhttp.policy.bulkhead import BulkheadRule

T = TypeVar("T")
C = TypeVar("C", bound=Call)


class Bulkhead(Policy):
    """Lets a limited number of calls run at once, and a limited number wait in order of arrival.

    The time that a call waits counts against its deadline.

    Args:
        limit: See `BulkheadRule`, as for `max_queue` and `max_wait`.
        clock: The source of time for plain functions.

    Raises:
        HTTPValidationError: A number is out of bounds.

    `execute` raises an `HTTPConnectionError` of kind `rejected` if the queue is full or the call
    waited too long, and an `HTTPTimeoutError` if the deadline of the call came first.

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
        self._permits = FairSemaphore(self._rule)
        super().__init__(clock)

    def __repr__(self) -> str:
        limit, running, waiting = self._rule.limit, self.running, self.waiting
        return f"<{type(self).__name__} of {limit}, {running} running, {waiting} waiting>"

    @property
    def running(self) -> int:
        """The number of running calls."""
        return self._permits.running

    @property
    def waiting(self) -> int:
        """The number of waiting calls."""
        return self._permits.waiting

    @override
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make a call once there is room for it."""
        permits = self._permits
        if not permits.acquire_now():
            await self.enter(call)
        try:
            return await send(call)
        finally:
            permits.release()

    async def enter(self, call: Call) -> None:
        """Wait for a place; the caller must `leave` it."""
        permits = self._permits
        if permits.acquire_now():
            return
        if permits.is_full:
            raise _rejection("the queue is full", call)
        since, admitted = call.clock.monotonic(), False
        try:
            await self._wait(call)
            admitted = True
        finally:
            call.waited("bulkhead", since, admitted=admitted)

    async def _wait(self, call: Call) -> None:
        permits, remaining = self._permits, call.remaining()
        patience = inf if self._rule.max_wait is None else self._rule.max_wait
        if remaining > 0 and await permits.acquire(min(patience, remaining), call.clock):
            return
        if remaining <= patience:
            raise call.timed_out()
        raise _rejection(f"no place within {patience:g} s", call)

    def leave(self) -> None:
        """Make room for the next call."""
        self._permits.release()


def _rejection(message: str, call: Call) -> HTTPConnectionError:
    return HTTPConnectionError(f"bulkhead: {message}", kind="rejected", **call.call_info())
