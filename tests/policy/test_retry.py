"""Which failures are transient, which are final, and what any of them costs."""

from typing import get_args

import pytest

from railhttp.model.errors import (
    ConnectionKind,
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
    HTTPValidationError,
    TimeoutPhase,
)
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.policy.budget import RetryBudget
from railhttp.policy.retry import is_final, is_transient, retry_after


@pytest.mark.parametrize("kind", get_args(ConnectionKind))
def test_connection_failures_are_transient_or_not_by_kind(kind: ConnectionKind) -> None:
    transient = {"dns", "connect", "proxy", "disconnected", "truncated"}
    final = {"closed", "rejected", "redirect"}
    failure = HTTPConnectionError(kind=kind)
    assert (is_transient(failure), is_final(failure)) == (kind in transient, kind in final)


@pytest.mark.parametrize("phase", get_args(TimeoutPhase))
def test_only_the_end_of_the_whole_calls_time_is_final(phase: TimeoutPhase) -> None:
    failure = HTTPTimeoutError(phase=phase)
    assert (is_transient(failure), is_final(failure)) == (phase != "total", phase == "total")


@pytest.mark.parametrize("status", [400, 404, 408, 425, 429, 500, 501, 502, 503, 504, 505])
def test_answers_are_transient_by_status(status: int) -> None:
    failure = HTTPStatusError(HttpResponse(status))
    assert is_transient(failure) == (status in {408, 429, 500, 502, 503, 504})
    assert not is_final(failure)


@pytest.mark.parametrize(
    ("failure", "final"),
    [
        (HTTPInvalidRequestError(), True),
        (HTTPInterceptorError(), True),
        (HTTPCircuitOpenError(), True),
        (HTTPRetryExhaustedError(), True),
        (HTTPDecodeError(), False),
        (HTTPResponseTooLargeError(limit=1), False),
    ],
)
def test_nothing_else_is_transient(failure: HTTPFailure, final: bool) -> None:
    assert (is_transient(failure), is_final(failure)) == (False, final)


@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
def test_a_date_in_retry_after_is_utc_in_every_form_and_wherever_we_are(date: str) -> None:
    """The three forms of RFC 9110, section 5.6.7, and one that e-mail has besides."""
    assert retry_after(freeze_headers({"Retry-After": date}), wall=784_111_770.0) == 7.0


@pytest.mark.parametrize("settings", [{"capacity": 13}, {"credit": -1}, {"transport_cost": -1}])
def test_a_budget_that_makes_no_sense_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(HTTPValidationError):
        RetryBudget(**settings)
