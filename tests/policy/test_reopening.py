"""Failures that end a stream or a download, and failures that it survives."""

import pytest

from railhttp import (
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
)
from railhttp.policy.reconnect import may_pass


@pytest.mark.parametrize(
    ("failure", "passes"),
    [
        (HTTPConnectionError(kind="connect"), True),
        (HTTPConnectionError(kind="closed"), False),
        (HTTPConnectionError(kind="rejected"), True),
        (HTTPTimeoutError(phase="read"), True),
        (HTTPTimeoutError(phase="total"), True),
        (HTTPCircuitOpenError(), True),
        (HTTPDecodeError(), False),
        (HTTPRetryExhaustedError(failures=[HTTPConnectionError(kind="dns")]), True),
        (HTTPRetryExhaustedError(failures=[HTTPTimeoutError(phase="total")]), True),
        (HTTPRetryExhaustedError(failures=[HTTPDecodeError()]), False),
        (HTTPRetryExhaustedError(), True),
    ],
)
def test_some_failures_may_pass(failure: HTTPFailure, passes: bool) -> None:
    assert may_pass(failure) is passes
