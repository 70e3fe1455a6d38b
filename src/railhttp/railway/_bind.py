"""Continue after a value or a failure, in each of the three containers."""

from collections.abc import Callable, Coroutine
from typing import Final, Never, TypeAlias, TypeVar

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Result

from railhttp.railway._errors import no_future, no_track
from railhttp.railway.outcome import run

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
F = TypeVar("F")
N = TypeVar("N")

Track: TypeAlias = Result[A, E] | FutureResult[A, E] | RequiresContextFutureResult[A, E, N]
"""A value or a failure, now, later, or later with an environment."""

Following: TypeAlias = Track[A, E, N] | Coroutine[object, Never, Result[A, E]]
"""The return value of a step: a track, or the coroutine of a result."""

_TRACKS: Final = (Result, FutureResult, RequiresContextFutureResult)


def switch(
    track: Track[A, E, N],
    on_value: Callable[[A], Following[B, F, N]],
    on_failure: Callable[[E], Following[B, F, N]],
) -> Track[B, F, N]:
    """Apply one of two steps; the result is in the container of the track.

    Raises:
        TypeError: The argument is not a track, or the step did not return one.
    """
    if isinstance(track, Result):
        following = _follow(track, on_value, on_failure)
        if not isinstance(following, _TRACKS):
            raise no_track(following)
        return following
    if isinstance(track, FutureResult):
        return FutureResult(_switch_future(track, on_value, on_failure))
    if not isinstance(track, RequiresContextFutureResult):
        raise no_track(track)
    return RequiresContextFutureResult(
        lambda env: FutureResult(_switch_future(track(env), on_value, on_failure, env))
    )


def _follow(
    result: Result[A, E],
    on_value: Callable[[A], Following[B, F, N]],
    on_failure: Callable[[E], Following[B, F, N]],
) -> Following[B, F, N]:
    return on_value(result.unwrap()) if is_successful(result) else on_failure(result.failure())


async def _switch_future(
    track: FutureResult[A, E],
    on_value: Callable[[A], Following[B, F, N]],
    on_failure: Callable[[E], Following[B, F, N]],
    *env: N,
) -> Result[B, F]:
    following = _follow(await run(track), on_value, on_failure)
    if isinstance(following, Coroutine):
        following = await following
    if isinstance(following, RequiresContextFutureResult):
        if not env:
            raise no_future(following)
        following = following(*env)
    return following if isinstance(following, Result) else await run(following)
