"""The seam behind which policies keep their state: the store in this process, and a shared one."""

import asyncio
import pickle
from collections.abc import Callable
from typing import Generic, TypeVar

import pytest
from tests.pipeline.scripted import ScriptedCall, answer, lost

from railhttp.model.errors import HTTPCircuitOpenError, HTTPConnectionError, HTTPValidationError
from railhttp.pipeline.breaker import CircuitBreaker
from railhttp.pipeline.rate_limit import RateLimiter
from railhttp.pipeline.retry import RetryPolicy
from railhttp.pipeline.store import MemoryStore
from railhttp.policy.budget import RetryBudget
from railhttp.policy.circuit import BreakerState
from railhttp.protocols import StateStore
from railhttp.testing import ManualClock

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")


class SharedStore(Generic[S]):
    """What a store in another process does: states as bytes, waits, and writes that may clash."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._states: dict[str, bytes] = {}
        self.clashes = 0

    def peek(self, key: str) -> S | None:
        return self._read(self._states.get(key))

    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        while True:
            before = self._states.get(key)
            await asyncio.sleep(0)
            state, decision = decide(self._read(before), event, self._clock.monotonic())
            if self._states.get(key) == before:
                self._states[key] = pickle.dumps(state)
                return decision
            self.clashes += 1

    def _read(self, data: bytes | None) -> S | None:
        return None if data is None else pickle.loads(data)


def add(state: int | None, event: int, now: float) -> tuple[int | None, str]:
    total = (state or 0) + event
    return (total or None), f"{total} at {now:g}"


async def test_a_state_is_read_changed_and_kept_in_one_step() -> None:
    clock = ManualClock(now=3.0)
    store = MemoryStore[int](clock=clock)
    assert await store.apply("a", add, 2) == "2 at 3"
    assert await store.apply("a", add, 5) == "7 at 3"
    assert (store.peek("a"), store.peek("b")) == (7, None)


async def test_a_state_of_none_is_no_state() -> None:
    store = MemoryStore[int](max_keys=1)
    await store.apply("a", add, 2)
    await store.apply("a", add, -2)
    await store.apply("b", add, 0)
    assert store.peek("a") is None


async def test_beyond_its_size_the_state_used_longest_ago_is_forgotten() -> None:
    store = MemoryStore[int](max_keys=2)
    for key in ("a", "b", "a", "c"):
        await store.apply(key, add, 1)
    assert [store.peek(key) for key in "abc"] == [2, None, 1]
    with pytest.raises(HTTPValidationError):
        MemoryStore[int](max_keys=0)


async def test_two_breakers_on_one_store_are_one_breaker() -> None:
    clock = ManualClock()
    store = SharedStore[BreakerState](clock)
    here, there = (CircuitBreaker(2, name="stock", store=store, clock=clock) for _ in range(2))
    for breaker in (here, there):
        with pytest.raises(HTTPConnectionError):
            await breaker.call(ScriptedCall(clock, [lost()]))
    assert (here.state, there.state) == ("open", "open")
    await clock.advance(5.0)
    calls = [ScriptedCall(clock, takes=1.0) for _ in range(50)]
    callers = zip(calls, [here, there] * 25, strict=True)
    outcomes = await clock.run(
        asyncio.gather(*(one.call(call) for call, one in callers), return_exceptions=True)
    )
    assert sum(call.attempts for call in calls) == 1
    assert sum(isinstance(outcome, HTTPCircuitOpenError) for outcome in outcomes) == 49
    assert (here.state, there.state) == ("closed", "closed")
    assert store.clashes > 0


async def test_two_rate_limiters_on_one_store_keep_one_rate() -> None:
    clock = ManualClock()
    store = SharedStore[float](clock)
    limiters = [RateLimiter(2.0, store=store, clock=clock) for _ in range(2)]
    calls = [ScriptedCall(clock) for _ in range(10)]
    callers = zip(calls, limiters * 5, strict=True)
    await clock.run(asyncio.gather(*(limiter.execute(call) for call, limiter in callers)))
    assert sorted(call.began[0] for call in calls) == pytest.approx([n / 2 for n in range(10)])


async def test_two_retry_policies_on_one_store_share_a_hosts_budget() -> None:
    clock = ManualClock()
    store = SharedStore[int](clock)
    budget = RetryBudget(capacity=14)
    here, there = (RetryPolicy(2, budget=budget, store=store, clock=clock) for _ in range(2))
    calls = [ScriptedCall(clock, [lost()]) for _ in range(2)]
    for policy, call in zip((here, there), calls, strict=True):
        await clock.run(asyncio.gather(policy.execute(call), return_exceptions=True))
    assert [call.attempts for call in calls] == [2, 1]
    await here.execute(ScriptedCall(clock, [answer(200)]))
    assert store.peek("http://h:80") == 1


async def test_a_policy_without_a_budget_leaves_that_of_others_alone() -> None:
    clock = ManualClock()
    store = MemoryStore[int](clock=clock)
    await store.apply("http://h:80", add, 7)
    await RetryPolicy(budget=None, store=store, clock=clock).execute(ScriptedCall(clock))
    assert store.peek("http://h:80") == 7


def test_both_are_stores() -> None:
    stores: list[StateStore[int]] = [MemoryStore[int](), SharedStore[int](ManualClock())]
    assert len(stores) == 2
