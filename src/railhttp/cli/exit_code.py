"""The exit code of each failure: stable, so that scripts may decide by it."""

from typing import Final, assert_never

from railhttp.model.errors import (
    ConnectionKind,
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
    TimeoutPhase,
)

OK: Final = 0
USAGE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells count
BROKEN_PIPE: Final = 141  # 128 + SIGPIPE
MAYBE_SENT: Final = 64
"""Added if the request may have been sent, but no response came."""


CONNECTION: Final[dict[ConnectionKind, int]] = {
    "dns": 20,
    "connect": 21,
    "proxy": 22,
    "tls": 23,
    "disconnected": 24,
    "truncated": 25,
    "protocol": 26,
    "redirect": 27,
    "rejected": 28,
    "closed": 29,
}

TIMEOUT: Final[dict[TimeoutPhase, int]] = {
    "pool": 30,
    "connect": 31,
    "read": 32,
    "total": 33,
}


def exit_code(failure: HTTPFailure) -> int:
    """Map a failure to its exit code.

    Example:
        >>> exit_code(HTTPConnectionError(kind="dns", delivery=Delivery.NOT_SENT))
        20
        >>> exit_code(HTTPConnectionError(kind="disconnected", delivery=Delivery.MAYBE_SENT))
        88
    """
    return _code(failure) + (MAYBE_SENT if failure.delivery is Delivery.MAYBE_SENT else 0)


def exit_code_of_status(status: int) -> int:
    """Map a status to its exit code.

    Example:
        >>> exit_code_of_status(302), exit_code_of_status(404), exit_code_of_status(503)
        (0, 4, 5)
    """
    return OK if status < 400 else min(status // 100, 5)


def _code(failure: HTTPFailure) -> int:
    match failure:
        case HTTPStatusError(status):
            return exit_code_of_status(status)
        case HTTPInvalidRequestError():
            return 10
        case HTTPConnectionError(kind):
            return CONNECTION[kind]
        case HTTPTimeoutError(phase):
            return TIMEOUT[phase]
        case HTTPDecodeError():
            return 40
        case HTTPResponseTooLargeError():
            return 41
        case HTTPCircuitOpenError():
            return 50
        case HTTPInterceptorError():
            return 51
        case HTTPRetryExhaustedError():
            return 60
        case _:
            assert_never(failure)
