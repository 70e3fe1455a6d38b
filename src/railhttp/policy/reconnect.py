"""Whether a body that broke off may be opened again: a pure decision about what went wrong."""

from railhttp.model.errors import (
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
)
from railhttp.policy.retry import is_transient


def may_pass(failure: HTTPFailure) -> bool:
    """Whether a later connection may well succeed.

    Of a phase `total` this is true as well: it may be the time for one head alone. Where the
    time for all of them is over, the wait before the next one says so.

    Args:
        failure: What became of a connection, or of opening one, after all attempts.

    Example:
        >>> may_pass(HTTPCircuitOpenError()), may_pass(HTTPConnectionError(kind="closed"))
        (True, False)
    """
    match failure:
        case HTTPCircuitOpenError() | HTTPTimeoutError() | HTTPConnectionError(kind="rejected"):
            return True
        case HTTPRetryExhaustedError(last=last):
            return last is None or may_pass(last)
        case _:
            return is_transient(failure)
