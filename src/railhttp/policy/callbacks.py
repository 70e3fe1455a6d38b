"""Calls the functions with which a caller overrides a rule."""

from collections.abc import Callable
from typing import TypeVar

from railhttp.model.errors import CallInfo, HTTPFailure, HTTPInterceptorError, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import close_awaitable

T = TypeVar("T", bound=HTTPFailure | HttpResponse)


def call_predicate(name: str, predicate: Callable[[T], bool], outcome: T) -> bool:
    """Call a predicate of the caller.

    Raises `HTTPInterceptorError` if the predicate raises or returns an awaitable. Such a bug proves
    nothing about the host, so it must not count as an outcome of the call.
    """
    failure = HTTPStatusError(outcome) if isinstance(outcome, HttpResponse) else outcome
    try:
        result = predicate(outcome)
    except Exception as error:
        message = f"{name} raised {type(error).__name__}"
        raise HTTPInterceptorError(message, interceptor=name, **call_info_of(failure)) from error
    if close_awaitable(result):
        message = f"{name} returned an awaitable: it must be a plain function"
        raise HTTPInterceptorError(message, interceptor=name, **call_info_of(failure))
    return bool(result)


def call_info_of(failure: HTTPFailure) -> CallInfo:
    """Return the details of a failed call, for another failure of the same call."""
    return CallInfo(
        method=failure.method,
        url=failure.url,
        delivery=failure.delivery,
        attempts=failure.attempts,
        elapsed=failure.elapsed,
    )
