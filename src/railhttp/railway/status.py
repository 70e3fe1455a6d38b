"""Choose which status codes are failures."""

from collections.abc import Callable
from typing import TypeVar, cast

from returns.result import Failure, Result, Success

from railhttp.model.errors import HTTPStatusError, HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import describe
from railhttp.railway._bind import Track, switch
from railhttp.railway._types import OnStatus

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
F = TypeVar("F")
N = TypeVar("N")


def expect(*statuses: int) -> Callable[[HttpResponse], Result[HttpResponse, HTTPStatusError]]:
    """Make a step for `.bind_result` and `then` that accepts only the given status codes.

    Returns:
        A function that turns other responses into an `HTTPStatusError`, even below 400.

    Raises:
        HTTPValidationError: No status code is given, or one is not between 100 and 999.

    Example:
        >>> created = expect(201)
        >>> created(HttpResponse(200)).failure().message
        'status 200, expected 201'
        >>> created(HttpResponse(201)).unwrap()
        <HttpResponse 201 GET  0 bytes>
    """
    if not statuses:
        raise HTTPValidationError("must be one status code or more", field="statuses")
    for status in statuses:
        _check_status(status, "statuses")

    def check(response: HttpResponse) -> Result[HttpResponse, HTTPStatusError]:
        if response.status in statuses:
            return Success(response)
        return Failure(HTTPStatusError(response, expected=statuses))

    return check


def on_status(status: int, answer: Callable[[HttpResponse], Result[B, F]], /) -> OnStatus[B, F]:
    """Apply a step to the response of one failing status; other failures stay as they are.

    Args:
        status: The status code. Below 400 it is a failure only after `expect`.
        answer: For example a decoder of the error's body. Use an annotated function: in a lambda,
            `Success(None)` makes the failure's type `Any`.

    Raises:
        HTTPValidationError: The status is not between 100 and 999.

    Example:
        >>> from typing import Never
        >>> def nobody(response: HttpResponse) -> Result[None, Never]:
        ...     return Success(None)
        >>> on_status(404, nobody)(Failure(HTTPStatusError(HttpResponse(404))))
        <Success: None>
    """
    _check_status(status, "status")

    def other(failure: E) -> Result[B, E | F]:
        if isinstance(failure, HTTPStatusError) and failure.status == status:
            return answer(failure.response)
        return Failure(failure)

    def apply(track: Track[A, E, N]) -> Track[A | B, E | F, N]:
        return switch(track, Success, other)

    return cast("OnStatus[B, F]", apply)  # `switch` keeps the container


def _check_status(status: object, field: str) -> None:
    if isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 999:
        return
    message = f"must be a status code, from 100 to 999, got {describe(status)}"
    raise HTTPValidationError(message, field=field)
