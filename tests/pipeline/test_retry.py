"""Retrying, as a user of `RetryPolicy` sees it."""

import asyncio
import functools
import logging
from dataclasses import replace

import pytest
from tests.pipeline.scripted import ScriptedCall, answer, lost, outcome_of, refused, silent

from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.response import HttpResponse
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.policy.budget import RetryBudget
from railhttp.policy.retry import RetryEvent
from railhttp.protocols import RetryPolicyProtocol
from railhttp.testing import ManualClock


async def test_a_failure_is_tried_again_until_there_is_an_answer() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [lost(), silent(), answer(200)])
    response = await clock.run(RetryPolicy(clock=clock).execute(call))
    assert (response.status, call.attempts) == (200, 3)


async def test_waits_double_and_are_jittered() -> None:
    clock = ManualClock(chances=[1.0, 0.5, 0.0])
    call = ScriptedCall(clock, [lost()])
    with pytest.raises(HTTPRetryExhaustedError):
        await clock.run(RetryPolicy(4, base_delay=1.0, clock=clock).execute(call))
    assert clock.slept == [1.0, 1.0, 0.0]


async def test_a_429_waits_longer_than_a_lost_connection() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [answer(429), lost()])
    await clock.run(
        asyncio.gather(
            RetryPolicy(3, jitter=False, clock=clock).execute(call), return_exceptions=True
        )
    )
    assert clock.slept == [1.0, 0.1]


@pytest.mark.parametrize(
    ("fields", "slept"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "3600"}, 60.0),
        ({"Retry_After": "-5"}, 0.05),
        ({"Retry_After": "Tue, 14 Nov 2023 22:13:29 GMT"}, 9.0),
        ({"Retry_After": "Tue, 14 Nov 2023 22:13:01 GMT"}, 0.05),
        ({"retry_after_ms": "1500", "Retry_After": "7"}, 1.5),
        ({"Retry_After": "soon"}, 0.05),
        ({"Retry_After": "Sat, 99 Foo 2023 99:99:99 GMT"}, 0.05),
        ({}, 0.05),
    ],
)
async def test_retry_after_is_obeyed_in_every_form(fields: dict[str, str], slept: float) -> None:
    clock = ManualClock(wall=1_700_000_000.0)
    call = ScriptedCall(clock, [answer(503, **fields), answer(200)])
    await clock.run(RetryPolicy(jitter=False, clock=clock).execute(call))
    assert clock.slept == [slept]


async def test_a_lasting_503_is_an_answer_and_never_exhaustion() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [answer(503)])
    response = await clock.run(RetryPolicy(clock=clock).execute(call))
    assert (response.status, call.attempts) == (503, 3)


@pytest.mark.parametrize(
    ("script", "raised"),
    [
        ([lost(), lost(), lost()], HTTPRetryExhaustedError),
        ([answer(503), lost(), lost()], HTTPRetryExhaustedError),
        ([lost(), HTTPDecodeError()], HTTPDecodeError),
        ([lost(), HTTPCircuitOpenError()], HTTPCircuitOpenError),
        ([lost(), HTTPTimeoutError(phase="total")], HTTPTimeoutError),
        ([lost(), HTTPConnectionError(kind="tls")], HTTPConnectionError),
        ([HTTPStatusError(answer(503))], HTTPStatusError),
    ],
)
async def test_exhaustion_is_raised_only_where_another_attempt_might_have_helped(
    script: list[HTTPFailure | HttpResponse], raised: type[Exception]
) -> None:
    clock = ManualClock()
    with pytest.raises(raised) as caught:
        await clock.run(RetryPolicy(clock=clock).execute(ScriptedCall(clock, script)))
    assert type(caught.value) is raised


async def test_exhaustion_tells_the_whole_story() -> None:
    clock = ManualClock()
    last = HTTPConnectionError(
        "lost", kind="disconnected", method="GET", url="http://h/?a=***", elapsed=1.5
    )
    script: list[HTTPFailure | HttpResponse] = [refused(), answer(503), last]
    with pytest.raises(HTTPRetryExhaustedError) as caught:
        await clock.run(RetryPolicy(clock=clock).execute(ScriptedCall(clock, script)))
    error = caught.value
    assert [failure.label for failure in error.failures] == [
        "connect",
        "503",
        "disconnected",
    ]
    assert error.attempts == 3
    assert error.delivery is Delivery.ANSWERED
    assert error.__cause__ is error.last is last
    assert (error.method, error.url, error.elapsed) == ("GET", "http://h/?a=***", 1.5)


