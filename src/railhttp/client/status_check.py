"""Runs the function that a call gave as `raise_for_status`."""

from inspect import isawaitable

from railhttp.model.errors import FAILURES, Delivery, HTTPInterceptorError
from railhttp.model.options import StatusCheck
from railhttp.model.response import HttpResponse


async def checked(response: HttpResponse, check: StatusCheck) -> None:
    """Let a function look at a response.

    Raises:
        HTTPInterceptorError: The function raised; its exception is the cause.
        HTTPClientError: The function raised a failure, one of `HTTPFailure`; it passes unchanged.
    """
    try:
        outcome: object = check(response)
        if isawaitable(outcome):
            await outcome
    except FAILURES:
        raise
    except Exception as error:
        raise HTTPInterceptorError(
            f"the function raised {type(error).__name__}",
            interceptor="raise_for_status",
            method=response.method,
            url=response.url,
            delivery=Delivery.ANSWERED,
            attempts=response.attempts,
            elapsed=response.elapsed,
        ) from error
