"""One circuit for a fleet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import pytest
from tests.integrations.redis.test_shared_state import PATIENCE
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp import CircuitBreaker, HTTPCircuitOpenError
from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.shared import MAX_KEPT
from railhttp.policy.breaker_states import Closed, Report, Ticket
from railhttp.resilience import BreakerRule, OriginBreakers

PROCESSES: Final = 5


@pytest.fixture
async def fleets(redis: RedisServer) -> AsyncIterator[list[RedisStore]]:
    """As many stores as processes: they share nothing but the server."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE)
            )
            for _ in range(PROCESSES)
        ]


def breakers(
    fleets: list[RedisStore], quorum: int = 1, recovery: float = 60.0
) -> list[CircuitBreaker]:
    return [CircuitBreaker(3, recovery, name="h", store=fleet.breakers(quorum)) for fleet in fleets]


async def succeed() -> str:
    await asyncio.sleep(0.01)
    return "fine"


async def fail() -> str:
    raise ConnectionError


async def outcome(breaker: CircuitBreaker, *, fails: bool = False) -> str:
    try:
        return await breaker.call(fail if fails else succeed)
    except (ConnectionError, HTTPCircuitOpenError) as error:
        return type(error).__name__


async def outcomes(all_of_them: list[CircuitBreaker]) -> list[str]:
    return [await outcome(breaker) for breaker in all_of_them]


@pytest.mark.parametrize("quorum", [1, 2, 3])
async def test_failures_of_three_processes_open_the_circuit_of_all(
    fleets: list[RedisStore], quorum: int
) -> None:
    fleet = breakers(fleets, quorum)
    for breaker in fleet[:3]:
        await outcome(breaker, fails=True)
    await until(lambda: {breaker.state for breaker in fleet} == {"open"})
    assert all(breaker.is_refusing for breaker in fleet)
    assert set(await outcomes(fleet)) == {"HTTPCircuitOpenError"}


@pytest.mark.parametrize("quorum", [1, 2])
async def test_of_fifty_callers_on_five_processes_one_probes_and_its_success_closes_all(
    fleets: list[RedisStore], quorum: int
) -> None:
    fleet = breakers(fleets, quorum, recovery=0.4)
    for breaker in fleet[:3]:
        await outcome(breaker, fails=True)
    await until(lambda: {breaker.state for breaker in fleet} == {"open"})
    await until(lambda: not any(breaker.is_refusing for breaker in fleet))
    probed = 0
    others_refused = asyncio.Event()

    async def probe() -> None:
        nonlocal probed
        probed += 1
        await others_refused.wait()

    calls: list[asyncio.Future[None]] = []
    while not probed:  # a process may be a moment behind the time of the server
        calls = [asyncio.ensure_future(breaker.call(probe)) for breaker in fleet * 10]
        under_way = set(calls)
        while len(under_way) > 1 and probed < 2:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            under_way = {call for call in calls if not call.done()}
    others_refused.set()
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert probed == 1
    assert sum(isinstance(failure, HTTPCircuitOpenError) for failure in failures) == 49
    await until(lambda: {breaker.state for breaker in fleet} == {"closed"})
    assert set(await outcomes(fleet)) == {"fine"}


async def test_a_closed_circuit_costs_no_script(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    breaker = breakers(fleets)[0]

    async def answer() -> None:
        """Take no time."""

    for _ in range(10):
        await breaker.call(answer)
    before = redis.scripts()
    for _ in range(20_000):
        await breaker.call(answer)
    assert redis.scripts() - before <= 2


async def test_with_a_quorum_a_process_with_a_broken_network_stops_only_itself(
    fleets: list[RedisStore],
) -> None:
    sick, *others = breakers(fleets, quorum=2)
    for _ in range(20):
        await outcome(sick, fails=True)
    assert sick.state == "open"
    assert await outcome(sick) == "HTTPCircuitOpenError"
    await asyncio.sleep(0.05)
    assert {breaker.state for breaker in others} == {"closed"}
    assert set(await outcomes(others)) == {"fine"}


async def test_without_a_quorum_it_stops_all(fleets: list[RedisStore]) -> None:
    sick, *others = breakers(fleets)
    for _ in range(3):
        await outcome(sick, fails=True)
    await until(lambda: {breaker.state for breaker in others} == {"open"})


async def test_a_second_process_that_fails_makes_the_quorum(fleets: list[RedisStore]) -> None:
    sick, second, *others = breakers(fleets, quorum=2)
    for _ in range(3):
        await outcome(sick, fails=True)
    await outcome(second, fails=True)
    await until(lambda: {breaker.state for breaker in others} == {"open"})


async def test_a_success_takes_the_failures_of_its_process_out_of_the_quorum(
    fleets: list[RedisStore],
) -> None:
    first, second, *others = breakers(fleets, quorum=2)
    await outcome(first, fails=True)
    await outcome(first, fails=True)
    assert await outcome(first) == "fine"
    await outcome(second, fails=True)
    await asyncio.sleep(0.05)
    assert {breaker.state for breaker in others} == {"closed"}


@pytest.mark.parametrize("quorum", [1, 2])
async def test_anyone_opens_and_closes_the_circuit_of_all(
    fleets: list[RedisStore], quorum: int
) -> None:
    fleet = breakers(fleets, quorum)
    await outcomes(fleet)
    await fleet[0].force_open()
    await until(lambda: all(breaker.is_refusing for breaker in fleet))
    assert set(await outcomes(fleet)) == {"HTTPCircuitOpenError"}
    await fleet[1].reset()
    await until(lambda: not any(breaker.is_refusing for breaker in fleet))
    assert set(await outcomes(fleet)) == {"fine"}


async def test_a_reset_closes_the_own_circuit_of_a_sick_process(fleets: list[RedisStore]) -> None:
    sick, other, *_ = breakers(fleets, quorum=2)
    for _ in range(3):
        await outcome(sick, fails=True)
    await other.reset()
    await until(lambda: sick.state == "closed")
    assert await outcome(sick) == "fine"


async def test_each_origin_has_its_circuit(fleets: list[RedisStore]) -> None:
    here, there = (OriginBreakers(store=fleet.breakers()) for fleet in fleets[:2])
    await here.for_origin("http://a:80").force_open()
    await until(lambda: there.for_origin("http://a:80").is_refusing)
    assert not there.for_origin("http://b:80").is_refusing


async def test_successes_are_sent_with_the_first_failure_of_any_process(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    here, there = (fleet.breakers() for fleet in fleets[:2])
    rule = BreakerRule(failure_threshold=100, minimum_calls=100)
    for store in (here, there):
        await store.apply("h", rule.admit, None)
    ticket = Ticket(0, 0, 0.0)
    before = redis.scripts()
    for _ in range(50):
        await here.apply("h", rule.record, Report(ticket, "success", 0.5, calls=3))
    assert redis.scripts() == before

    await there.apply("h", rule.record, Report(ticket, "failure", 0.5))

    def calls() -> tuple[int, int]:
        state = there.peek("h")
        return state.window.sums() if isinstance(state, Closed) else (0, 0)

    await until(lambda: calls()[0] > 1)
    assert calls() == (1 + 3 * MAX_KEPT, 1)


async def test_slow_calls_of_a_healthy_host_cost_no_script_either(
    redis: RedisServer, fleets: list[RedisStore]
) -> None:
    rule = BreakerRule(window=0.1)
    breaker = CircuitBreaker(name="h", rule=rule, store=fleets[0].breakers())
    await outcome(breaker)
    before = redis.scripts()
    for _ in range(50):
        await outcome(breaker)
    assert redis.scripts() == before
