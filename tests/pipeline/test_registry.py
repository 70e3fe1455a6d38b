"""Breakers by name, and by origin."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from tests.pipeline.scripted import ScriptedCall, lost

from railhttp.model.errors import HTTPCircuitOpenError, HTTPConnectionError, HTTPValidationError
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import CircuitBreakerRegistry, OriginBreakers
from railhttp.pipeline.policies.store import MemoryStore, StoreListener
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState
from railhttp.protocols import CircuitBreakerProtocol, CircuitBreakerRegistryProtocol
from railhttp.testing import ManualClock

ONE_FAILURE: Final = BreakerRule(failure_threshold=1)


async def test_the_same_name_gives_the_same_breaker() -> None:
    registry = CircuitBreakerRegistry(BreakerRule(failure_threshold=2))
    stock = await registry.get_or_create("stock")
    price = await registry.get_or_create("price", BreakerRule(failure_threshold=9))
    assert await registry.get_or_create("stock") is registry.get("stock") is stock
    assert await registry.get_or_create("price", BreakerRule(failure_threshold=9)) is price
    assert (stock.rule.failure_threshold, price.rule.failure_threshold) == (2, 9)
    assert registry.list_breakers() == ["stock", "price"]
    assert registry.get("unknown") is None


async def test_another_configuration_for_a_known_name_is_an_error() -> None:
    registry = CircuitBreakerRegistry()
    await registry.get_or_create("stock")
    with pytest.raises(HTTPValidationError, match="'stock' has another configuration"):
        await registry.get_or_create("stock", BreakerRule(failure_threshold=2))


async def test_one_origin_that_is_down_is_no_others() -> None:
    clock = ManualClock()
    breakers = CircuitBreakerRegistry(clock=clock).per_origin(BreakerRule(failure_threshold=1))
    with pytest.raises(HTTPConnectionError):
        await breakers.call(ScriptedCall(clock, [lost()], host="http://down:80"))
    with pytest.raises(HTTPCircuitOpenError) as caught:
        await breakers.call(ScriptedCall(clock, host="http://down:80"))
    assert caught.value.name == "http://down:80"
    assert (await breakers.call(ScriptedCall(clock, host="http://up:80"))).status == 200
    down = breakers.get("http://down:80")
    assert down is not None
    assert down.state == "open"


async def test_beyond_the_limit_the_closed_one_used_longest_ago_is_forgotten() -> None:
    clock = ManualClock()
    breakers = OriginBreakers(BreakerRule(failure_threshold=1), max_origins=3, clock=clock)
    with pytest.raises(HTTPConnectionError):
        await breakers.call(ScriptedCall(clock, [lost()], host="down"))
    for host in ("a", "b", "a", "c"):
        await breakers.call(ScriptedCall(clock, host=host))
    assert breakers.origins() == ["down", "a", "c"]


async def test_open_ones_are_not_forgotten_until_a_probe_might_pass() -> None:
    clock = ManualClock()
    breakers = OriginBreakers(BreakerRule(failure_threshold=1), max_origins=1, clock=clock)
    for host in ("a", "b"):
        with pytest.raises(HTTPConnectionError):
            await breakers.call(ScriptedCall(clock, [lost()], host=host))
    assert breakers.origins() == ["a", "b"]
    await clock.advance(5.0)
    await breakers.call(ScriptedCall(clock, host="c"))
    assert breakers.origins() == ["c"]


async def test_one_that_is_forced_open_is_never_forgotten() -> None:
    breakers = OriginBreakers(max_origins=1)
    clock = ManualClock()
    await breakers.call(ScriptedCall(clock, host="a"))
    breaker = breakers.get("a")
    assert breaker is not None
    await breaker.force_open()
    await breakers.call(ScriptedCall(clock, host="b"))
    assert breakers.origins() == ["a", "b"]


def test_they_have_the_shape_of_their_protocols() -> None:
    assert isinstance(CircuitBreakerRegistry(), CircuitBreakerRegistryProtocol)
    assert isinstance(OriginBreakers(), CircuitBreakerProtocol)
    with pytest.raises(HTTPValidationError):
        OriginBreakers(max_origins=0)


async def named(clock: ManualClock) -> CircuitBreaker:
    return await CircuitBreakerRegistry(ONE_FAILURE, clock=clock).get_or_create("stock")


async def of_an_origin(clock: ManualClock) -> CircuitBreaker:
    return OriginBreakers(ONE_FAILURE, clock=clock).for_origin("stock")


async def of_an_origin_of_a_registry(clock: ManualClock) -> CircuitBreaker:
    return CircuitBreakerRegistry(ONE_FAILURE, clock=clock).per_origin().for_origin("stock")


@pytest.mark.parametrize("build", [named, of_an_origin, of_an_origin_of_a_registry])
async def test_the_clock_that_is_given_decides_when_a_breaker_refuses(
    build: Callable[[ManualClock], Awaitable[CircuitBreaker]],
) -> None:
    clock = ManualClock()
    breaker = await build(clock)
    with pytest.raises(OSError, match="refused"):
        async with breaker.protect():
            raise OSError("refused")
    assert breaker.is_refusing
    await clock.advance(1000.0)
    assert not breaker.is_refusing


class Server:
    """Stands for the server of a shared store."""

    def __init__(self) -> None:
        self.name, self.up, self.outage = "shop", True, None
        self.listeners: set[StoreListener] = set()


class Shared(MemoryStore[BreakerState]):
    """A store with a server."""

    server = Server()


async def test_the_breakers_of_a_registry_have_its_rule_and_its_store_or_a_rule_of_their_own() -> (
    None
):
    rule, other = BreakerRule(failure_threshold=2), BreakerRule(failure_threshold=3)
    store, clock = Shared(), ManualClock()
    registry = CircuitBreakerRegistry(rule, store=store, clock=clock)
    for breakers, expected in (
        ([await registry.get_or_create("a"), registry.per_origin().for_origin("a")], rule),
        (
            [await registry.get_or_create("b", other), registry.per_origin(other).for_origin("b")],
            other,
        ),
    ):
        for breaker in breakers:
            assert (breaker.rule, breaker.server) == (expected, store.server)
            assert breaker.name in {"a", "b"}
    assert registry.per_origin(other).rule is other


def test_a_registry_limits_the_origins_of_its_stand_in() -> None:
    origins = CircuitBreakerRegistry().per_origin(max_origins=2)
    for origin in ("a", "b", "a", "c"):
        origins.for_origin(origin)
    assert origins.origins() == ["a", "c"]
    with pytest.raises(HTTPValidationError) as caught:
        CircuitBreakerRegistry().per_origin(max_origins=0)
    assert caught.value.field == "max_origins"
