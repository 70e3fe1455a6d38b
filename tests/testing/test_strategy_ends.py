"""Each end of what the strategies draw is drawn, and nothing beyond it."""

import pytest
from hypothesis import find, given

from railhttp import (
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.testing.strategies import failures, responses

MEDIA_TYPES = ("application/json", "application/json; charset=utf-8", "text/html", None)


@pytest.mark.parametrize("status", [400, 599])
def test_a_failure_of_a_status_has_each_status_of_a_failure(status: int) -> None:
    def fits(failure: HTTPFailure) -> bool:
        return isinstance(failure, HTTPStatusError) and failure.status >= status

    found = find(failures(), fits)
    assert isinstance(found, HTTPStatusError)
    assert found.status == status


@given(failures(method="PUT", url="http://h/a"))
def test_a_failure_of_a_status_has_a_response_of_the_same_call(failure: HTTPFailure) -> None:
    if isinstance(failure, HTTPStatusError):
        assert (failure.response.method, failure.response.url) == ("PUT", "http://h/a")


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_response_has_each_media_type(media_type: str | None) -> None:
    find(responses(), lambda one: one.headers.get("Content-Type") == media_type)


@given(responses())
def test_a_response_has_no_other_media_type(response: HttpResponse) -> None:
    assert response.headers.get("Content-Type") in MEDIA_TYPES
    assert len(response.body) <= 64


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_call_may_have_taken_a_minute_or_no_time(seconds: float) -> None:
    def fits(one: HttpResponse | HTTPFailure) -> bool:
        return one.elapsed == 0 if not seconds else one.elapsed >= seconds

    assert find(responses(), fits).elapsed == seconds
    assert find(failures(), fits).elapsed == seconds


def test_a_breaker_has_the_name_of_its_server() -> None:
    found = find(failures(), lambda failure: isinstance(failure, HTTPCircuitOpenError))
    assert isinstance(found, HTTPCircuitOpenError)
    assert found.name == "api.example"


@given(failures())
def test_a_breaker_opens_within_a_minute(
    failure: HTTPFailure,
) -> None:
    if isinstance(failure, HTTPCircuitOpenError):
        assert 0 <= (failure.retry_after or 0) <= 60


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", [HTTPConnectionError, HTTPTimeoutError])
def test_retries_were_used_up_by_connections_and_by_time_limits(
    count: int, kind: type[HTTPFailure]
) -> None:
    def fits(failure: HTTPFailure) -> bool:
        return (
            isinstance(failure, HTTPRetryExhaustedError)
            and failure.attempts == count
            and all(isinstance(one, kind) for one in failure.failures)
        )

    find(failures(), fits)


@given(failures(method="PUT", url="http://h/a"))
def test_the_failures_of_a_call_are_those_of_its_request(failure: HTTPFailure) -> None:
    if isinstance(failure, HTTPRetryExhaustedError):
        for one in failure.failures:
            assert (one.method, one.url) == ("PUT", "http://h/a")
            assert one.elapsed == failure.elapsed
