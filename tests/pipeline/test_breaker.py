"""The circuit breaker as its callers see it, and fifty of them at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import pytest
from tests.pipeline.scripted import ScriptedCall, answer, lost, outcome_of, silent

from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.response import HttpResponse
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.store import MemoryStore
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState
from railhttp.protocols import CircuitBreakerControlProtocol
from railhttp.testing import ManualClock


async def fail() -> None:
    raise KeyError


async def opened(clock: ManualClock, **settings: object) -> CircuitBreaker:
    """A breaker that has just opened, for five seconds."""
    breaker = CircuitBreaker(1, 5.0, name="stock", clock=clock, **settings)  # type: ignore[arg-type]  # whatever a test needs
    with pytest.raises(KeyError):
        await breaker.call(fail)
    assert state_of(breaker) == "open"
    return breaker


def state_of(breaker: CircuitBreaker) -> str:
    """Its state, which a type checker must not take for lasting."""
    return breaker.state


async def test_five_failures_in_a_row_open_it() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(clock=clock)
    call = ScriptedCall(clock, [lost()] * 4 + [answer(200)] + [lost()] * 5)
    states = []
    for _ in range(10):
        await outcome_of(breaker.call(call))
        states.append(breaker.state)
    assert states == ["closed"] * 9 + ["open"]


async def test_half_of_twenty_calls_open_it() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(clock=clock)
    call = ScriptedCall(clock, [answer(200), lost()] * 10)
    for _ in range(20):
        assert state_of(breaker) == "closed"
        await outcome_of(breaker.call(call))
    assert state_of(breaker) == "open"


async def test_each_success_weighs_against_the_failures() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, clock=clock)
    for _ in range(30):
        await breaker.call(ScriptedCall(clock))
        await clock.advance(0.5)
    for _ in range(30):
        assert state_of(breaker) == "closed"
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    assert state_of(breaker) == "open"


async def test_successes_are_forgotten_no_sooner_than_their_own_time() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, minimum_calls=4, window=30.0, clock=clock)
    await breaker.call(ScriptedCall(clock))
    await clock.advance(25.0)
    for _ in range(50):
        await breaker.call(ScriptedCall(clock))
    await clock.advance(6.0)
    for _ in range(20):
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    assert breaker.state == "closed"


async def test_failures_that_are_too_old_do_not_count() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, minimum_calls=4, window=30.0, clock=clock)
    for _ in range(20):
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
        await clock.advance(10.0)
    assert state_of(breaker) == "closed"


async def test_while_open_no_call_passes_and_retry_after_is_exact() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(1.25)
    call = ScriptedCall(clock)
    with pytest.raises(HTTPCircuitOpenError, match="circuit stock is open") as caught:
        await breaker.call(call)
    assert (caught.value.retry_after, caught.value.name) == (3.75, "stock")
    assert (caught.value.method, caught.value.delivery) == ("GET", Delivery.NOT_SENT)
    await clock.advance(3.75)
    await breaker.call(call)
    assert (call.attempts, breaker.state) == (1, "closed")


async def test_setting_back_the_wall_clock_has_no_effect() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    clock.set_wall(0.0)
    await clock.advance(5.0)
    assert (await breaker.call(ScriptedCall(clock))).status == 200


async def test_a_failed_probe_keeps_it_open_for_longer() -> None:
    clock = ManualClock(chances=[0.0, 0.5, 0.5, 0.5])
    breaker = await opened(clock)
    waits = []
    for _ in range(3):
        with pytest.raises(HTTPCircuitOpenError) as caught:
            await breaker.call(ScriptedCall(clock))
        assert caught.value.retry_after is not None
        waits.append(caught.value.retry_after)
        await clock.advance(caught.value.retry_after)
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    assert waits == [5.0, 7.5, 15.0]


@pytest.mark.parametrize("probes", [1, 3])
async def test_of_fifty_callers_exactly_half_open_max_calls_probe(probes: int) -> None:
    clock = ManualClock()
    breaker = await opened(clock, half_open_max_calls=probes)
    await clock.advance(5.0)
    calls = [ScriptedCall(clock, takes=1.0) for _ in range(50)]
    tasks = [asyncio.ensure_future(breaker.call(call)) for call in calls]
    await clock.settle()
    assert state_of(breaker) == "half_open"
    outcomes = await clock.run(asyncio.gather(*tasks, return_exceptions=True))
    assert sum(call.attempts for call in calls) == probes
    assert sum(isinstance(outcome, HTTPCircuitOpenError) for outcome in outcomes) == 50 - probes
    assert state_of(breaker) == "closed"


async def test_a_successful_probe_does_not_admit_one_probe_too_many() -> None:
    clock = ManualClock()
    breaker = await opened(clock, half_open_max_calls=2)
    await clock.advance(5.0)
    slow = asyncio.ensure_future(breaker.call(ScriptedCall(clock, takes=1.0)))
    await clock.settle()
    await breaker.call(ScriptedCall(clock))
    with pytest.raises(HTTPCircuitOpenError):
        await breaker.call(ScriptedCall(clock))
    await clock.run(slow)
    assert state_of(breaker) == "closed"


@pytest.mark.parametrize("late", [answer(200), lost()])
async def test_a_late_result_from_before_the_opening_changes_nothing(
    late: HttpResponse | HTTPFailure,
) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(1, 5.0, clock=clock)
    slow = asyncio.ensure_future(outcome_of(breaker.call(ScriptedCall(clock, [late], takes=6.0))))
    await clock.settle()
    await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    await clock.advance(5.0)
    probe = asyncio.ensure_future(breaker.call(ScriptedCall(clock, takes=2.0)))
    await clock.advance(1.0)
    assert slow.done()
    assert state_of(breaker) == "half_open"
    await clock.run(probe)
    assert state_of(breaker) == "closed"


async def test_a_cancelled_probe_returns_its_slot_and_is_not_counted() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(5.0)
    probe = asyncio.ensure_future(breaker.call(ScriptedCall(clock, takes=60.0)))
    await clock.settle()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert state_of(breaker) == "half_open"
    await breaker.call(ScriptedCall(clock))
    assert state_of(breaker) == "closed"


async def test_the_slot_of_a_hung_probe_is_leased_again_and_its_late_result_ignored() -> None:
    clock = ManualClock()
    breaker = await opened(clock, probe_lease=10.0)
    await clock.advance(5.0)
    hung = asyncio.ensure_future(
        outcome_of(breaker.call(ScriptedCall(clock, [lost()], takes=11.0)))
    )
    await clock.advance(9.0)
    with pytest.raises(HTTPCircuitOpenError) as caught:
        await breaker.call(ScriptedCall(clock))
    assert caught.value.retry_after is None
    await clock.advance(1.0)
    second = asyncio.ensure_future(breaker.call(ScriptedCall(clock, takes=3.0)))
    await clock.advance(1.0)
    assert hung.done()
    assert state_of(breaker) == "half_open"
    await clock.run(second)
    assert state_of(breaker) == "closed"


async def test_a_circuit_that_was_forced_open_stays_open_until_reset() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(clock=clock)
    running = asyncio.ensure_future(breaker.call(ScriptedCall(clock, takes=1.0)))
    await clock.settle()
    await breaker.force_open()
    await clock.run(running)
    await clock.advance(1e9)
    with pytest.raises(HTTPCircuitOpenError, match="the circuit is open") as caught:
        await breaker.call(ScriptedCall(clock))
    assert (caught.value.retry_after, breaker.state) == (None, "open")
    await breaker.reset()
    assert state_of(breaker) == "closed"
    await breaker.call(ScriptedCall(clock))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (lost(), "open"),
        (silent(), "open"),
        (HTTPConnectionError(kind="tls"), "open"),
        (HTTPTimeoutError(phase="total"), "open"),
        (HTTPRetryExhaustedError(failures=[lost()]), "open"),
        (HTTPRetryExhaustedError(), "open"),
        (answer(503), "open"),
        (answer(429), "open"),
        (answer(404), "closed"),
        (HTTPConnectionError(kind="rejected"), "closed"),
        (HTTPConnectionError(kind="closed"), "closed"),
        (HTTPTimeoutError(phase="pool"), "closed"),
        (HTTPTimeoutError(phase="total", delivery=Delivery.NOT_SENT), "closed"),
        (HTTPInvalidRequestError(), "closed"),
        (HTTPCircuitOpenError(), "closed"),
        (HTTPDecodeError(), "closed"),
    ],
)
async def test_only_what_the_host_did_is_held_against_it(
    outcome: HTTPFailure | HttpResponse, state: str
) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(1, clock=clock)
    await outcome_of(breaker.call(ScriptedCall(clock, [outcome])))
    assert state_of(breaker) == state


async def test_a_foreign_exception_counts_as_a_failure_and_other_values_as_successes() -> None:
    async def succeed() -> int:
        return 7

    breaker = CircuitBreaker(2)
    for func in (fail, succeed, fail, fail):
        with suppress(KeyError):
            await breaker.call(func)
    assert state_of(breaker) == "open"


async def test_predicates_decide_what_is_a_failure() -> None:
    clock = ManualClock()
    rule = BreakerRule(
        failure_threshold=2,
        failure_if=lambda failure: isinstance(failure, HTTPTimeoutError),
        failure_if_response=lambda response: response.status == 404,
    )
    breaker = CircuitBreaker(name="stock", rule=rule, clock=clock)
    for other in (lost(), lost(), answer(503), answer(503)):
        await outcome_of(breaker.call(ScriptedCall(clock, [other])))
    assert state_of(breaker) == "closed"
    for outcome in (silent(), answer(404)):
        await outcome_of(breaker.call(ScriptedCall(clock, [outcome])))
    assert (breaker.state, breaker.name, breaker.rule) == ("open", "stock", rule)


async def test_a_failure_that_a_predicate_lets_off_counts_as_a_success() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(
        2, 5.0, failure_if=lambda failure: isinstance(failure, HTTPTimeoutError), clock=clock
    )
    states = []
    for failure in (silent(), lost(), silent(), silent()):
        await outcome_of(breaker.call(ScriptedCall(clock, [failure])))
        states.append(breaker.state)
    assert states == ["closed", "closed", "closed", "open"], "it ends a row of failures"
    await clock.advance(5.0)
    await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    assert breaker.state == "closed", "a probe succeeds with it"


NO_VERDICTS: Final[Mapping[str, bool]] = {}


@pytest.mark.parametrize("outcome", [lost(), answer(200)])
async def test_a_predicate_with_a_defect_is_named_and_takes_no_probes_slot(
    outcome: HTTPFailure | HttpResponse,
) -> None:
    clock = ManualClock()
    broken = await opened(
        clock,
        failure_if=lambda failure: NO_VERDICTS[failure.label],
        failure_if_response=lambda response: NO_VERDICTS[response.url],
    )
    await clock.advance(5.0)
    for _ in range(3):
        with pytest.raises(HTTPInterceptorError, match=r"failure_if\w* raised KeyError") as caught:
            await broken.call(ScriptedCall(clock, [outcome]))
        assert isinstance(caught.value.__cause__, KeyError)
        assert state_of(broken) == "half_open", "it says nothing about the host"


async def test_a_slow_success_counts_as_a_failure() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(1, slow_call=2.0, clock=clock)
    await clock.run(breaker.call(ScriptedCall(clock, takes=1.9)))
    assert state_of(breaker) == "closed"
    await clock.run(breaker.call(ScriptedCall(clock, takes=2.0)))
    assert state_of(breaker) == "open"


async def test_protect_judges_a_block_as_call_does() -> None:
    breaker = CircuitBreaker(1)
    async with breaker.protect():
        pass
    with pytest.raises(HTTPConnectionError):
        async with breaker.protect():
            raise lost()
    with pytest.raises(HTTPCircuitOpenError):
        async with breaker.protect():
            pytest.fail("the block must not be entered")


async def test_a_block_that_succeeds_closes_a_circuit_that_was_half_open() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(5.0)
    async with breaker.protect():
        assert state_of(breaker) == "half_open"
    assert state_of(breaker) == "closed"


async def test_a_reset_forgets_successes_too() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, minimum_calls=4, clock=clock)
    for _ in range(50):
        await breaker.call(ScriptedCall(clock))
    await breaker.reset()
    await breaker.call(ScriptedCall(clock))
    for _ in range(3):
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    assert state_of(breaker) == "open"


async def test_without_a_ratio_only_failures_in_a_row_count() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2, failure_ratio=None, clock=clock)
    script: list[HTTPFailure | HttpResponse] = [lost(), answer(200), answer(200)]
    call = ScriptedCall(clock, script * 20 + [lost(), lost()])
    for _ in range(61):
        await outcome_of(breaker.call(call))
        assert state_of(breaker) == "closed"
    await outcome_of(breaker.call(call))
    assert state_of(breaker) == "open"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: BreakerRule(failure_threshold=0), "failure_threshold"),
        (lambda: BreakerRule(recovery_timeout=0.0), "recovery_timeout"),
        (lambda: BreakerRule(failure_ratio=1.5), "failure_ratio"),
        (lambda: BreakerRule(failure_ratio=0.0), "failure_ratio"),
        (lambda: BreakerRule(window=float("inf")), "window"),
        (lambda: BreakerRule(probe_lease=-1.0), "probe_lease"),
        (lambda: BreakerRule(probe_lease=None), "probe_lease"),  # type: ignore[arg-type]  # on purpose
        (lambda: BreakerRule(window=None), "window"),  # type: ignore[arg-type]  # on purpose
        (lambda: BreakerRule(failure_if=3), "failure_if"),  # type: ignore[arg-type]  # on purpose
        (lambda: BreakerRule(failure_if_response=3), "failure_if_response"),  # type: ignore[arg-type]  # on purpose
        (lambda: BreakerRule(max_recovery_timeout=1.0), "max_recovery_timeout"),
        (lambda: CircuitBreaker(half_open_max_calls=0), "half_open_max_calls"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], object], field: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        make()
    assert caught.value.field == field


def test_a_long_recovery_timeout_raises_its_maximum() -> None:
    assert CircuitBreaker(recovery_timeout=600.0).rule.max_recovery_timeout == 600.0


def test_it_is_a_breaker_that_can_be_handled() -> None:
    assert isinstance(CircuitBreaker(), CircuitBreakerControlProtocol)


async def test_each_of_several_successes_at_once_counts_once() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, minimum_calls=10, window=30.0, clock=clock)
    at_once = (breaker.call(ScriptedCall(clock, takes=1.0)) for _ in range(5))
    await clock.run(_together(at_once))
    states = []
    for _ in range(5):
        await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
        states.append(state_of(breaker))
    assert states == ["closed"] * 4 + ["open"]


async def _together(calls: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*calls)


@pytest.mark.parametrize(
    ("ratio", "failures", "state"),
    [
        (0.5, "ab", "open"),
        (0.5, "AAaAb", "closed"),
        (0.5, "AAabA", "open"),
        (None, "ab", "open"),
        (None, "AAaAb", "closed"),
        (None, "AAaAAba", "open"),
    ],
)
async def test_breakers_that_share_a_store_count_failures_in_a_row_together(
    ratio: float | None, failures: str, state: str
) -> None:
    """A small letter is a failure of that breaker, a capital one a success."""
    clock = ManualClock()
    store = MemoryStore[BreakerState](clock=clock)
    a, b = (
        CircuitBreaker(2, name="stock", failure_ratio=ratio, store=store, clock=clock)
        for _ in range(2)
    )
    for letter in failures:
        outcome = lost() if letter.islower() else answer(200)
        breaker = a if letter in "aA" else b
        await outcome_of(breaker.call(ScriptedCall(clock, [outcome])))
    assert (a.state, b.state) == (state, state)


async def test_successes_before_a_pause_are_forgotten_at_their_own_time() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(100, minimum_calls=2, window=10.0, clock=clock)
    outcomes = [answer(200)] * 10 + [lost()] * 2
    call = ScriptedCall(clock, outcomes)
    for _ in range(10):
        await outcome_of(breaker.call(call))
    await clock.advance(9.0)
    await outcome_of(breaker.call(call))
    assert state_of(breaker) == "closed"
    await clock.advance(2.0)
    await outcome_of(breaker.call(call))
    assert state_of(breaker) == "open"


@pytest.mark.parametrize("ratio", [0.5, None])
async def test_the_next_call_after_a_reset_reports_it(
    ratio: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(1, name="stock", failure_ratio=ratio, clock=clock)
    await outcome_of(breaker.call(ScriptedCall(clock, [lost()])))
    await breaker.reset()
    caplog.clear()
    caplog.set_level("INFO", "railhttp")
    await outcome_of(breaker.call(ScriptedCall(clock)))
    assert caplog.messages == ["circuit stock changed from open to closed"]
