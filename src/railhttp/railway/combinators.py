"""Combinators for `Result`, `FutureResult` and `RequiresContextFutureResult`.

Each takes a function and returns a function from track to track, for use in `flow` or alone.
Exceptions of the function are not caught.
"""

from collections.abc import Callable, Coroutine
from typing import Never, TypeVar, overload

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from railhttp.railway._bind import Following, Track, switch
from railhttp.railway._types import (
    FallbackFuture,
    FallbackReader,
    FallbackResult,
    Tap,
    TapAnything,
    TapFailure,
    ThenFuture,
    ThenReader,
    ThenResult,
)

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
F = TypeVar("F")
N = TypeVar("N")


@overload
def then(step: Callable[[A], Result[B, F]], /) -> ThenResult[A, B, F]: ...
@overload
def then(step: Callable[[A], FutureResult[B, F]], /) -> ThenFuture[A, B, F]: ...
@overload
def then(step: Callable[[A], Coroutine[object, Never, Result[B, F]]], /) -> ThenFuture[A, B, F]: ...
@overload
def then(
    step: Callable[[A], RequiresContextFutureResult[B, F, N]], /
) -> ThenReader[A, B, F, N]: ...
def then(step: Callable[[A], Following[B, F, N]]) -> object:
    """Apply a step to the value of a track. The failures have the union of both types.

    (`bind` of `returns` requires the same failure type on both sides.)

    Args:
        step: Returns a `Result`; for a future also a `FutureResult` or the coroutine of a `Result`;
            for a reader also a reader. Use a named function: type checkers cannot infer the
            argument of a lambda here.

    Example:
        >>> def half(number: int) -> Result[int, str]:
        ...     return Failure("odd") if number % 2 else Success(number // 2)
        >>> then(half)(Success(4)), then(half)(Success(3)), then(half)(Failure(404))
        (<Success: 2>, <Failure: odd>, <Failure: 404>)
    """

    def apply(track: Track[A, E, N]) -> Track[B, E | F, N]:
        return switch(track, step, Failure)

    return apply


@overload
def fallback(other: Callable[[E], Result[B, F]], /) -> FallbackResult[E, B, F]: ...
@overload
def fallback(other: Callable[[E], FutureResult[B, F]], /) -> FallbackFuture[E, B, F]: ...
@overload
def fallback(
    other: Callable[[E], Coroutine[object, Never, Result[B, F]]], /
) -> FallbackFuture[E, B, F]: ...
@overload
def fallback(
    other: Callable[[E], RequiresContextFutureResult[B, F, N]], /
) -> FallbackReader[E, B, F, N]: ...
def fallback(other: Callable[[E], Following[B, F, N]]) -> object:
    """Apply a step to the failure of a track. The values have the union of both types.

    (`lash` of `returns` requires the same value type on both sides.)

    Args:
        other: Returns a track; see `then` for its kinds.

    Example:
        >>> def nobody(failure: str) -> Result[None, int]:
        ...     return Success(None) if failure == "unknown" else Failure(len(failure))
        >>> fallback(nobody)(Failure("unknown")), fallback(nobody)(Success("ann"))
        (<Success: None>, <Success: ann>)
    """

    def apply(track: Track[A, E, N]) -> Track[A | B, F, N]:
        return switch(track, Success, other)

    return apply


@overload
def tap(  # pyright: ignore[reportOverlappingOverload]  # both keep the track as it is
    look: Callable[[object], None], /
) -> TapAnything: ...
@overload
def tap(look: Callable[[A], None], /) -> Tap[A]: ...
def tap(look: Callable[[A], None]) -> object:
    """Call a function with the value of a track, and keep the track.

    Example:
        >>> tap(print)(Success(1))
        1
        <Success: 1>
    """

    def handed_on(value: A) -> Result[A, Never]:
        look(value)
        return Success(value)

    def apply(track: Track[A, E, N]) -> Track[A, E, N]:
        return switch(track, handed_on, Failure)

    return apply


@overload
def tap_failure(  # pyright: ignore[reportOverlappingOverload]  # both keep the track as it is
    look: Callable[[object], None], /
) -> TapAnything: ...
@overload
def tap_failure(look: Callable[[E], None], /) -> TapFailure[E]: ...
def tap_failure(look: Callable[[E], None]) -> object:
    """Call a function with the failure of a track, and keep the track.

    Example:
        >>> tap_failure(print)(Failure("no"))
        no
        <Failure: no>
    """

    def handed_on(failure: E) -> Result[Never, E]:
        look(failure)
        return Failure(failure)

    def apply(track: Track[A, E, N]) -> Track[A, E, N]:
        return switch(track, Success, handed_on)

    return apply
