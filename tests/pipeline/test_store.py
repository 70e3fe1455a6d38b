"""The seam behind which policies keep their state: the store in this process, and a shared one."""

import asyncio
import gc
import logging
import pickle
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

import pytest
from tests.pipeline.scripted import ScriptedCall, answer, lost
from typing_extensions import override

from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import (
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPValidationError,
)
from railhttp.model.response import HttpResponse
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.policies.store import MemoryStore, StoreListener
from railhttp.policy.breaker_states import BreakerState, Closed, HalfOpen, Open
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.protocols import StateStore
from railhttp.testing import ManualClock, ScriptedTransport

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")


class SharedStore(Generic[S]):
    """What a store in another process does: states as bytes, waits, and writes that may clash."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._states: dict[str, bytes] = {}
        self.clashes = 0
        self.asked = 0
        self.tasks = weakref.WeakSet[asyncio.Task[object]]()
        """The tasks that still exist of those in which it was asked."""

    def peek(self, key: str) -> S | None:
        return self._read(self._states.get(key))

    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        self.asked += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        while True:
            before = self._states.get(key)
            await asyncio.sleep(0)
            state, decision = decide(self._read(before), event, self._clock.monotonic())
            if self._states.get(key) == before:
                self._states[key] = pickle.dumps(state)
                await asyncio.sleep(0)  # the answer is on its way
                return decision
            self.clashes += 1

    def _read(self, data: bytes | None) -> S | None:
        return None if data is None else pickle.loads(data)


class BrokenStore(MemoryStore[S]):
    """A store that fails at one kind of decision."""

    def __init__(self, clock: ManualClock, fails_at: str) -> None:
        super().__init__(clock=clock)
        self._fails_at = fails_at

    @override
    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        if decide.__name__ == self._fails_at:
            raise OSError("secret")
        return await super().apply(key, decide, event)


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


async def test_a_store_keeps_1024_states_by_default() -> None:
    store = MemoryStore[int]()
    for number in range(1025):
        await store.apply(str(number), add, 1)
    assert [store.peek(key) for key in ("0", "1", "1024")] == [None, 1, 1]


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
    store = SharedStore[Tokens](clock)
    budget = RetryBudget(capacity=14, refill=0.0)
    here, there = (RetryPolicy(2, budget=budget, store=store, clock=clock) for _ in range(2))
    calls = [ScriptedCall(clock, [lost()]) for _ in range(2)]
    for policy, call in zip((here, there), calls, strict=True):
        await clock.run(asyncio.gather(policy.execute(call), return_exceptions=True))
    assert [call.attempts for call in calls] == [2, 1]
    await here.execute(ScriptedCall(clock, [answer(200)]))
    state = store.peek("http://h:80")
    assert state is not None
    assert state.held == 1


async def test_a_policy_without_a_budget_leaves_that_of_others_alone() -> None:
    clock = ManualClock()
    store = MemoryStore[Tokens](clock=clock)
    await store.apply("http://h:80", RetryBudget().charge, 7)
    before = store.peek("http://h:80")
    await RetryPolicy(budget=None, store=store, clock=clock).execute(ScriptedCall(clock))
    assert store.peek("http://h:80") is before is not None


def test_both_are_stores() -> None:
    stores: list[StateStore[int]] = [MemoryStore[int](), SharedStore[int](ManualClock())]
    assert len(stores) == 2


# --- a store that takes its time, and one that fails

TURNS = range(12)  # of the loop: more than the call below takes


async def cancelled_after(turns: int, clock: ManualClock, task: "asyncio.Task[object]") -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await clock.settle()


@pytest.mark.parametrize("turns", TURNS)
async def test_whenever_a_probe_is_cancelled_its_slot_comes_back_and_its_success_counts(
    turns: int,
) -> None:
    clock = ManualClock(now=9.0)
    store = SharedStore[BreakerState](clock)
    await store.apply("", lambda state, event, now: (Open(1, 1, until=5.0), None), None)
    breaker = CircuitBreaker(store=store, clock=clock)
    call = ScriptedCall(clock)
    await cancelled_after(turns, clock, asyncio.ensure_future(breaker.call(call)))
    state = store.peek("")
    if call.attempts:
        assert isinstance(state, Closed)
    else:
        assert state == HalfOpen(2, trips=1, issued=1) or isinstance(state, Open)


@pytest.mark.parametrize("turns", TURNS)
async def test_whenever_a_retry_is_cancelled_before_it_is_made_its_host_pays_nothing(
    turns: int,
) -> None:
    clock = ManualClock()
    store = SharedStore[Tokens](clock)
    policy = RetryPolicy(2, store=store, clock=clock)
    call = ScriptedCall(clock, [lost()])
    await cancelled_after(turns, clock, asyncio.ensure_future(policy.execute(call)))
    assert store.peek("http://h:80") is None, "full"


@pytest.mark.parametrize(
    ("layer", "store", "answers", "attempts"),
    [
        ("breaker", "record", [200], 1),
        ("breaker", "record", [503, 503, 503], 3),
        ("retry", "repay", [503, 200], 2),
    ],
)
async def test_a_store_that_fails_after_a_call_leaves_its_outcome_alone(
    layer: str, store: str, answers: list[int], attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    route = script.on("GET", "/")
    for status in answers:
        route.reply(status)
    breaker = CircuitBreaker(store=BrokenStore[BreakerState](clock, store), clock=clock)
    retry = RetryPolicy(store=BrokenStore[Tokens](clock, store), clock=clock)
    layers = (None, breaker) if layer == "breaker" else (retry, None)
    with caplog.at_level(logging.WARNING, "railhttp"):
        async with HTTPClient(None, None, *layers, exchange=script, clock=clock) as client:
            response = await clock.run(client.request("GET", "https://api.example/"))
    assert (response.status, response.attempts) == (answers[-1], attempts)
    assert set(caplog.messages) == {"BrokenStore raised OSError"}
    assert {record.name for record in caplog.records} == {"railhttp"}


@pytest.mark.parametrize(
    ("make", "attempts"),
    [
        (lambda broken, clock: CircuitBreaker(store=broken("admit"), clock=clock).call, 0),
        (lambda broken, clock: RetryPolicy(store=broken("charge"), clock=clock).execute, 1),
        (lambda broken, clock: RateLimiter(1, store=broken("take"), clock=clock).execute, 0),
    ],
)
async def test_a_store_that_fails_when_it_is_asked_is_a_defect_and_no_open_circuit(
    make: Callable[..., Callable[[ScriptedCall], Awaitable[HttpResponse]]], attempts: int
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [lost()])
    execute = make(partial(BrokenStore, clock), clock)
    with pytest.raises(HTTPInterceptorError, match="a policy raised OSError") as caught:
        await clock.run(execute(call))
    assert isinstance(caught.value.__cause__, OSError)
    assert call.attempts == caught.value.attempts == attempts
    assert "secret" not in str(caught.value)


class WaitingStore(MemoryStore[BreakerState]):
    """A store whose decisions wait for something that nobody else holds."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = weakref.WeakSet[asyncio.Future[None]]()

    @override
    async def apply(
        self,
        key: str,
        decide: Callable[[BreakerState | None, E, float], tuple[BreakerState | None, D]],
        event: E,
    ) -> D:
        wait: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waits.add(wait)
        await wait
        return await super().apply(key, decide, event)


