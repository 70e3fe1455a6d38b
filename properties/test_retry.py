"""Retries on a manual clock (invariants 1, 3 to 6, 8 and 10 of docs/invariants.md).

tests/client covers the parts of 1, 6 and 9 that need a server.
"""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import attempt_failures, attempt_outcomes, chances, retry_rules
from tests.pipeline.scripted import ScriptedCall, outcome_of

from railhttp.model.errors import (
    Delivery,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
)
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.policy.deadline import Deadline
from railhttp.policy.retry import RetryEvent, RetryRule, Trial, is_final, is_transient, retry_after
from railhttp.testing import ManualClock

SCRIPTS = st.lists(attempt_outcomes, min_size=1, max_size=6)


@given(SCRIPTS, st.integers(1, 6))
def test_a_call_makes_between_one_and_max_attempts_attempts(
    script: list[HTTPFailure | HttpResponse], max_attempts: int
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script)
    asyncio.run(clock.run(outcome_of(RetryPolicy(max_attempts, clock=clock).execute(call))))
    assert 1 <= call.attempts <= max_attempts


@given(
    retry_rules,
    st.integers(1, 10),
    st.floats(0, 1e6).map(lambda seconds: round(seconds, 3)),
    chances,
    st.sampled_from([429, 503]),
    st.booleans(),
)
def test_a_delay_is_at_least_retry_after_up_to_its_cap(
    rule: RetryRule, number: int, asked: float, chance: float, status: int, in_ms: bool
) -> None:
    fields = {"retry-after-ms": f"{asked * 1000}"} if in_ms else {"Retry-After": f"{asked:.3f}"}
    failure = HTTPStatusError(HttpResponse(status, freeze_headers(fields)))
    heard = retry_after(failure.response.headers, 0.0)
    assert heard is not None
    assert abs(heard - asked) <= 1e-6 * (1 + asked)
    delay = rule.delay(Trial(number, failure), now=0.0, wall=0.0, chance=chance)
    backoff = rule.throttling if status == 429 else rule.backoff
    capped = min(heard, rule.retry_after_cap)
    if delay is not None:
        spread = max(backoff.bound(number), capped / 4) if backoff.jitter else 0.0
        assert capped <= delay <= max(backoff.bound(number), capped + spread) * (1 + 1e-9)


@given(
    st.text(st.characters(codec="latin-1"), max_size=20) | st.text("0123456789 -+.:,eGMTSunJan"),
    st.floats(0, 1e10),
)
def test_any_retry_after_is_parsed_or_ignored(text: str, wall: float) -> None:
    for name in ("Retry-After", "retry-after-ms"):
        seconds = retry_after(freeze_headers({name: text}), wall)
        assert seconds is None or seconds >= 0


@given(SCRIPTS, st.floats(0, 10), st.floats(0, 3), st.integers(1, 6))
def test_no_attempt_starts_at_or_after_the_deadline_and_no_delay_crosses_it(
    script: list[HTTPFailure | HttpResponse], timeout: float, takes: float, max_attempts: int
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script, timeout=timeout)
    late: list[RetryEvent] = []
    policy = RetryPolicy(
        max_attempts,
        base_delay=1.0,
        clock=clock,
        on_retry=lambda event: (
            late.append(event) if clock.monotonic() + event.delay >= timeout else None
        ),
    )
    call._takes = takes
    asyncio.run(clock.run(outcome_of(policy.execute(call))))
    assert all(began < timeout for began in call.began)
    assert late == []
    assert call.attempts or timeout == 0


@given(SCRIPTS)
def test_an_unrepeatable_request_is_retried_only_if_no_earlier_attempt_was_sent(
    script: list[HTTPFailure | HttpResponse],
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script, method="POST", repeatable=False)
    asyncio.run(clock.run(outcome_of(RetryPolicy(6, clock=clock).execute(call))))
    earlier = (script + [script[-1]] * 6)[: call.attempts - 1]
    for outcome in earlier:
        assert not isinstance(outcome, HttpResponse)
        assert outcome.delivery is Delivery.NOT_SENT


@given(SCRIPTS)
def test_a_body_that_cannot_be_replayed_is_sent_once(
    script: list[HTTPFailure | HttpResponse],
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script, repeatable=False, replayable=False)
    asyncio.run(clock.run(outcome_of(RetryPolicy(6, clock=clock).execute(call))))
    assert call.attempts == 1


@given(st.lists(attempt_failures.filter(is_transient), min_size=2, max_size=6))
def test_exhausted_retries_carry_the_failure_of_every_attempt_in_order(
    script: list[HTTPFailure],
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script)
    error = asyncio.run(clock.run(outcome_of(RetryPolicy(len(script), clock=clock).execute(call))))
    if isinstance(script[-1], HTTPStatusError):
        assert error is script[-1]
        return
    assert isinstance(error, HTTPRetryExhaustedError)
    assert error.failures == tuple(script)
    assert error.attempts == len(script)
    assert error.__cause__ is script[-1]
    assert error.delivery is Delivery.NOT_SENT.strongest(*(each.delivery for each in script))


@given(SCRIPTS)
def test_with_reraise_the_last_outcome_is_returned_unchanged(
    script: list[HTTPFailure | HttpResponse],
) -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, script)
    outcome = asyncio.run(
        clock.run(outcome_of(RetryPolicy(3, reraise=True, clock=clock).execute(call)))
    )
    assert outcome is script[min(call.attempts, len(script)) - 1]


@given(attempt_failures, st.integers(1, 5), chances)
def test_a_request_that_the_client_rejected_is_never_retried(
    failure: HTTPFailure, number: int, chance: float
) -> None:
    rule = RetryRule(max_attempts=9, retry_if=lambda failure: True)
    delay = rule.delay(Trial(number, failure), now=0.0, wall=0.0, chance=chance)
    assert delay is None or not is_final(failure)
    assert not (is_final(failure) and is_transient(failure))


@given(st.lists(SCRIPTS, min_size=2, max_size=8))
def test_concurrent_calls_through_one_policy_equal_the_same_calls_run_alone(
    scripts: list[list[HTTPFailure | HttpResponse]],
) -> None:
    async def together() -> list[list[float]]:
        clock = ManualClock()
        policy = RetryPolicy(4, base_delay=1.0, budget=None, clock=clock)
        calls = [ScriptedCall(clock, script) for script in scripts]
        await clock.run(
            asyncio.gather(*(policy.execute(call) for call in calls), return_exceptions=True)
        )
        return [call.began for call in calls]

    async def alone(script: list[HTTPFailure | HttpResponse]) -> list[float]:
        clock = ManualClock()
        policy = RetryPolicy(4, base_delay=1.0, budget=None, clock=clock)
        call = ScriptedCall(clock, script)
        await clock.run(outcome_of(policy.execute(call)))
        return call.began

    assert asyncio.run(together()) == [asyncio.run(alone(script)) for script in scripts]


@given(retry_rules, attempt_failures, st.floats(0, 1e3), st.floats(0, 1e3), chances)
def test_the_rule_never_plans_a_retry_after_the_deadline(
    rule: RetryRule, failure: HTTPFailure, at: float, now: float, chance: float
) -> None:
    trial = Trial(1, failure, deadline=Deadline(at))
    delay = rule.delay(trial, now=now, wall=0.0, chance=chance)
    assert delay is None or now + delay < at
