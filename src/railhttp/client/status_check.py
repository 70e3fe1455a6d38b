"""Runs the function that a call gave as `raise_for_status`."""

from collections.abc import Awaitable
from inspect import isawaitable

from railhttp.model.errors import FAILURES, HTTPInterceptorError
from railhttp.model.options import StatusCheck
from railhttp.model.response import HttpResponse


async def checked_response(sending: Awaitable[HttpResponse], check: StatusCheck) -> HttpResponse:
    """Wait for a response, and let a function look at it; see `checked`."""
    response = await sending
    await checked(response, check)
    return response


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
            **response.call_info(),
        ) from error
