"""The strategies that users get: they give all there is, and nothing that cannot be."""

import pickle
from typing import assert_never

import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Result

from railhttp.model.errors import (
    FAILURES,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.testing.strategies import failures, outcomes, responses


@pytest.mark.parametrize("cls", FAILURES)
def test_every_class_of_failure_comes(cls: type[HTTPFailure]) -> None:
    assert type(find(failures(), lambda failure: isinstance(failure, cls))) is cls


@given(failures(method="POST", url="https://api.example/?token=abc"))
def test_a_failure_is_one_that_can_be(failure: HTTPFailure) -> None:
    assert failure.method == "POST"
    assert failure.url == "https://api.example/?token=***"
    assert type(pickle.loads(pickle.dumps(failure))) is type(failure)
    match failure:
        case HTTPConnectionError(kind="dns" | "connect" | "tls") | HTTPCircuitOpenError():
            assert failure.delivery is Delivery.NOT_SENT
        case HTTPStatusError():
            assert 400 <= failure.status <= 599
            response = failure.response
            assert (response.method, redact_url(response.url)) == (failure.method, failure.url)
            assert failure.delivery is Delivery.ANSWERED
        case HTTPRetryExhaustedError():
            assert len(failure.failures) == failure.attempts >= 2
            assert failure.last is failure.failures[-1]
        case HTTPInvalidRequestError():
            assert failure.attempts == 0
        case HTTPResponseTooLargeError(limit=limit):
            assert failure.delivery is Delivery.ANSWERED
            assert f" {limit} bytes" in failure.message
        case HTTPDecodeError():
            assert failure.delivery is Delivery.ANSWERED
        case HTTPConnectionError() | HTTPTimeoutError() | HTTPInterceptorError():
            assert failure.attempts >= 1
        case _:
            assert_never(failure)


@given(outcomes(method="PUT", url="http://h/"))
def test_an_outcome_is_what_a_verb_may_return(outcome: Result[HttpResponse, HTTPFailure]) -> None:
    if is_successful(outcome):
        response = outcome.unwrap()
        assert 200 <= response.status < 400
        assert (response.method, response.url) == ("PUT", "http://h/")
    else:
        assert (outcome.failure().method, outcome.failure().url) == ("PUT", "http://h/")
        assert isinstance(outcome.failure(), FAILURES)


@given(responses(status=st.just(204), body=st.just(b""), method="PUT", url="http://h/"))
def test_a_response_is_as_it_was_asked_for(response: HttpResponse) -> None:
    assert (response.status, response.body, response.method) == (204, b"", "PUT")
    assert response.url == "http://h/"


@given(responses())
def test_a_response_tells_its_length(response: HttpResponse) -> None:
    assert response.content_length == len(response.body)
    assert 200 <= response.status <= 599
    assert 1 <= response.attempts <= 3
    assert 0 <= response.elapsed <= 60
    assert (response.method, response.url) == ("GET", "https://api.example/")


@pytest.mark.parametrize("status", [200, 399, 400, 599])
def test_every_status_comes(status: int) -> None:
    assert find(responses(), lambda response: response.status >= status).status == status
    if status < 400:
        good = find(outcomes(), lambda one: is_successful(one) and one.unwrap().status >= status)
        assert good.unwrap().status == status


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_response_may_have_had_several_attempts(attempts: int) -> None:
    assert find(responses(), lambda response: response.attempts >= attempts).attempts == attempts
    assert find(failures(), lambda failure: failure.attempts >= attempts).attempts == attempts


@pytest.mark.parametrize("media_type", ["application/json", "text/html", ""])
def test_a_response_may_have_any_media_type(media_type: str) -> None:
    find(responses(), lambda response: response.headers.get("Content-Type", "") == media_type)


@pytest.mark.parametrize("known", [True, False])
def test_a_breaker_may_say_when_to_come_again(known: bool) -> None:
    def fits(failure: HTTPFailure) -> bool:
        return (
            isinstance(failure, HTTPCircuitOpenError) and (failure.retry_after is not None) is known
        )

    find(failures(), fits)