async def test_a_single_attempt_exhausts_nothing() -> None:
    clock = ManualClock()
    post = ScriptedCall(clock, [lost()], method="POST", repeatable=False)
    for policy, call in [
        (RetryPolicy(clock=clock), post),
        (RetryPolicy(1, clock=clock), ScriptedCall(clock, [lost()])),
    ]:
        with pytest.raises(HTTPConnectionError):
            await clock.run(policy.execute(call))


async def test_a_post_is_tried_again_where_nothing_was_sent() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [refused(), answer(201)], method="POST", repeatable=False)
    assert (await clock.run(RetryPolicy(clock=clock).execute(call))).status == 201


async def test_a_retry_that_would_come_too_late_is_not_made() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, [answer(503, Retry_After="5")], timeout=5.0)
    response = await RetryPolicy(clock=clock).execute(call)
    assert (response.status, call.attempts, clock.slept) == (503, 1, [])


async def test_a_sleep_that_overran_the_deadline_starts_no_attempt() -> None:
    class Sleepy(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds * 10)

    clock = Sleepy()
    call = ScriptedCall(clock, [lost()], timeout=1.0)
    policy = RetryPolicy(base_delay=0.5, budget=RetryBudget(capacity=14), clock=clock)
    with pytest.raises(HTTPConnectionError):
        await clock.run(policy.execute(call))
    assert call.attempts == 1
    again = ScriptedCall(clock, [lost(), answer(200)])
    assert (await clock.run(policy.execute(again))).status == 200, "what was not made costs nothing"


async def test_a_retry_that_is_given_up_while_it_waits_costs_its_host_nothing() -> None:
    clock = ManualClock()
    policy = RetryPolicy(2, budget=RetryBudget(capacity=14), clock=clock)
    for _ in range(3):
        waiting = asyncio.ensure_future(policy.execute(ScriptedCall(clock, [lost()])))
        await clock.settle()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    call = ScriptedCall(clock, [lost(), answer(200)])
    await clock.run(policy.execute(call))
    assert call.attempts == 2


async def test_without_time_no_attempt_is_made() -> None:
    clock = ManualClock()
    call = ScriptedCall(clock, timeout=0.0)
    with pytest.raises(HTTPTimeoutError, match="not done within") as caught:
        await RetryPolicy(clock=clock).execute(call)
    assert (caught.value.phase, caught.value.delivery) == ("total", Delivery.NOT_SENT)


async def test_a_plain_function_may_always_be_called_again() -> None:
    clock = ManualClock()
    outcomes: list[HTTPFailure] = [lost(), silent()]

    async def add(left: int, *, right: int) -> int:
        if outcomes:
            raise outcomes.pop()
        return left + right

    assert await clock.run(RetryPolicy(clock=clock).execute(add, 1, right=2)) == 3


async def test_an_exception_of_another_kind_passes_at_once() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await RetryPolicy().execute(fail)


async def test_a_cancelled_wait_is_a_cancellation() -> None:
    clock = ManualClock()
    task = asyncio.ensure_future(RetryPolicy(clock=clock).execute(ScriptedCall(clock, [lost()])))
    await clock.settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_predicates_decide_what_is_worth_another_attempt() -> None:
    clock = ManualClock()
    policy = RetryPolicy(
        base_delay=0.0,
        retry_if=lambda failure: isinstance(failure, HTTPDecodeError),
        retry_if_response=lambda response: response.body == b"pending",
        clock=clock,
    )
    pending = ScriptedCall(
        clock, [HttpResponse(200, body=b"pending"), HTTPDecodeError(), answer(503)]
    )
    assert (await clock.run(policy.execute(pending))).status == 503
    with pytest.raises(HTTPConnectionError):
        await policy.execute(ScriptedCall(clock, [lost()]))


