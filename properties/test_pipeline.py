"""The pipeline: its total bounds every layer, idle layers change nothing (invariants 23, 24)."""

import asyncio
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import attempt_outcomes
from tests.pipeline.scripted import ScriptedCall, outcome_of

from railhttp.model.errors import HTTPFailure, HTTPTimeoutError
from railhttp.model.response import HttpResponse
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.resilience import ResiliencePipeline
from railhttp.pipeline.stack import Layer
from railhttp.testing import ManualClock

KINDS: Final = ("bulkhead", "retry", "rate limit", "breaker", "timeout")
KIND_SETS: Final = st.sets(st.sampled_from(KINDS)).map(sorted).flatmap(st.permutations)
SCRIPTS: Final = st.lists(attempt_outcomes, min_size=1, max_size=4)


def layer(kind: str, clock: ManualClock) -> Layer:
    """A layer that lets one call after another pass, and tries nothing again."""
    match kind:
        case "bulkhead":
            return Bulkhead(1, clock=clock)
        case "retry":
            return RetryPolicy(1, clock=clock)
        case "rate limit":
            return RateLimiter(1e9, clock=clock)
        case "breaker":
            return CircuitBreaker(1000, minimum_calls=1000, clock=clock)
        case _:
            return AttemptTimeout(10.0, clock=clock)


@given(KIND_SETS, attempt_outcomes, st.none() | st.just(15.0))
def test_layers_that_let_a_call_pass_return_its_outcome_unchanged(
    kinds: list[str], outcome: HTTPFailure | HttpResponse, total: float | None
) -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(*(layer(kind, clock) for kind in kinds), total=total, clock=clock)
    call = ScriptedCall(clock, [outcome])
    assert asyncio.run(outcome_of(pipeline.execute(call))) is outcome


@given(KIND_SETS, st.integers(0, 40), st.none() | st.just(15.0))
def test_cancelling_a_call_at_any_point_propagates_and_frees_every_layer(
    kinds: list[str], turns: int, total: float | None
) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        layers = [layer(kind, clock) for kind in kinds]
        pipeline = ResiliencePipeline(*layers, total=total, clock=clock)
        task = asyncio.ensure_future(pipeline.execute(ScriptedCall(clock, takes=1.0)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for each in layers:
            if isinstance(each, Bulkhead):
                assert (each.running, each.waiting) == (0, 0)
            if isinstance(each, CircuitBreaker):
                assert each.state == "closed"

    asyncio.run(scenario())


@given(SCRIPTS, st.permutations(range(4)))
def test_the_order_in_which_layers_are_added_makes_no_difference(
    script: list[HTTPFailure | HttpResponse], order: list[int]
) -> None:
    def played(order: list[int]) -> tuple[object, list[float]]:
        clock = ManualClock()
        parts: list[Layer] = [
            Bulkhead(1, clock=clock),
            RetryPolicy(4, clock=clock),
            RateLimiter(2.0, clock=clock),
            CircuitBreaker(2, clock=clock),
        ]
        pipeline = ResiliencePipeline(clock=clock)
        for index in order:
            pipeline.add(parts[index])
        call = ScriptedCall(clock, script)
        outcome = asyncio.run(clock.run(outcome_of(pipeline.execute(call))))
        return outcome if isinstance(outcome, HttpResponse) else str(outcome), call.began

    assert played(order) == played([0, 1, 2, 3])


@given(SCRIPTS, st.floats(0.2, 5), st.none() | st.floats(0.2, 5), st.floats(0, 2), st.booleans())
def test_no_call_exceeds_its_total_and_no_attempt_begins_after_its_deadline(
    script: list[HTTPFailure | HttpResponse],
    total: float,
    timeout: float | None,
    takes: float,
    has_attempt_timeout: bool,
) -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(
        Bulkhead(1, clock=clock),
        RetryPolicy(4, clock=clock, throttle_delay=0.1, base_delay=0.01),
        RateLimiter(4.0, clock=clock),
        *([AttemptTimeout(0.15, clock=clock)] if has_attempt_timeout else []),
        total=total,
        clock=clock,
    )
    call = ScriptedCall(clock, script, timeout=timeout, takes=takes)
    outcome = asyncio.run(clock.run(outcome_of(pipeline.execute(call))))
    is_late = isinstance(outcome, HTTPTimeoutError) and outcome.phase == "total"
    is_cut = has_attempt_timeout and takes > 0.15
    assert is_late or is_cut or outcome in script or getattr(outcome, "__cause__", None) in script
    assert clock.monotonic() <= total + 1e-9
    assert all(began < min(total, timeout or total) for began in call.began)
