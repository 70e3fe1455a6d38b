"""A failed call is evidence for its host, against it, or neither."""

import pytest

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.policy.health import Verdict, judge_failure


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (HTTPConnectionError(kind="connect"), "failure"),
        (HTTPConnectionError(kind="rejected"), "inconclusive"),
        (HTTPTimeoutError(phase="read"), "failure"),
        (HTTPTimeoutError(phase="pool"), "inconclusive"),
        (HTTPTimeoutError(phase="total"), "failure"),
        (HTTPTimeoutError(phase="total", delivery=Delivery.NOT_SENT), "inconclusive"),
        (HTTPStatusError(HttpResponse(404)), "success"),
        (HTTPStatusError(HttpResponse(429)), "failure"),
        (HTTPStatusError(HttpResponse(503)), "failure"),
        (HTTPRetryExhaustedError(), "failure"),
        (HTTPRetryExhaustedError(failures=[HTTPTimeoutError(phase="pool")]), "inconclusive"),
        (HTTPDecodeError(), "success"),
        (HTTPResponseTooLargeError(limit=1), "success"),
        (HTTPInvalidRequestError(), "inconclusive"),
        (HTTPInterceptorError(), "inconclusive"),
        (HTTPCircuitOpenError(), "inconclusive"),
    ],
)
def test_a_failed_call_is_judged_by_its_cause(failure: HTTPFailure, verdict: Verdict) -> None:
    assert judge_failure(failure) == verdict