@pytest.mark.parametrize(
    ("outcome", "name", "raised"),
    [(answer(503), "retry_if_response", "HTTPDecodeError"), (refused(), "retry_if", "TypeError")],
)
async def test_a_predicate_with_a_defect_is_named_and_neither_ends_retries_nor_exhausts_them(
    outcome: HTTPFailure | HttpResponse, name: str, raised: str
) -> None:
    clock = ManualClock()
    policy = RetryPolicy(
        retry_if=lambda failure: failure.delivery < 1,  # type: ignore[operator]  # on purpose
        retry_if_response=lambda response: bool(response.json()),
        clock=clock,
    )
    with pytest.raises(HTTPInterceptorError, match=f"{name} raised {raised}") as caught:
        await clock.run(policy.execute(ScriptedCall(clock, [outcome])))
    assert (caught.value.interceptor, caught.value.attempts) == (name, 1)
    proof = outcome.delivery if isinstance(outcome, HTTPConnectionError) else Delivery.ANSWERED
    assert caught.value.delivery is proof
    assert type(caught.value.__cause__).__name__ == raised


async def test_on_retry_hears_of_each_retry_before_its_wait() -> None:
    clock = ManualClock()
    heard: list[RetryEvent] = []
    policy = RetryPolicy(jitter=False, on_retry=heard.append, clock=clock)
    first = lost()
    await clock.run(policy.execute(ScriptedCall(clock, [first, answer(503), answer(200)])))
    assert heard[0] == RetryEvent(1, 0.05, first)
    assert (heard[1].attempt, heard[1].delay, str(heard[1].failure.message)) == (
        2,
        0.1,
        "status 503",
    )


async def test_an_observer_that_raises_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: RetryEvent) -> None:
        raise KeyError("secret")

    clock = ManualClock()
    call = ScriptedCall(clock, [lost(), answer(200)])
    with caplog.at_level(logging.WARNING, "railhttp"):
        response = await clock.run(RetryPolicy(on_retry=fail, clock=clock).execute(call))
    assert response.status == 200
    assert caplog.messages == ["on_retry raised KeyError"]


async def test_an_observer_that_is_async_is_told_so_and_not_awaited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[RetryEvent] = []

    async def hear(event: RetryEvent) -> None:
        heard.append(event)

    clock = ManualClock()
    call = ScriptedCall(clock, [lost(), answer(200)])
    policy = RetryPolicy(on_retry=lambda event: hear(event), clock=clock)  # type: ignore[arg-type]  # noqa: PLW0108  # it looks like a plain function
    response = await clock.run(policy.execute(call))
    assert (response.status, heard, len(caplog.messages)) == (200, [], 1)


async def test_the_budget_of_a_host_ends_its_retries_but_no_other_hosts() -> None:
    clock = ManualClock()
    policy = RetryPolicy(2, budget=RetryBudget(capacity=28), clock=clock)
    attempts = []
    for host in ["http://down:80", "http://down:80", "http://down:80", "http://other:80"]:
        call = ScriptedCall(clock, [lost()], host=host)
        await clock.run(asyncio.gather(policy.execute(call), return_exceptions=True))
        attempts.append(call.attempts)
    assert attempts == [2, 2, 1, 2]


async def test_successes_fill_the_budget_again() -> None:
    clock = ManualClock()
    policy = RetryPolicy(2, budget=RetryBudget(capacity=14), clock=clock)

    async def attempts(*script: HTTPFailure | HttpResponse) -> int:
        call = ScriptedCall(clock, script)
        await clock.run(asyncio.gather(policy.execute(call), return_exceptions=True))
        return call.attempts

    assert await attempts(lost(), answer(200)) == 2, "refunded: the retry succeeded"
    assert await attempts(lost()) == 2
    assert await attempts(lost()) == 1, "spent"
    assert [await attempts(answer(200)) for _ in range(14)] == [1] * 14
    assert await attempts(lost()) == 2, "earned again, one by one"


