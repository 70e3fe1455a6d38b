"""A semaphore whose permits go to waiters in order of arrival."""

import asyncio
from collections import OrderedDict
from math import inf

from railhttp.model.clock import Clock, TimerHandle
from railhttp.policy.bulkhead import BulkheadRule


class FairSemaphore:
    """A fair semaphore with a bounded queue: no permit is lost when a waiter is cancelled."""

    __slots__ = ("_limit", "_queue", "_rule", "running")

    def __init__(self, rule: BulkheadRule) -> None:
        self._rule = rule
        self._limit = rule.limit
        self._queue: OrderedDict[asyncio.Future[bool], None] = OrderedDict()
        self.running: int = 0

    @property
    def waiting(self) -> int:
        """The number of waiting callers."""
        return len(self._queue)

    def acquire_now(self) -> bool:
        """Take a permit if one is free and the queue is empty."""
        if self._queue or self.running >= self._limit:  # as `BulkheadRule.place` decides
            return False
        self.running += 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether there is neither a permit nor a place in the queue."""
        return self._rule.place(self.running, len(self._queue)) == "none"

    async def acquire(self, seconds: float, clock: Clock) -> bool:
        """Queue for a permit, for at most some seconds; infinity for no limit."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        timer: TimerHandle | None = None
        if seconds != inf:
            timer = clock.call_later(seconds, lambda: self._give_up(turn))
        try:
            return await turn
        except asyncio.CancelledError:
            self._abandon(turn)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def release(self) -> None:
        """Pass a permit to the first waiter, or return it."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():  # a cancelled waiter may not have run yet
                turn.set_result(True)
                return
        self.running -= 1

    def _give_up(self, turn: "asyncio.Future[bool]") -> None:
        self._queue.pop(turn, None)
        if not turn.done():
            turn.set_result(False)

    def _abandon(self, turn: "asyncio.Future[bool]") -> None:
        self._queue.pop(turn, None)
        if not turn.cancelled() and turn.result():
            self.release()  # the permit arrived together with the cancellation
