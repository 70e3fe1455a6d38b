"""Asks the functions with which callers decide about outcomes in place of a rule."""

from collections.abc import Callable
from typing import TypeVar

from railhttp.model.errors import CallInfo, HTTPFailure, HTTPInterceptorError, HTTPStatusError
from railhttp.model.response import HttpResponse

T = TypeVar("T", bound=HTTPFailure | HttpResponse)


def asked(name: str, predicate: Callable[[T], bool], outcome: T) -> bool:
    """Ask a caller's own function about an outcome.

    Args:
        name: What the caller knows the function by.
        predicate: The function.
        outcome: A failure or an answer.

    Returns:
        What it says.

    Raises:
        HTTPInterceptorError: It raised. That is its own defect and says nothing about the host, so
            it must not be taken for an outcome of the call.

    Example:
        >>> asked("retry_if_response", lambda response: response.status == 404, HttpResponse(404))
        True
    """
    try:
        return predicate(outcome)
    except Exception as error:
        failure = HTTPStatusError(outcome) if isinstance(outcome, HttpResponse) else outcome
        message = f"{name} raised {type(error).__name__}"
        raise HTTPInterceptorError(message, interceptor=name, **facts_after(failure)) from error


def facts_after(failure: HTTPFailure) -> CallInfo:
    """What another failure has to know of the call that ended with this one.

    Example:
        >>> facts_after(HTTPStatusError(HttpResponse(404, method="GET", url="http://h/")))["method"]
        'GET'
    """
    return {
        "method": failure.method,
        "url": failure.url,
        "delivery": failure.delivery,
        "attempts": failure.attempts,
        "elapsed": failure.elapsed,
    }