async def test_a_policy_without_a_budget_never_runs_out() -> None:
    clock = ManualClock()
    policy = RetryPolicy(200, base_delay=0.01, budget=None, clock=clock)
    call = ScriptedCall(clock, [lost()])
    with pytest.raises(HTTPRetryExhaustedError):
        await clock.run(policy.execute(call))
    assert call.attempts == 200


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"base_delay": -1.0}, "base_delay"),
        ({"max_delay": float("nan")}, "max_delay"),
        ({"throttle_delay": float("inf")}, "base_delay"),
        ({"retry_after_cap": -0.1}, "retry_after_cap"),
        ({"jitter": 0.5}, "jitter"),
        ({"retry_if": 3}, "retry_if"),
        ({"retry_if_response": 503}, "retry_if_response"),
        ({"on_retry": 3}, "on_retry"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], field: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        RetryPolicy(**settings)  # type: ignore[arg-type]  # a table of numbers
    assert caught.value.field == field


def test_it_is_a_retry_policy() -> None:
    assert isinstance(RetryPolicy(), RetryPolicyProtocol)


async def test_retry_after_is_spread_so_that_clients_do_not_return_together() -> None:
    waits: list[float] = []
    for chance in (0.0, 0.5, 0.99):
        clock = ManualClock(chances=[chance])
        call = ScriptedCall(clock, [answer(503, Retry_After="2"), answer(200)])
        await clock.run(RetryPolicy(clock=clock).execute(call))
        waits += clock.slept
    assert waits == [2.0, 2.25, 2.495]


async def test_a_budget_that_is_used_up_is_logged_once_until_it_recovers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    policy = RetryPolicy(2, budget=RetryBudget(capacity=14, refill=1.0), clock=clock)
    with caplog.at_level(logging.WARNING, "railhttp"):
        for _ in range(3):
            await clock.run(outcome_of(policy.execute(ScriptedCall(clock, [lost()]))))
        assert caplog.messages == ["the retry budget of http://h:80 is used up"]
        await clock.advance(60.0)
        for _ in range(2):
            await clock.run(outcome_of(policy.execute(ScriptedCall(clock, [lost()]))))
    assert caplog.messages == ["the retry budget of http://h:80 is used up"] * 2


def returns_awaitable(_: object) -> object:
    return asyncio.sleep(0)


async def async_function(_: object) -> bool:
    return False


class AsyncCallable:
    async def __call__(self, _: object) -> bool:
        return False


@pytest.mark.parametrize("argument", ["retry_if", "retry_if_response", "on_retry"])
@pytest.mark.parametrize(
    "function", [async_function, AsyncCallable(), functools.partial(async_function)]
)
def test_an_async_function_is_refused_when_it_is_handed_over(
    argument: str, function: object
) -> None:
    with pytest.raises(HTTPValidationError, match=f"^{argument}: must be a plain function"):
        RetryPolicy(**{argument: function})  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    ("argument", "outcome"), [("retry_if", lost()), ("retry_if_response", answer(503))]
)
async def test_a_plain_function_that_returns_an_awaitable_is_a_failure_that_names_it(
    argument: str, outcome: HTTPFailure | HttpResponse
) -> None:
    clock = ManualClock()
    policy = RetryPolicy(clock=clock, **{argument: returns_awaitable})  # type: ignore[arg-type]
    failure = await clock.run(outcome_of(policy.execute(ScriptedCall(clock, [outcome]))))
    assert isinstance(failure, HTTPInterceptorError)
    assert failure.message == f"{argument} returned an awaitable: it must be a plain function"


async def test_an_observer_that_returns_an_awaitable_breaks_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A coroutine that stays unawaited would be a warning, which is an error here."""
    clock = ManualClock()
    call = ScriptedCall(clock, [lost(), answer(200)])
    policy = RetryPolicy(on_retry=returns_awaitable, clock=clock)  # type: ignore[arg-type]  # on purpose
    with caplog.at_level(logging.WARNING, "railhttp"):
        response = await clock.run(policy.execute(call))
    assert response.status == 200
    assert caplog.messages == ["on_retry returned an awaitable: it must be a plain function"]


def test_a_policy_with_another_number_of_attempts_has_the_same_rule_for_the_rest() -> None:
    policy = RetryPolicy(base_delay=0.25, reraise=True)
    for number in (*range(1, 40), *range(1, 40)):
        other = policy.with_attempts(number)
        assert other.rule == replace(policy.rule, max_attempts=number)
        assert other.with_attempts(2).rule.max_attempts == 2
    assert policy.rule.max_attempts == 3
    assert policy.with_attempts(4) is policy.with_attempts(4)
