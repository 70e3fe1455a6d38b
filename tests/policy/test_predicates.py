"""What a caller's own predicate decides, and what it is blamed for."""

from collections.abc import Callable

import pytest

from railhttp import (
    Delivery,
    HTTPFailure,
    HTTPInterceptorError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.retry import RetryRule


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("retry_if", lambda bad, _: RetryRule(retry_if=bad).wants(HTTPTimeoutError(phase="read"))),
        (
            "retry_if_response",
            lambda bad, response: RetryRule(retry_if_response=bad).wants_response(response),
        ),
        (
            "failure_if",
            lambda bad, _: BreakerRule(failure_if=bad).judge(HTTPTimeoutError(phase="read")),
        ),
        (
            "failure_if_response",
            lambda bad, response: BreakerRule(failure_if_response=bad).judge_response(response),
        ),
    ],
)
def test_a_predicate_that_raises_is_blamed_by_its_name(
    name: str, ask: Callable[[Callable[[object], bool], HttpResponse], object]
) -> None:
    def bad(_: object) -> bool:
        raise LookupError

    with pytest.raises(HTTPInterceptorError, match=f"{name} raised LookupError") as caught:
        ask(bad, HttpResponse(500))
    assert caught.value.interceptor == name


@pytest.mark.parametrize(
    "failure", [HTTPTimeoutError(phase="read"), HTTPStatusError(HttpResponse(503))]
)
def test_a_predicate_that_returns_false_makes_a_failure_a_success(failure: HTTPFailure) -> None:
    rule = BreakerRule(failure_if=lambda _: False, failure_if_response=lambda _: False)
    assert rule.judge(failure) == "success"


async def coroutine() -> bool:
    return True


@pytest.mark.parametrize("bad", [lambda _: 1 / 0, lambda _: coroutine()])
def test_a_predicate_that_fails_is_a_failure_of_its_call(
    bad: Callable[[HTTPFailure], bool],
) -> None:
    failure = HTTPTimeoutError(
        phase="read",
        method="PUT",
        url="http://h/",
        delivery=Delivery.MAYBE_SENT,
        attempts=2,
        elapsed=0.5,
    )
    with pytest.raises(HTTPInterceptorError) as caught:
        RetryRule(retry_if=bad).wants(failure)
    found = caught.value
    assert (found.method, found.url, found.delivery) == ("PUT", "http://h/", Delivery.MAYBE_SENT)
    assert (found.attempts, found.elapsed) == (2, 0.5)
