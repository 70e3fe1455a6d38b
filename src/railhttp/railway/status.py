"""What a status means to the caller: which are expected, and which are no failure."""

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
    """Make a step that lets only some statuses pass, for `.bind_result` and `then`.

    Args:
        *statuses: The status codes that pass.

    Returns:
        A function; every other response is an `HTTPStatusError`, even one below 400.

    Raises:
        HTTPValidationError: There are none, or one of them is no status code.

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
    """Turn one failing status into something else, and leave all other failures as they are.

    Args:
        status: A status code; one below 400 fails only where `expect` makes it.
        answer: Gets the response; a decoder of the error's body, say. A function with annotations,
            since `Success(None)` in a lambda makes the failure's type `Any`.

    Returns:
        A function from track to track.

    Raises:
        HTTPValidationError: It is no status code.

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
