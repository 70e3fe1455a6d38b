"""The pipeline: its order, its limits, and what may not be put together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import pytest
from returns.result import Success
from tests.pipeline.scripted import ScriptedCall, answer, lost, outcome_of
from typing_extensions import override

from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.pipeline.call import Call
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.policies.store import MemoryStore
from railhttp.pipeline.resilience import ResiliencePipeline
from railhttp.pipeline.stack import Layer, Stack
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState
from railhttp.protocols import ResiliencePipelineProtocol
from railhttp.testing import ManualClock
from railhttp.validation import check_pipeline

T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")
P = ParamSpec("P")


class ForeignRetry:
    """A retry policy that knows nothing of railhttp: two attempts, whatever happens."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await func(*args, **kwargs)
        except Exception:
            return await func(*args, **kwargs)


class ForeignBreaker:
    """A breaker that knows nothing of railhttp, and only counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        self.calls += 1
        return await func(*args, **kwargs)


async def test_each_attempt_takes_its_turn_and_asks_the_breaker_in_one_place_of_the_bulkhead() -> (
    None
):
    clock = ManualClock()
    bulkhead, breaker = Bulkhead(1, clock=clock), ForeignBreaker()
    retry = RetryPolicy(3, jitter=False, base_delay=0.1, clock=clock)
    pipeline = ResiliencePipeline(
        breaker, RateLimiter(1.0, clock=clock), retry, bulkhead, clock=clock
    )
    call = ScriptedCall(clock, [lost(), lost(), answer(200)])
    second = ScriptedCall(clock)
    await clock.run(asyncio.gather(pipeline.execute(call), pipeline.execute(second)))
    assert call.began == [0.0, 1.0, 2.0]
    assert second.began == [3.0]
    assert breaker.calls == 4


async def test_an_open_circuit_ends_the_retries_and_is_told_as_it_is() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(
        RetryPolicy(5, clock=clock), CircuitBreaker(2, clock=clock), clock=clock
    )
    call = ScriptedCall(clock, [lost()])
    with pytest.raises(HTTPCircuitOpenError):
        await clock.run(pipeline.execute(call))
    assert call.attempts == 2


async def test_an_attempt_that_takes_too_long_is_tried_again() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(
        RetryPolicy(2, clock=clock), AttemptTimeout(1.0, clock=clock), clock=clock
    )
    with pytest.raises(HTTPRetryExhaustedError) as caught:
        await clock.run(pipeline.execute(ScriptedCall(clock, takes=5.0)))
    assert [failure.label for failure in caught.value.failures] == ["read", "read"]


async def test_the_total_ends_a_call_in_any_layer() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(total=3.0, clock=clock)
    with pytest.raises(HTTPTimeoutError, match=r"not done within 3\.0s") as caught:
        await clock.run(pipeline.execute(ScriptedCall(clock, takes=60.0)))
    assert (caught.value.phase, caught.value.method, clock.monotonic()) == ("total", "GET", 3.0)


@pytest.mark.parametrize(
    ("layer", "delivery"), [(None, Delivery.MAYBE_SENT), ("full bulkhead", Delivery.NOT_SENT)]
)
async def test_a_call_that_the_total_ended_is_maybe_sent_only_if_an_attempt_had_begun(
    layer: str | None, delivery: Delivery
) -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(total=3.0, clock=clock)
    if layer is not None:
        bulkhead = Bulkhead(1, clock=clock)
        await bulkhead.enter(Call(clock))
        pipeline.add(bulkhead)
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(pipeline.execute(clock.sleep, 60.0))
    assert caught.value.delivery is delivery


async def test_an_attempt_gets_at_most_the_remaining_time_of_the_call() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(
        AttemptTimeout(2.0, clock=clock),
        RetryPolicy(5, base_delay=0.1, jitter=False, clock=clock),
        total=3.0,
        clock=clock,
    )
    call = ScriptedCall(clock, takes=60.0)
    with pytest.raises(HTTPTimeoutError, match=r"not done within 3\.0s") as caught:
        await clock.run(pipeline.execute(call))
    assert (caught.value.phase, call.began, clock.monotonic()) == ("total", [0.0, 2.1], 3.0)


async def test_the_time_in_the_queue_counts_towards_the_total() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline(Bulkhead(1, clock=clock), total=3.0, clock=clock)
    calls = [ScriptedCall(clock, takes=2.0) for _ in range(3)]
    outcomes = await clock.run(
        asyncio.gather(*(pipeline.execute(call) for call in calls), return_exceptions=True)
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "HttpResponse",
        "HTTPTimeoutError",
        "HTTPTimeoutError",
    ]
    assert clock.monotonic() == 3.0


class HungStore(MemoryStore[S]):
    """A store that never answers."""

    @override
    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        return await asyncio.Future[D]()


@pytest.mark.parametrize(
    "make",
    [
        lambda clock: CircuitBreaker(store=HungStore[BreakerState](), clock=clock),
        lambda clock: OriginBreakers(store=HungStore[BreakerState](), clock=clock),
        lambda clock: RateLimiter(1, store=HungStore(), clock=clock),
        lambda clock: RetryPolicy(store=HungStore(), clock=clock),
    ],
)
async def test_a_store_that_never_responds_takes_at_most_the_time_of_the_call(
    make: Callable[[ManualClock], Layer],
) -> None:
    clock = ManualClock()
    attempt = AttemptTimeout(1.0, clock=clock)
    pipeline = ResiliencePipeline(make(clock), attempt, total=3.0, clock=clock)
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(pipeline.execute(ScriptedCall(clock, [lost()])))
    assert (caught.value.phase, clock.monotonic()) == ("total", 3.0)


async def test_the_standard_pipeline_is_for_every_day() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline.standard(clock=clock).add(RateLimiter(100, clock=clock))
    call = ScriptedCall(clock, [lost(), answer(200)])
    assert (await clock.run(pipeline.execute(call))).status == 200


@pytest.mark.parametrize(("attempts", "limit"), [(1, 10.0), (9, 30.0)])
async def test_the_standard_pipeline_limits_an_attempt_to_10_s_and_a_call_to_30_s(
    attempts: int, limit: float
) -> None:
    clock = ManualClock()
    retry = RetryPolicy(attempts, base_delay=0.0, reraise=True, clock=clock)
    pipeline = ResiliencePipeline.standard(retry=retry, clock=clock)
    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(pipeline.execute(ScriptedCall(clock, takes=600.0)))
    assert (caught.value.limit, clock.monotonic()) == (limit, limit)


async def test_one_origin_that_is_down_stops_no_other_in_the_standard_pipeline() -> None:
    clock = ManualClock()
    pipeline = ResiliencePipeline.standard(retry=RetryPolicy(1, clock=clock), clock=clock)
    for _ in range(5):
        with pytest.raises(HTTPConnectionError):
            await pipeline.execute(ScriptedCall(clock, [lost()], host="http://down:80"))
    with pytest.raises(HTTPCircuitOpenError):
        await pipeline.execute(ScriptedCall(clock, host="http://down:80"))
    assert (await pipeline.execute(ScriptedCall(clock, host="http://up:80"))).status == 200


async def test_foreign_policies_work_unchanged() -> None:
    clock = ManualClock()
    breaker = ForeignBreaker()
    pipeline = ResiliencePipeline(ForeignRetry(), breaker, clock=clock)
    call = ScriptedCall(clock, [lost(), answer(200)])
    assert (await pipeline.execute(call)).status == 200
    assert breaker.calls == call.attempts == 2


async def test_arguments_are_handed_through_and_an_empty_pipeline_only_calls() -> None:
    async def add(left: int, *, right: int) -> int:
        return left + right

    assert await ResiliencePipeline().execute(add, 1, right=2) == 3


@pytest.mark.parametrize(
    ("layers", "total", "message"),
    [
        ([Bulkhead(1), Bulkhead(2)], None, "layers: two of a kind: Bulkhead and Bulkhead"),
        ([RetryPolicy(), ForeignRetry()], None, "two of a kind: RetryPolicy and ForeignRetry"),
        ([CircuitBreaker(), OriginBreakers()], None, "two of a kind"),
        ([RateLimiter(1), RateLimiter(1)], None, "two of a kind"),
        ([AttemptTimeout(1), AttemptTimeout(1)], None, "two of a kind"),
        ([AttemptTimeout(5.0)], 4.0, "attempt_timeout: must not be longer than the whole call"),
        ([AttemptTimeout(16.0), CircuitBreaker()], None, "window: must hold two attempts of 16 s"),
        ([AttemptTimeout(16.0), OriginBreakers()], None, "window: must hold two attempts of 16 s"),
        ([RetryPolicy(4, base_delay=1.0)], 6.9, "total: the waits between attempts add up to more"),
        ([], 0.0, "total: "),
        ([None], None, "layers: must be an object with `execute`, got NoneType"),
        ([3], None, "layers: must be an object with `execute`, got 3"),
        ([CircuitBreaker], None, "with `call`, got the class CircuitBreaker"),
    ],
)
def test_illegal_combinations_are_failures_and_are_refused_when_built(
    layers: list[Layer], total: float | None, message: str
) -> None:
    failure = check_pipeline(layers, total=total).failure()
    assert message in str(failure)
    with pytest.raises(HTTPValidationError, match=message):
        ResiliencePipeline(*layers, total=total)


@pytest.mark.parametrize(
    ("layers", "total"),
    [
        ([RetryPolicy(4, base_delay=1.0)], 7.0),
        ([RetryPolicy(10**9)], None),
        ([RetryPolicy(10**9, base_delay=0.0)], 1.0),
        ([ForeignRetry()], 0.1),
        ([AttemptTimeout(16.0), ForeignBreaker()], 16.0),
        ([AttemptTimeout(15.0), CircuitBreaker()], None),
        ([AttemptTimeout(16.0), OriginBreakers(BreakerRule(failure_ratio=None))], None),
    ],
)
def test_what_goes_together_is_a_success(layers: list[Layer], total: float | None) -> None:
    assert isinstance(check_pipeline(layers, total=total), Success)


def test_layers_find_their_places_whatever_the_order() -> None:
    layers: list[Layer] = [
        AttemptTimeout(1.0),
        CircuitBreaker(),
        RateLimiter(1.0),
        RetryPolicy(),
        Bulkhead(1),
    ]
    assert check_pipeline(layers).unwrap() == Stack(*reversed(layers))  # type: ignore[arg-type]  # in order


def test_a_layer_that_is_refused_leaves_the_pipeline_as_it_was() -> None:
    pipeline = ResiliencePipeline(AttemptTimeout(1.0))
    with pytest.raises(HTTPValidationError):
        pipeline.add(AttemptTimeout(2.0))
    pipeline.add(RetryPolicy())
    assert isinstance(pipeline, ResiliencePipelineProtocol)


@pytest.mark.parametrize("policy", [ForeignRetry(), RetryPolicy(base_delay=0.001)])
async def test_a_plain_function_is_called_again_by_any_policy(policy: Layer) -> None:
    calls = 0

    async def flaky() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise lost()
        return "done"

    clock = ManualClock()
    pipeline = ResiliencePipeline(policy, clock=clock)
    assert await clock.run(pipeline.execute(flaky)) == "done"
    assert calls == 2


async def test_the_layers_of_the_standard_pipeline_have_its_clock() -> None:
    clock = ManualClock()
    breaker = ResiliencePipeline.standard(clock=clock).stack.breaker
    assert isinstance(breaker, OriginBreakers)
    one = breaker.for_origin("http://h:80")
    for _ in range(5):
        await outcome_of(one.call(ScriptedCall(clock, [lost()])))
    assert one.is_refusing
    await clock.advance(100.0)
    assert not one.is_refusing
