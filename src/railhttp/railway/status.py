"""What a status means to the caller: which are expected, and which are no failure."""

from collections.abc import Callable
from typing import TypeVar, cast

from returns.result import Failure, Result, Success

from railhttp.model.errors import HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.railway.steps import OnStatus
from railhttp.railway.switch import Track, switch

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

    Example:
        >>> created = expect(201)
        >>> created(HttpResponse(200)).failure().status
        200
        >>> created(HttpResponse(201)).unwrap()
        <HttpResponse 201 GET  0 bytes>
    """

    def check(response: HttpResponse) -> Result[HttpResponse, HTTPStatusError]:
        if response.status in statuses:
            return Success(response)
        return Failure(HTTPStatusError(response))

    return check


def on_status(status: int, answer: Callable[[HttpResponse], Result[B, F]], /) -> OnStatus[B, F]:
    """Turn one failing status into something else, and leave all other failures as they are.

    Args:
        status: A status code, 400 or above.
        answer: Gets the response; a decoder of the error's body, say. A function with annotations,
            since `Success(None)` in a lambda makes the failure's type `Any`.

    Returns:
        A function from track to track.

    Example:
        >>> from typing import Never
        >>> def nobody(response: HttpResponse) -> Result[None, Never]:
        ...     return Success(None)
        >>> on_status(404, nobody)(Failure(HTTPStatusError(HttpResponse(404))))
        <Success: None>
    """

    def other(failure: E) -> Result[B, E | F]:
        if isinstance(failure, HTTPStatusError) and failure.status == status:
            return answer(failure.response)
        return Failure(failure)

    def apply(track: Track[A, E, N]) -> Track[A | B, E | F, N]:
        return switch(track, Success, other)

    return cast("OnStatus[B, F]", apply)  # `switch` keeps the container
