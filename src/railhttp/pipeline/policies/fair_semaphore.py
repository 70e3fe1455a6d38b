"""FairSemaphore for a bounded number of holders, given out in the order of arrival."""

import asyncio
from collections import OrderedDict
from math import inf

from railhttp.policy.bulkhead import BulkheadRule
from railhttp.protocols import Clock, TimerHandle


class FairSemaphore:
    """A fair semaphore with a bounded queue: no permit is lost when a waiter is cancelled.

    Args:
        rule: How many permits there are, and how many callers may wait.
        clock: What tells when somebody has waited too long.

    Example:
        >>> from railhttp.pipeline.clock import SYSTEM_CLOCK
        >>> permits = FairSemaphore(BulkheadRule(limit=1), SYSTEM_CLOCK)
        >>> permits.take_now(), permits.take_now(), permits.running, permits.waiting
        (True, False, 1, 0)
    """

    __slots__ = ("_clock", "_queue", "_rule", "running")

    def __init__(self, rule: BulkheadRule, clock: Clock) -> None:
        self._rule = rule
        self._clock = clock
        self._queue: OrderedDict[asyncio.Future[bool], None] = OrderedDict()
        self.running = 0

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._queue)

    def take_now(self) -> bool:
        """Take a permit if one is free and nobody waits for it."""
        free = self._rule.place(self.running, len(self._queue)) == "inside"
        self.running += free
        return free

    @property
    def is_full(self) -> bool:
        """Whether there is neither a permit nor a place in the queue."""
        return self._rule.place(self.running, len(self._queue)) == "none"

    async def wait(self, seconds: float) -> bool:
        """Queue for a permit.

        Args:
            seconds: How long at most; infinitely many for as long as it takes.

        Returns:
            Whether it was given in time.
        """
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        timer = self._dismiss_later(turn, seconds)
        try:
            return await turn
        except asyncio.CancelledError:
            self._abandon(turn)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def give_back(self) -> None:
        """Give a permit to the first in the queue, or back."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():  # a cancelled waiter may not have run yet
                turn.set_result(True)
                return
        self.running -= 1

    def _dismiss_later(self, turn: "asyncio.Future[bool]", seconds: float) -> TimerHandle | None:
        if seconds == inf:
            return None
        return self._clock.call_later(seconds, lambda: self._dismiss(turn))

    def _dismiss(self, turn: "asyncio.Future[bool]") -> None:
        self._queue.pop(turn, None)
        if not turn.done():
            turn.set_result(False)

    def _abandon(self, turn: "asyncio.Future[bool]") -> None:
        self._queue.pop(turn, None)
        if not turn.cancelled() and turn.result():
            self.give_back()  # the permit came, and with it the cancellation
