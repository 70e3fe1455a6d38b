"""From exceptions to results, and from results to plain values."""

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Never, ParamSpec, Protocol, TypeVar, overload

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp.railway._errors import no_future

T = TypeVar("T")
E = TypeVar("E")
P = ParamSpec("P")
X1 = TypeVar("X1", bound=Exception)
X2 = TypeVar("X2", bound=Exception)
X3 = TypeVar("X3", bound=Exception)
X4 = TypeVar("X4", bound=Exception)
X5 = TypeVar("X5", bound=Exception)
X_co = TypeVar("X_co", bound=Exception, covariant=True)


def outcome(result: Result[T, E]) -> T | E:
    """Return the value or the failure of a result, for a flat `match`.

    In a `match` on the result itself, mypy types the contents as `Any`, and `assert_never` does not
    work. Value and failure must have different types.

    Example:
        >>> outcome(Success(1)), outcome(Failure("no"))
        (1, 'no')
    """
    return result.unwrap() if is_successful(result) else result.failure()


async def run(future: FutureResult[T, E]) -> Result[T, E]:
    """Await a future as a `Result`; `await` alone returns an `IOResult`.

    Args:
        future: Runs once: later calls return the same outcome. Concurrent calls need a `shared`
            future.

    Raises:
        TypeError: The argument is not a future, but for example a verb's coroutine or a reader.

    Example:
        >>> import asyncio
        >>> asyncio.run(run(FutureResult.from_value(1)))
        <Success: 1>
    """
    if not isinstance(future, FutureResult):
        raise no_future(future)
    return await future._inner_value  # `returns` offers only the IOResult


class Catching(Protocol[X_co]):
    """Turns a function that raises into one that returns; see `catching`."""

    @overload
    # A coroutine matches both overloads; the first one wins.
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[object, Never, T]], /
    ) -> Callable[P, FutureResult[T, X_co]]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> Callable[P, Result[T, X_co]]: ...


@overload
def catching(first: type[X1], /) -> Catching[X1]: ...
@overload
def catching(first: type[X1], second: type[X2], /) -> Catching[X1 | X2]: ...
@overload
def catching(first: type[X1], second: type[X2], third: type[X3], /) -> Catching[X1 | X2 | X3]: ...
@overload
def catching(
    first: type[X1], second: type[X2], third: type[X3], fourth: type[X4], /
) -> Catching[X1 | X2 | X3 | X4]: ...
@overload
def catching(
    first: type[X1], second: type[X2], third: type[X3], fourth: type[X4], fifth: type[X5], /
) -> Catching[X1 | X2 | X3 | X4 | X5]: ...
def catching(*kinds: type[Exception]) -> object:
    """Make a decorator that turns the given exceptions into failures.

    Args:
        *kinds: Up to five exception classes; the failure type is their union.

    Returns:
        The decorator. A function then returns a `Result`, an async one a `FutureResult`.

    Example:
        >>> parse = catching(ValueError, TypeError)(int)
        >>> parse("7")
        <Success: 7>
        >>> type(parse("x").failure())
        <class 'ValueError'>
    """

    def decorate(function: Callable[P, object]) -> Callable[P, object]:
        is_async = inspect.iscoroutinefunction(function)

        @wraps(function)
        def caught(*args: P.args, **kwargs: P.kwargs) -> object:
            try:
                value = function(*args, **kwargs)
            except kinds as error:
                return FutureResult.from_failure(error) if is_async else Failure(error)
            return (
                FutureResult(_caught(value, kinds))
                if inspect.iscoroutine(value)
                else Success(value)
            )

        return caught

    return decorate


async def _caught(
    coroutine: Coroutine[object, Never, T], kinds: tuple[type[Exception], ...]
) -> Result[T, Exception]:
    try:
        return Success(await coroutine)
    except kinds as error:
        return Failure(error)
