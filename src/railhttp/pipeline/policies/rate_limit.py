"""Bounds how many calls begin in a time, as `railhttp.policy.rate_limit` decides."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPConnectionError, HTTPTimeoutError
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.fair_semaphore import FairSemaphore
from railhttp.pipeline.policies.policy import Policy
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.policies.store import StateStore, StoreServerProtocol
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.rate_limit import TOLERANCE, RateRule

T = TypeVar("T")
C = TypeVar("C", bound=Call)


class RateLimiter(Policy):
    """Lets calls begin at a steady rate, in order of arrival.

    In any `w` seconds at most `burst + rate · w` calls begin, in the first second as in any other.
    A call that would have to wait too long is refused at once.

    Args:
        rate: See `RateRule`, as for `burst`, `max_queue` and `max_wait`.
        name: The key of the state in `store`.
        store: Keeps the state; in this process if None.
        clock: The source of time for plain functions; the calls of a client use its clock.

    Raises:
        HTTPValidationError: A number is out of bounds.

    `execute` raises an `HTTPConnectionError` of kind `rejected` if the call would wait too long or
    too many calls wait already, an `HTTPTimeoutError` if it would wait beyond its deadline, and
    an `HTTPInterceptorError` if the store raised.

    Example:
        >>> import asyncio
        >>> async def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> asyncio.run(RateLimiter(rate=10, burst=5).execute(greet, "Ann"))
        'hello Ann'
    """

    def __init__(
        self,
        rate: float,
        burst: int = 1,
        *,
        max_queue: int = 100,
        max_wait: float | None = None,
        name: str = "",
        store: StateStore[float] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = RateRule(rate, burst, max_queue, max_wait)
        self._turn = FairSemaphore(BulkheadRule(limit=1, max_queue=max_queue))
        self._name = name
        self._store = ShieldedStore(store)
        super().__init__(clock)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._rule.rate:g} per second, {self.waiting} waiting>"

    @property
    def waiting(self) -> int:
        """The number of calls that wait for their turn."""
        return self._turn.running + self._turn.waiting

    @property
    def server(self) -> StoreServerProtocol | None:
        """The server of a shared store, if it has one."""
        return self._store.server

    @override
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make an attempt when its turn has come."""
        await self.admit(call)
        return await send(call)

    async def admit(self, call: Call) -> None:
        """Wait for the turn of a call."""
        wait = await self._take(self.waiting, call)
        if wait is not None:
            await self._queue(wait, call)

    async def _queue(self, wait: float, call: Call) -> None:
        if self.waiting >= self._rule.max_queue:
            raise _rejection("too many calls wait already", call)
        since, admitted = call.clock.monotonic(), False
        try:
            await self._wait(wait, since, call)
            admitted = True
        finally:
            call.waited("rate_limit", since, admitted=admitted)

    async def _wait(self, wait: float, since: float, call: Call) -> None:
        remaining = call.remaining()
        patience = min(remaining, self._longest)
        if wait >= remaining or wait > self._longest:
            raise self._refusal(remaining, call)
        if not self._turn.acquire_now() and not await self._turn.acquire(patience, call.clock):
            raise self._refusal(remaining, call)
        try:
            while (left := await self._take(0, call)) is not None:
                if call.clock.monotonic() + left > since + patience + TOLERANCE:
                    raise self._refusal(remaining, call)
                await call.clock.sleep(left)
        finally:
            self._turn.release()

    async def _take(self, ahead: int, call: Call) -> float | None:
        return await self._store.decide(self._name, self._rule.take, ahead, call)

    @property
    def _longest(self) -> float:
        return inf if self._rule.max_wait is None else self._rule.max_wait

    def _refusal(self, remaining: float, call: Call) -> HTTPConnectionError | HTTPTimeoutError:
        if remaining > self._longest:
            return _rejection(f"its turn would not come within {self._longest:g} s", call)
        return call.timed_out()


def _rejection(message: str, call: Call) -> HTTPConnectionError:
    return HTTPConnectionError(f"rate limit: {message}", kind="rejected", **call.call_info())
