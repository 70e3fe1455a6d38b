"""Rate limits and retry budgets that all processes share."""

import asyncio
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, TypeVar

from typing_extensions import override

from railhttp.integrations.redis.codec import BUDGETS, RATES
from railhttp.integrations.redis.link import Link, StoreDown
from railhttp.integrations.redis.shared import SharedState
from railhttp.pipeline.policies.store import STORE_WAIT, Decide, StoreRefusal
from railhttp.policy.budget import Tokens
from railhttp.policy.rate_limit import TOLERANCE, RateRule

E = TypeVar("E")
D = TypeVar("D")


class SharedBudgets(SharedState[Tokens]):
    """Retry budgets on the server."""

    def __init__(self, link: Link) -> None:
        super().__init__("budget", link, BUDGETS)

    @override
    async def apply(self, key: str, decide: Decide[Tokens, E, D], event: E) -> D:
        """Let a policy decide; see `SharedState.apply`. Repayments are sent soon, together."""
        _, decision = decide(self.peek(key), event, self.link.now())
        if decision is None:  # a repayment, from which the call learns nothing
            return self.apply_later(key, decide, event)
        return await super().apply(key, decide, event)

    @override
    def refuse(self, key: str, decide: Decide[Tokens, E, D], event: E) -> D:
        """Refuse a retry, as an empty budget does."""
        now = self.link.now()
        return decide(Tokens(0.0, now), event, now)[1]


class _Take(NamedTuple):
    rule: RateRule
    calls: int


@dataclass(slots=True)
class _Hand:
    """Turns that this process has taken and not used yet."""

    left: int


def _take(full_at: float | None, wanted: _Take, now: float) -> tuple[float | None, int]:
    """Take as many turns as there are, up to a number."""
    interval = 1 / wanted.rule.rate
    drained = now if full_at is None else max(full_at, now)
    free = wanted.rule.burst + (now - drained + TOLERANCE) / interval
    taken = min(wanted.calls, max(0, int(free)))
    return (drained + taken * interval if taken else full_at), taken


def _give_back(full_at: float | None, unused: _Take, now: float) -> tuple[float | None, None]:
    earlier = now if full_at is None else full_at - unused.calls / unused.rule.rate
    return (earlier if earlier > now else None), None


class SharedRates(SharedState[float]):
    """Rate limits on the server, exact.

    Each call that may start costs a script, so changes are not published.
    """

    def __init__(self, link: Link) -> None:
        super().__init__("rate", link, RATES, publish=False)


class LeasedRates:
    """Rate limits on the server, of which each process takes the turns of some time at once.

    Turns that are not used within that time are given back.

    Args:
        link: The connection.
        lease: The time, in seconds.
    """

    def __init__(self, link: Link, lease: float) -> None:
        self.server: Link = link
        self._link = link
        self._lease = lease
        self._rates = SharedRates(link)
        self._hands: dict[str, _Hand] = {}
        self._refills: dict[str, asyncio.Task[None]] = {}

    def peek(self, key: str) -> float | None:
        """Return the state as known here."""
        return self._rates.peek(key)

    async def apply(self, key: str, decide: Decide[float, E, D], event: E) -> D:
        """Use a turn that this process has taken, or take some; see `StateStore.apply`."""
        rule = getattr(decide, "__self__", None)  # `decide` is `RateRule.take`
        if event != 0 or not isinstance(rule, RateRule):  # other calls wait already
            return await self._rates.apply(key, decide, event)
        if not self._link.up:
            return self._rates.without_server(key, decide, event)
        if not self._use(key):
            await self._refill(key, rule)
            if not self._use(key):
                return await self._rates.apply(key, decide, event)
        return decide(None, event, self._link.now())[1]  # which starts the call

    def _use(self, key: str) -> bool:
        hand = self._hands.get(key)
        if hand is None or not hand.left:
            return False
        hand.left -= 1
        return True

    async def _refill(self, key: str, rule: RateRule) -> None:
        task = self._refills.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._take(key, rule))
            self._refills[key] = task
            task.add_done_callback(lambda _: self._refills.pop(key))
        await self._link.wait(task)

    async def _take(self, key: str, rule: RateRule) -> None:
        STORE_WAIT.set(None)  # many calls wait for this task, and the first one began it
        calls = ceil(rule.rate * self._lease)
        clock = self._link.clock
        until = clock.monotonic() + self._lease
        try:
            taken = await self._rates.apply(key, _take, _Take(rule, calls))
        except (StoreDown, StoreRefusal):  # which the caller finds, too
            return
        if taken:
            hand = self._hands[key] = _Hand(taken)
            left = until - clock.monotonic()
            clock.call_later(max(0.0, left), lambda: self._return(key, rule, hand))

    def _return(self, key: str, rule: RateRule, hand: _Hand) -> None:
        left, hand.left = hand.left, 0
        if left and self._link.up:
            self._rates.apply_later(key, _give_back, _Take(rule, left))