async def test_a_report_that_nobody_waits_for_is_made_all_the_same() -> None:
    store = WaitingStore()
    breaker = CircuitBreaker(1, store=store)

    async def hang() -> None:
        await asyncio.Event().wait()

    call = asyncio.create_task(breaker.call(hang))
    for _ in range(5):
        await asyncio.sleep(0)
    store.waits.pop().set_result(None)  # the call is admitted
    for _ in range(5):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    (reporting,) = store.waits
    reporting.set_result(None)


async def test_a_decision_that_is_made_leaves_no_task() -> None:
    clock = ManualClock()
    store = SharedStore[BreakerState](clock)
    breaker = CircuitBreaker(name="stock", store=store, clock=clock)
    await breaker.call(ScriptedCall(clock))
    await asyncio.sleep(0)
    gc.collect()
    assert (store.asked > 0, len(store.tasks)) == (True, 0)


@pytest.mark.parametrize("turns", TURNS)
async def test_whenever_a_rejection_is_cancelled_nothing_is_given_back(turns: int) -> None:
    clock = ManualClock(now=1.0)
    store = SharedStore[BreakerState](clock)
    opened = Open(1, 1, until=50.0)
    await store.apply("", lambda state, event, now: (opened, None), None)
    breaker = CircuitBreaker(store=store, clock=clock)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await cancelled_after(turns, clock, asyncio.ensure_future(breaker.call(ScriptedCall(clock))))
    assert complaints == []
    assert store.peek("") == opened


class Server:
    """The server of a shared store."""

    name, up, outage = "stock", True, None

    def __init__(self) -> None:
        self.listeners: set[StoreListener] = set()


class Served(MemoryStore[S]):
    """A store that has a server."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()


def test_a_policy_has_the_server_of_its_store() -> None:
    """A client watches it, see `StoreServerProtocol`."""
    counts, circuits, budgets = Served[float](), Served[BreakerState](), Served[Tokens]()
    assert RateLimiter(1, store=counts).server is counts.server
    assert RetryPolicy(store=budgets).server is budgets.server
    assert CircuitBreaker(store=circuits).server is circuits.server
    assert OriginBreakers(store=circuits).server is circuits.server
    for policy in (RateLimiter(1), RetryPolicy(), CircuitBreaker(), OriginBreakers()):
        assert policy.server is None


@pytest.mark.parametrize("failure_ratio", [None, 0.5])
async def test_a_shared_store_is_asked_seldom_for_a_healthy_host(
    failure_ratio: float | None,
) -> None:
    clock = ManualClock()
    store = SharedStore[BreakerState](clock)
    breaker = CircuitBreaker(failure_ratio=failure_ratio, store=store, clock=clock)
    for _ in range(100):
        await breaker.call(ScriptedCall(clock))
    assert store.asked <= 3


class Slow(MemoryStore[S]):
    """A store that fails after two turns of the loop."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    @override
    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise self._error


@pytest.mark.parametrize("error", [KeyError("s3cret"), asyncio.CancelledError()])
async def test_a_store_that_fails_for_a_cancelled_caller_has_nothing_to_take_back(
    error: BaseException,
) -> None:
    clock = ManualClock()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(context["message"])
    )
    breaker = CircuitBreaker(store=Slow[BreakerState](error), clock=clock)
    task = asyncio.ensure_future(breaker.call(ScriptedCall(clock)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.settle()
    assert not [one for one in complaints if "callback" in str(one)]
