"""What it means when a plugged-in policy raises an exception of its own.

It follows from what the call has seen, not from the exception's class, so that every policy is
understood (tests/client/test_policies.py).
"""

from collections.abc import Sequence

from railhttp.model.errors import (
    CallInfo,
    HTTPCircuitOpenError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPRetryExhaustedError,
)


def is_defect(error: Exception) -> bool:
    """Whether an exception is that of a wrong call or a lost connection to a store.

    No policy says by such a one that its circuit is open.

    Example:
        >>> is_defect(AttributeError()), is_defect(KeyError("open"))
        (True, False)
    """
    defects = TypeError | AttributeError | OSError
    return isinstance(error, defects) and not isinstance(error, TimeoutError)


def circuit_open(error: Exception, call: CallInfo) -> HTTPCircuitOpenError:
    """Build the failure for a policy that let nothing through: it calls its circuit open.

    Args:
        error: What it raised; its `retry_after` and `name` are taken over where it has them.
        call: The facts of the call.

    Example:
        >>> circuit_open(KeyError(), {"attempts": 0}).label
        ''
    """
    wait = getattr(error, "retry_after", None)
    name = getattr(error, "name", "")
    return HTTPCircuitOpenError(
        retry_after=wait if isinstance(wait, int | float) else None,
        name=name if isinstance(name, str) else "",
        **call,
    )


def policy_failed(error: Exception, call: CallInfo) -> HTTPInterceptorError:
    """Build the failure for a policy that has a defect.

    Args:
        error: What it raised.
        call: The facts of the call.

    Example:
        >>> policy_failed(KeyError(), {}).message
        'a policy raised KeyError'
    """
    return HTTPInterceptorError(f"a policy raised {type(error).__name__}", **call)


def exhausted(failures: Sequence[HTTPFailure], call: CallInfo) -> HTTPRetryExhaustedError:
    """Build the failure for a policy that gave up after attempts that all failed.

    Args:
        failures: Every attempt's failure, in order; at least one.
        call: The facts of the call.

    Example:
        >>> from railhttp.model.errors import HTTPTimeoutError
        >>> exhausted([HTTPTimeoutError("no answer", phase="read")], {}).message
        'a policy gave up: no answer'
    """
    message = f"a policy gave up: {failures[-1].message}"
    return HTTPRetryExhaustedError(message, failures=failures, **call)
