"""The rate limiter: no window admits too many calls, no wait is futile (invariants 21 and 22)."""

import asyncio
from math import inf

from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.scripted import ScriptedCall, outcome_of

from railhttp.model.errors import HTTPConnectionError, HTTPTimeoutError
from railhttp.pipeline.call import Call
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.policy.rate_limit import TOLERANCE, RateRule
from railhttp.testing import ManualClock

RATES = st.sampled_from([0.5, 1.0, 3.0, 10.0, 1000.0])
BURSTS = st.integers(1, 5)


def assert_bounded(admissions: list[float], rate: float, burst: int) -> None:
    """At most `burst + rate · w` admissions in any window that begins and ends with one."""
    for first, start in enumerate(admissions):
        for last in range(first, len(admissions)):
            count = last - first + 1
            assert count <= burst + rate * (admissions[last] - start + count * TOLERANCE) + 1e-6


@given(RATES, BURSTS, st.lists(st.floats(0, 2), max_size=60))
def test_any_window_admits_at_most_the_burst_plus_the_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    rule = RateRule(rate, burst)
    full_at: float | None = None
    now = 0.0
    admissions = []
    for pause in pauses:
        now += pause / rate
        before = full_at
        full_at, wait = rule.take(full_at, 0, now)
        if wait is None:
            admissions.append(now)
        else:
            assert full_at is before
            assert rule.take(full_at, 0, now + wait)[1] is None, "the wait that it told is enough"
    assert_bounded(admissions, rate, burst)


@given(
    RATES,
    BURSTS,
    st.lists(st.tuples(st.floats(0, 1.5), st.booleans()), min_size=1, max_size=25),
    st.none() | st.floats(0, 5),
)
def test_callers_begin_in_order_within_max_wait_and_cancelled_ones_use_no_turn(
    rate: float, burst: int, arrivals: list[tuple[float, bool]], max_wait: float | None
) -> None:
    clock = ManualClock()
    limiter = RateLimiter(rate, burst, max_wait=max_wait, clock=clock)
    began: list[tuple[int, float]] = []
    longest = inf if max_wait is None else max_wait

    async def caller(number: int) -> None:
        since = clock.monotonic()

        async def begin() -> None:
            began.append((number, clock.monotonic()))
            assert clock.monotonic() - since <= longest + TOLERANCE

        refusal = await outcome_of(limiter.execute(begin))
        if refusal is not None:
            assert isinstance(refusal, HTTPConnectionError)
            assert clock.monotonic() == since, "a wait that is too long is refused at once"

    async def scenario() -> list[bool]:
        tasks = []
        for number, (pause, is_cancelled) in enumerate(arrivals):
            await clock.advance(pause / rate)
            tasks.append(asyncio.create_task(caller(number)))
            if is_cancelled:
                await clock.settle()
                tasks[-1].cancel()
        await clock.run(asyncio.gather(*tasks, return_exceptions=True))
        return [task.cancelled() for task in tasks]

    cancelled = asyncio.run(scenario())
    assert [number for number, _ in began] == sorted(number for number, _ in began)
    assert_bounded([when for _, when in began], rate, burst)
    assert limiter.waiting == 0
    if max_wait is None:
        assert len(began) == len(arrivals) - sum(cancelled), "no waiter starves"


@given(RATES, BURSTS, st.integers(1, 10), st.floats(0, 10))
def test_a_new_caller_never_overtakes_the_queue(
    rate: float, burst: int, ahead: int, now: float
) -> None:
    rule = RateRule(rate, burst)
    for full_at in (None, now + 2 / rate):
        state, wait = rule.take(full_at, ahead, now)
        assert state == full_at
        assert wait is not None
        assert wait >= 0


@given(RATES, st.floats(0, 10), st.integers(0, 10))
def test_a_call_whose_turn_comes_after_its_deadline_fails_at_once(
    rate: float, timeout: float, ahead: int
) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        limiter = RateLimiter(rate, clock=clock)
        await limiter.admit(Call(clock))
        others = [asyncio.create_task(limiter.admit(Call(clock))) for _ in range(ahead)]
        await clock.settle()
        call = ScriptedCall(clock, timeout=timeout)
        outcome = await clock.run(outcome_of(limiter.execute(call)))
        if isinstance(outcome, HTTPTimeoutError):
            assert (outcome.phase, clock.monotonic(), call.attempts) == ("total", 0.0, 0)
            assert timeout <= (ahead + 1) / rate + TOLERANCE
        else:
            assert (call.attempts, clock.monotonic() < timeout) == (1, True)
        await clock.run(asyncio.gather(*others))

    asyncio.run(scenario())
