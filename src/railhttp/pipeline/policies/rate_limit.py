"""Bounds how many calls begin in a time: obeys `railhttp.policy.rate_limit`."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import ParamSpec, TypeVar

from railhttp.model.errors import HTTPConnectionError, HTTPTimeoutError
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.fair_semaphore import FairSemaphore
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.scope import CallScope, deadline_of, facts_of, scope_of
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.rate_limit import TOLERANCE, RateRule
from railhttp.protocols import Clock, StateStore

T = TypeVar("T")
P = ParamSpec("P")


class RateLimiter:
    """Lets calls begin at a steady rate, in order of arrival.

    In any `w` seconds at most `burst + rate · w` calls begin, in the first second as in any other.
    A call that would have to wait too long is refused at once.

    Args:
        rate: Calls per second.
        burst: How many calls may begin at once after a pause.
        max_queue: How many calls may wait for their turn.
        max_wait: The longest that one may wait, in seconds; None for as long as it takes.
        name: Under which key the state is kept in `store`.
        store: Where the state is kept, in this process where None.
        clock: What tells the time and waits.

    Raises:
        HTTPValidationError: A number is out of its bounds.

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
        self._turn = FairSemaphore(BulkheadRule(limit=1, max_queue=max_queue), clock)
        self._name = name
        self._store = ShieldedStore(store, clock)
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._rule.rate:g} per second, {self.waiting} waiting>"

    @property
    def is_waitless(self) -> bool:
        """Whether its store decides at once, so that no call waits for it."""
        return self._store.is_waitless

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return self._turn.running + self._turn.waiting

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` when its turn has come.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPConnectionError: Of kind `rejected`: it would have to wait too long, or too many
                wait already.
            HTTPTimeoutError: It would have to wait beyond its deadline.
            HTTPInterceptorError: The store raised.
        """
        await self.admit(scope_of(func))
        return await func(*args, **kwargs)

    async def admit(self, scope: CallScope | None) -> None:
        """Wait for the turn.

        Raises:
            HTTPConnectionError: See `execute`.
            HTTPTimeoutError: See `execute`.
            HTTPInterceptorError: See `execute`.
        """
        wait = await self._take(self.waiting, scope)
        if wait is None:
            return
        if self.waiting >= self._rule.max_queue:
            raise self._rejection("too many calls wait already", scope)
        now = self._clock.monotonic()
        remaining = deadline_of(scope).remaining(now)
        if wait >= remaining or wait > self._longest:
            raise self._refusal(remaining, scope)
        await self._wait(scope, now, remaining)

    async def _wait(self, scope: CallScope | None, since: float, remaining: float) -> None:
        patience = min(remaining, self._longest)
        if not self._turn.take_now() and not await self._turn.wait(patience):
            raise self._refusal(remaining, scope)
        try:
            while (wait := await self._take(0, scope)) is not None:
                if self._clock.monotonic() + wait > since + patience + TOLERANCE:
                    raise self._refusal(remaining, scope)
                await self._clock.sleep(wait)
        finally:
            self._turn.give_back()

    async def _take(self, ahead: int, scope: CallScope | None) -> float | None:
        return await self._store.decide(
            self._name, self._rule.take, ahead, facts=lambda: facts_of(scope)
        )

    @property
    def _longest(self) -> float:
        return inf if self._rule.max_wait is None else self._rule.max_wait

    def _refusal(
        self, remaining: float, scope: CallScope | None
    ) -> HTTPConnectionError | HTTPTimeoutError:
        if remaining > self._longest:
            return self._rejection(f"its turn would not come within {self._longest:g} s", scope)
        facts = facts_of(scope)
        return HTTPTimeoutError("rate limit: no time is left to wait", phase="total", **facts)

    def _rejection(self, message: str, scope: CallScope | None) -> HTTPConnectionError:
        facts = facts_of(scope)
        return HTTPConnectionError(f"rate limit: {message}", kind="rejected", **facts)
