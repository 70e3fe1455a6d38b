"""Whether to open a truncated body again: a pure decision about the failure."""

from railhttp.model.errors import (
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
)
from railhttp.policy.retry import is_transient


def may_pass(failure: HTTPFailure) -> bool:
    """Whether a later connection is likely to succeed, after all attempts of this one failed.

    This includes a timeout of phase `total`, which may be the limit of one reconnection only. If
    the limit of the whole stream has passed, the wait before the next reconnection raises.
    """
    match failure:
        case HTTPCircuitOpenError() | HTTPTimeoutError() | HTTPConnectionError(kind="rejected"):
            return True
        case HTTPRetryExhaustedError(last=last):
            return last is None or may_pass(last)
        case _:
            return is_transient(failure)
