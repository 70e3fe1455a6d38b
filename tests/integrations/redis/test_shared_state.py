"""A state on a real server: what a decision costs, and what other processes see."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp import HTTPValidationError
from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.codec import BREAKERS, BUDGETS, FLEETS, RATES, Fleet, Streak
from railhttp.integrations.redis.link import Link
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    HalfOpen,
    Open,
    ProbeSlot,
    force_open,
    reset,
)
from railhttp.policy.budget import Tokens
from railhttp.policy.window import Bucket, Window
from railhttp.protocols import StateStore
from railhttp.testing import ManualClock

Count: TypeAlias = tuple[Tokens | None, float]
PATIENCE: Final = 60.0
"""The timeout of a store whose server is not meant to be slow, in seconds."""


def add(state: Tokens | None, event: float, now: float) -> tuple[Tokens, float]:
    total = (state.held if state else 0.0) + event
    return Tokens(total, 0.0), total


def look(state: Tokens | None, event: None, now: float) -> tuple[Tokens | None, float]:
    return state, state.held if state else 0.0


@pytest.fixture
async def fleets(redis: RedisServer) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
            )
            for _ in range(3)
        ]


@pytest.fixture
def stores(fleets: list[RedisStore]) -> list[StateStore[Tokens]]:
    return [fleet.budgets() for fleet in fleets]


async def test_a_decision_costs_one_script_if_nobody_else_writes(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    before = redis.scripts()
    for _ in range(20):
        await stores[0].apply("a", add, 1.0)
    assert redis.scripts() - before == 20


async def test_decisions_that_arrive_together_cost_two_scripts(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    before = redis.scripts()
    totals = await asyncio.gather(*(stores[0].apply("a", add, 1.0) for _ in range(500)))
    assert sorted(totals) == [float(n) for n in range(1, 501)]
    assert redis.scripts() - before <= 2


async def test_a_decision_that_changes_nothing_costs_no_script(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    await stores[0].apply("a", add, 1.0)
    before = redis.scripts()
    for _ in range(100):
        assert await stores[0].apply("a", look, None) == 1.0
    assert redis.scripts() == before


async def test_a_state_that_is_not_known_here_is_read(stores: list[StateStore[Tokens]]) -> None:
    await stores[0].apply("a", add, 7.0)
    assert await stores[1].apply("a", look, None) == 7.0


async def test_no_change_is_lost_when_all_write_at_once(stores: list[StateStore[Tokens]]) -> None:
    async def write(store: StateStore[Tokens]) -> None:
        for _ in range(50):
            await store.apply("a", add, 1.0)

    await asyncio.gather(*(write(store) for store in stores for _ in range(3)))
    await until(lambda: all(store.peek("a") == Tokens(450.0, 0.0) for store in stores))


async def test_a_change_that_loses_its_races_until_the_timeout_is_sent_later(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    async with RedisStore.connect(redis.url, prefix="test", timeout=0.02) as hasty:

        async def write(store: StateStore[Tokens]) -> None:
            for _ in range(50):
                await store.apply("a", add, 1.0)

        await asyncio.gather(*(write(store) for store in [*stores, hasty.budgets()]))
        healthy = (await hasty.health()).is_healthy
        await until(lambda: stores[0].peek("a") == Tokens(200.0, 0.0) or not healthy)


async def test_other_processes_see_a_change_without_asking(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    await stores[0].apply("a", add, 3.0)
    before = redis.scripts()
    await until(lambda: all(store.peek("a") == Tokens(3.0, 0.0) for store in stores))
    assert redis.scripts() == before


async def test_other_processes_see_a_deletion(stores: list[StateStore[Tokens]]) -> None:
    def delete(state: Tokens | None, event: None, now: float) -> tuple[None, str]:
        return None, "deleted"

    await stores[0].apply("a", add, 3.0)
    await stores[0].apply("a", delete, None)
    await until(lambda: all(store.peek("a") is None for store in stores))
    assert await stores[1].apply("a", add, 1.0) == 1.0


async def test_an_error_of_a_policy_reaches_its_caller_and_no_other(
    stores: list[StateStore[Tokens]],
) -> None:
    def fail(state: Tokens | None, event: None, now: float) -> tuple[Tokens | None, float]:
        raise ZeroDivisionError

    good, bad = await asyncio.gather(
        stores[0].apply("a", add, 2.0), stores[0].apply("a", fail, None), return_exceptions=True
    )
    assert good == 2.0
    assert isinstance(bad, ZeroDivisionError)


async def test_policies_decide_by_the_time_of_the_server(stores: list[StateStore[Tokens]]) -> None:
    def tell(state: Tokens | None, event: None, now: float) -> tuple[Tokens | None, float]:
        return Tokens(1.0, now), now

    assert abs(await stores[0].apply("a", tell, None) - time.time()) < 60.0


async def test_what_another_program_has_written_is_no_state_and_runs_no_code(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    redis.ask("SET", "test:budget:a", "cos\nsystem\n(S'false'\ntR.")
    assert await stores[0].apply("a", add, 1.0) == 1.0
    assert redis.ask("GET", "test:budget:a").endswith(b'{"type":"budget","state":[1.0,0.0]}\r\n')


async def test_after_a_flush_the_next_decision_begins_anew(
    redis: RedisServer, stores: list[StateStore[Tokens]]
) -> None:
    await stores[0].apply("a", add, 5.0)
    redis.ask("FLUSHALL")
    assert await stores[0].apply("a", add, 1.0) == 1.0


async def test_keys_end_by_themselves_but_a_forced_circuit_stays(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    await fleets[0].breakers().apply("a", force_open, None)
    await fleets[0].breakers().apply("b", reset, None)
    assert redis.ask("PTTL", "test:breaker:a") == b":-1\r\n"
    assert int(redis.ask("PTTL", "test:breaker:b")[1:]) > 3_000_000


async def test_programs_with_another_prefix_share_nothing(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    await fleets[0].budgets().apply("a", add, 5.0)
    async with RedisStore.connect(redis.url, prefix="other", timeout=PATIENCE) as other:
        assert await other.budgets().apply("a", look, None) == 0.0


async def test_what_waits_for_others_is_sent_at_the_end(redis: RedisServer) -> None:
    def repay(state: Tokens | None, event: float, now: float) -> tuple[Tokens, None]:
        return Tokens((state.held if state else 0.0) + event, 0.0), None

    fleet = RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
    async with fleet:
        await fleet.budgets().apply("a", repay, 4.0)
    async with fleet:  # it can be entered again
        assert await fleet.budgets().apply("a", look, None) == 4.0
    assert redis.ask("GET", "test:budget:a").endswith(b"[4.0,0.0]}\r\n")


async def test_time_does_not_go_back_if_the_clock_of_a_new_server_is_behind() -> None:
    clock = ManualClock(now=50.0)
    link = Link("redis://cache", prefix="test", timeout=1.0, when_down="local", clock=clock)
    before = link.now()
    vars(link)["_skew"] -= 10.0
    assert link.now() == before
    await clock.advance(11.0)
    assert link.now() == pytest.approx(before + 1.0)


async def test_a_connection_sends_nothing_that_an_old_server_refuses(redis: RedisServer) -> None:
    async with RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE) as fleet:
        await fleet.budgets().apply("a", add, 1.0)
    assert b"errorstat_ERR" not in redis.ask("INFO", "errorstats")


async def test_a_store_is_entered_once(fleets: list[RedisStore]) -> None:
    with pytest.raises(RuntimeError, match="open already"):
        await fleets[0].__aenter__()


numbers = st.integers(0, 2**50)
times = st.floats(0, 1e12)
windows = st.lists(st.builds(Bucket, numbers, numbers, numbers)).map(lambda x: Window(tuple(x)))
slots = st.lists(st.builds(ProbeSlot, numbers, times), max_size=3).map(tuple)
circuits: st.SearchStrategy[BreakerState] = st.one_of(
    st.builds(Closed, numbers, numbers, windows),
    st.builds(Open, numbers, numbers, times),
    st.builds(HalfOpen, numbers, numbers, numbers, slots, numbers),
    st.builds(ForcedOpen, numbers),
)
streaks = st.lists(st.builds(Streak, st.text(), numbers, times), max_size=3).map(tuple)


@given(circuits, streaks, times, times)
def test_every_state_comes_back_with_its_type(
    circuit: BreakerState, seen: tuple[Streak, ...], held: float, at: float
) -> None:
    read = BREAKERS.decode(BREAKERS.encode(circuit))
    assert (read, type(read)) == (circuit, type(circuit))
    fleet = FLEETS.decode(FLEETS.encode(Fleet(circuit, seen)))
    assert fleet == Fleet(circuit, seen)
    assert RATES.decode(RATES.encode(at)) == at
    assert BUDGETS.decode(BUDGETS.encode(Tokens(held, at))) == Tokens(held, at)


@given(circuits, times)
def test_no_lifetime_is_negative_whatever_the_time(circuit: BreakerState, now: float) -> None:
    lifetimes = (BREAKERS.lifetime(circuit, now), FLEETS.lifetime(Fleet(circuit), now))
    assert all(lifetime is None or lifetime > 0 for lifetime in lifetimes)


@given(st.binary())
def test_any_other_bytes_are_no_state(data: bytes) -> None:
    assert BREAKERS.decode(data) is None


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("url", {"url": "http://user:secret@cache/"}),
        ("url", {"url": "redis://user:secret@cache:port/0"}),
        ("prefix", {"prefix": ""}),
        ("timeout", {"timeout": 0.0}),
        ("timeout", {"timeout": None}),
        ("when_down", {"when_down": "wait"}),
    ],
)
def test_a_wrong_argument_is_named_and_no_secret_is_shown(
    field: str, arguments: dict[str, str]
) -> None:
    connect: Callable[..., RedisStore] = RedisStore.connect
    with pytest.raises(HTTPValidationError) as caught:
        connect(**{"url": "redis://cache", **arguments})
    assert caught.value.field == field
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
