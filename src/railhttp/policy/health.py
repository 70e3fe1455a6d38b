"""Whether an outcome is evidence for or against the health of a host."""

from typing import Final, Literal, TypeAlias, assert_never

from railhttp.model.errors import (
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

OWN_KINDS: Final = frozenset({"closed", "rejected", "redirect"})
"""Kinds of `HTTPConnectionError` that are decisions of this client, not failures of the host."""

Verdict: TypeAlias = Literal["success", "failure", "inconclusive"]
"""Whether a call shows that its host is healthy, that it is not, or neither."""


def judge_status(status: int) -> Verdict:
    """Judge a host by a status: 429 and 5xx are failures of the host, other 4xx of the caller."""
    return "failure" if status >= 500 or status == 429 else "success"


def judge_failure(failure: HTTPFailure) -> Verdict:
    """Judge a host by a failed call; a call that this client itself refused is inconclusive."""
    match failure:
        case HTTPConnectionError():
            return "inconclusive" if failure.kind in OWN_KINDS else "failure"
        case HTTPTimeoutError():
            unsent = failure.delivery is Delivery.NOT_SENT and failure.phase == "total"
            return "inconclusive" if unsent or failure.phase == "pool" else "failure"
        case HTTPStatusError():
            return judge_status(failure.status)
        case HTTPRetryExhaustedError():
            return "failure" if failure.last is None else judge_failure(failure.last)
        case HTTPDecodeError() | HTTPResponseTooLargeError():
            return "success"
        case HTTPInvalidRequestError() | HTTPInterceptorError() | HTTPCircuitOpenError():
            return "inconclusive"
        case _:
            assert_never(failure)
