"""The examples of the invariants of docs/invariants.md, once more, with their state on a server."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import count
from types import ModuleType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

import pytest
from _pytest.mark.structures import ParameterSet  # pytest gives it no public name
from hypothesis import given
from hypothesis import strategies as st
from properties.test_rate_limit import BURSTS, RATES, assert_bounded
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.pipeline import test_breaker, test_rate_limit, test_registry, test_resilience, test_retry
from tests.servers.redis import RedisServer
from typing_extensions import override

from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.limits import SharedRates
from railhttp.integrations.redis.shared import SharedState
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies import breaker, rate_limit, retry
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.policy.rate_limit import RateRule
from railhttp.protocols import Clock, StateStore
from railhttp.testing import ManualClock

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

MODULES: Final = (test_breaker, test_rate_limit, test_registry, test_resilience, test_retry)
Example: TypeAlias = Callable[[], Coroutine[object, object, None]]


class PatientClock(ManualClock):
    """A clock that stands still while a store waits for its server."""

    waiting = 0

    @override
    async def settle(self) -> None:
        await super().settle()
        while PatientClock.waiting:
            await asyncio.sleep(0.0005)
            await super().settle()


class OnServer(Generic[S]):
    """A state on a server, about which policies decide at the time of their own clock."""

    def __init__(self, store: SharedState[S], name: str, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._clock = clock

    def peek(self, key: str) -> S | None:
        copy = self._store.copies.get(self._name + key)
        return None if copy is None else copy.state

    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        def at_this_time(state: S | None, event: E, _: float) -> tuple[S | None, D]:
            return decide(state, event, self._clock.monotonic())

        PatientClock.waiting += 1
        try:
            return await SharedState.apply(self._store, self._name + key, at_this_time, event)
        finally:
            PatientClock.waiting -= 1


def is_example(name: str, test: object) -> bool:
    """Return whether a test needs nothing but the values of its table."""
    if not name.startswith("test_") or not inspect.iscoroutinefunction(test):
        return False
    needed = set(inspect.signature(test).parameters)
    return needed == {name for names, _ in tables(test) for name in names}


def tables(test: object) -> Iterator[tuple[list[str], list[Sequence[object]]]]:
    """Return the names and the rows of the tables by which pytest parametrizes a test."""
    for mark in getattr(test, "pytestmark", []):
        names, rows = mark.args[:2]
        if isinstance(names, str):
            yield [names], [getattr(row, "values", [row]) for row in rows]
        else:
            yield list(names), [getattr(row, "values", row) for row in rows]


def examples() -> Iterator[ParameterSet]:
    for module in MODULES:
        for name, test in vars(module).items():
            if is_example(name, test):
                made: list[Example] = [cast("Example", test)]
                for names, rows in tables(test):
                    made = [
                        partial(one, **dict(zip(names, row, strict=True)))
                        for one in made
                        for row in rows
                    ]
                for one in made:
                    yield pytest.param(module, one, id=f"{module.__name__}:{name}")


@pytest.fixture
async def fleet(redis: RedisServer) -> AsyncIterator[RedisStore]:
    async with RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) as store:
        yield store


class Installed:
    """Replaces the stores in this process, and the clock of the examples."""

    def __init__(self, fleet: RedisStore) -> None:
        self.clock: Clock = SYSTEM_CLOCK  # as of the latest `ManualClock` of the example
        self._names = count()
        self._stores: dict[ModuleType, object] = {
            breaker: fleet.breakers(),
            rate_limit: fleet.rates(lease=0),
            retry: fleet.budgets(),
        }

    def install(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = self

        class LatestClock(PatientClock):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                installed.clock = self

        monkeypatch.setattr(module, "ManualClock", LatestClock, raising=False)
        for policy in self._stores:
            monkeypatch.setattr(policy, "ShieldedStore", partial(self._shielded, policy))

    def _shielded(self, policy: ModuleType, given: StateStore[S] | None) -> ShieldedStore[S]:
        if given is not None:
            return ShieldedStore(given)
        shared = cast("SharedState[S]", self._stores[policy])
        return ShieldedStore(OnServer(shared, f"{next(self._names)}:", self.clock))


@pytest.mark.parametrize(("module", "example"), [*examples()])
async def test_an_example_holds_on_a_server(
    module: ModuleType, example: Example, fleet: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Installed(fleet).install(module, monkeypatch)
    await asyncio.wait_for(example(), 60)


async def test_the_examples_use_the_server(
    redis: RedisServer, fleet: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Installed(fleet).install(test_breaker, monkeypatch)
    await test_breaker.test_five_failures_in_a_row_open_it()
    assert redis.keys("test:breaker:*") == ["test:breaker:0:"]


def test_any_window_admits_at_most_the_burst_plus_the_rate_over_two_stores(
    redis: RedisServer,
) -> None:
    names = count()
    with asyncio.Runner() as runner:
        fleets = [RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) for _ in range(2)]

        @given(RATES, BURSTS, st.lists(st.tuples(st.floats(0, 2), st.sampled_from(fleets))))
        def check(rate: float, burst: int, arrivals: list[tuple[float, RedisStore]]) -> None:
            clock, rule, key = ManualClock(), RateRule(rate, burst), f"{next(names)}:"
            admitted: list[float] = []
            for pause, fleet in arrivals:
                runner.run(clock.advance(pause / rate))
                store = fleet.rates(lease=0)
                assert isinstance(store, SharedRates)
                if runner.run(OnServer(store, key, clock).apply("", rule.take, 0)) is None:
                    admitted.append(clock.monotonic())
            assert_bounded(admitted, rate, burst)

        for fleet in fleets:
            runner.run(fleet.__aenter__())
        try:
            check()
        finally:
            for fleet in fleets:
                runner.run(fleet.__aexit__(None, None, None))
