"""Run calls concurrently.

These functions take ownership of the calls passed to them: they cancel and await the calls whose
outcome is not needed before they return.
"""

import asyncio
import inspect
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Never, TypeVar, overload

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.primitives.reawaitable import ReAwaitable
from returns.result import Failure, Result, Success

from railhttp.model.validation import validate_positive_int
from railhttp.railway.outcome import run
from railhttp.railway.sharing import SharedWork

T = TypeVar("T")
E = TypeVar("E")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")


@overload
def gather(
    first: FutureResult[T1, E1], /, *, limit: int | None = None
) -> FutureResult[tuple[T1], E1]: ...
@overload
def gather(
    first: FutureResult[T1, E1], second: FutureResult[T2, E2], /, *, limit: int | None = None
) -> FutureResult[tuple[T1, T2], E1 | E2]: ...
@overload
def gather(
    first: FutureResult[T1, E1],
    second: FutureResult[T2, E2],
    third: FutureResult[T3, E3],
    /,
    *,
    limit: int | None = None,
) -> FutureResult[tuple[T1, T2, T3], E1 | E2 | E3]: ...
@overload
def gather(
    first: FutureResult[T1, E1],
    second: FutureResult[T2, E2],
    third: FutureResult[T3, E3],
    fourth: FutureResult[T4, E4],
    /,
    *,
    limit: int | None = None,
) -> FutureResult[tuple[T1, T2, T3, T4], E1 | E2 | E3 | E4]: ...
@overload
def gather(
    first: FutureResult[T1, E1],
    second: FutureResult[T2, E2],
    third: FutureResult[T3, E3],
    fourth: FutureResult[T4, E4],
    fifth: FutureResult[T5, E5],
    /,
    *,
    limit: int | None = None,
) -> FutureResult[tuple[T1, T2, T3, T4, T5], E1 | E2 | E3 | E4 | E5]: ...
@overload
def gather(
    *calls: FutureResult[T, E], limit: int | None = None
) -> FutureResult[tuple[T, ...], E]: ...
def gather(
    *calls: FutureResult[object, object], limit: int | None = None
) -> FutureResult[tuple[object, ...], object]:
    """Run calls concurrently and return all values, or the first failure.

    The first failure cancels the other calls. To get every outcome, gather `settled` calls.

    Args:
        *calls: Up to five calls of different types, or any number of the same type.
        limit: The maximum number of calls that run at the same time; None for no limit.

    Returns:
        The values in the order of the calls.

    Raises:
        HTTPValidationError: The limit is not positive.

    Example:
        >>> import asyncio
        >>> both = gather(FutureResult.from_value(1), FutureResult.from_value("a"))
        >>> asyncio.run(run(both))
        <Success: (1, 'a')>
    """
    return collect(calls, limit=limit)


def collect(
    calls: Iterable[FutureResult[T, E]], *, limit: int | None = None
) -> FutureResult[tuple[T, ...], E]:
    """Run the calls of an iterable concurrently; see `gather`.

    Args:
        calls: With a limit, the iterable is read only as fast as calls finish.
        limit: See `gather`.

    Raises:
        HTTPValidationError: The limit is not positive.

    Example:
        >>> import asyncio
        >>> asyncio.run(run(collect(map(FutureResult.from_value, range(3)), limit=2)))
        <Success: (0, 1, 2)>
    """
    if limit is not None:
        validate_positive_int(limit, "limit")
    return FutureResult(_collect(calls, limit))


@overload
def race(
    first: FutureResult[T1, E1], second: FutureResult[T2, E2], /
) -> FutureResult[T1 | T2, E1 | E2]: ...
@overload
def race(
    first: FutureResult[T1, E1], second: FutureResult[T2, E2], third: FutureResult[T3, E3], /
) -> FutureResult[T1 | T2 | T3, E1 | E2 | E3]: ...
@overload
def race(first: FutureResult[T, E], /, *others: FutureResult[T, E]) -> FutureResult[T, E]: ...
def race(
    first: FutureResult[object, object], /, *others: FutureResult[object, object]
) -> FutureResult[object, object]:
    """Run calls concurrently and return the first outcome, a value or a failure.

    The other calls are cancelled. Up to three calls may have different types.

    Example:
        >>> import asyncio
        >>> asyncio.run(run(race(FutureResult.from_value(1), FutureResult.from_value("a"))))
        <Success: 1>
    """
    return FutureResult(_race((first, *others)))


@overload
def first_success(
    first: FutureResult[T1, E1], second: FutureResult[T2, E2], /
) -> FutureResult[T1 | T2, tuple[E1, E2]]: ...
@overload
def first_success(
    first: FutureResult[T1, E1], second: FutureResult[T2, E2], third: FutureResult[T3, E3], /
) -> FutureResult[T1 | T2 | T3, tuple[E1, E2, E3]]: ...
@overload
def first_success(
    first: FutureResult[T, E], /, *others: FutureResult[T, E]
) -> FutureResult[T, tuple[E, ...]]: ...
def first_success(
    first: FutureResult[object, object], /, *others: FutureResult[object, object]
) -> FutureResult[object, tuple[object, ...]]:
    """Run calls concurrently and return the first value, or all failures.

    The first value cancels the other calls. Up to three calls may have different types.

    Returns:
        The value, or the failures in the order of the calls.

    Example:
        >>> import asyncio
        >>> down, up = FutureResult.from_failure("down"), FutureResult.from_value(1)
        >>> asyncio.run(run(first_success(down, up)))
        <Success: 1>
    """
    return FutureResult(_first_success((first, *others)))


def settled(call: FutureResult[T, E]) -> FutureResult[Result[T, E], Never]:
    """Turn the outcome of a call into its value: the returned call always succeeds.

    Example:
        >>> import asyncio
        >>> down, up = FutureResult.from_failure("down"), FutureResult.from_value(1)
        >>> asyncio.run(run(gather(settled(down), settled(up)))).unwrap()
        (<Failure: down>, <Success: 1>)
    """
    return FutureResult(_settled(call))


async def _settled(call: FutureResult[T, E]) -> Result[Result[T, E], Never]:
    return Success(await run(call))


async def _collect(
    calls: Iterable[FutureResult[T, E]], limit: int | None
) -> Result[tuple[T, ...], E]:
    results = await _finish(calls, limit, lambda result: not is_successful(result))
    for result in results.values():
        if not is_successful(result):
            return Failure(result.failure())
    return Success(tuple(results[index].unwrap() for index in range(len(results))))


async def _race(calls: Collection[FutureResult[T, E]]) -> Result[T, E]:
    results = await _finish(calls, None, lambda _: True)
    return next(iter(results.values()))


async def _first_success(calls: Collection[FutureResult[T, E]]) -> Result[T, tuple[E, ...]]:
    results = await _finish(calls, None, is_successful)
    for result in results.values():
        if is_successful(result):
            return Success(result.unwrap())
    return Failure(tuple(results[index].failure() for index in range(len(results))))


async def _finish(
    calls: Iterable[FutureResult[T, E]],
    limit: int | None,
    enough: Callable[[Result[T, E]], bool],
) -> dict[int, Result[T, E]]:
    """Run calls until a result is enough, or all are done.

    Returns:
        The results by the numbers of their calls, in order of completion.
    """
    running: dict[asyncio.Task[Result[T, E]], tuple[int, FutureResult[T, E]]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            return await _watch(group, enumerate(calls), limit, enough, running)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the exception of the call itself
    finally:
        for _, call in running.values():
            _discard(call)
        if isinstance(calls, Collection):
            _discard(calls)


async def _watch(
    group: asyncio.TaskGroup,
    calls: Iterable[tuple[int, FutureResult[T, E]]],
    limit: int | None,
    enough: Callable[[Result[T, E]], bool],
    running: dict[asyncio.Task[Result[T, E]], tuple[int, FutureResult[T, E]]],
) -> dict[int, Result[T, E]]:
    results: dict[int, Result[T, E]] = {}
    done: asyncio.Queue[asyncio.Task[Result[T, E]]] = asyncio.Queue()
    waiting = iter(calls)
    while True:
        for index, call in islice(waiting, None if limit is None else limit - len(running)):
            task = group.create_task(run(call))
            task.add_done_callback(done.put_nowait)
            running[task] = (index, call)
        if not running:
            return results
        task = await done.get()
        index, _ = running.pop(task)
        results[index] = task.result()
        if enough(results[index]):
            for other in running:
                other.cancel()
            return results


def _discard(part: object) -> None:
    """Close coroutines that never started, so that Python does not warn of them.

    `returns` has no public access to the coroutine of a future, or to the futures that it was built
    from (tests/railway/test_concurrency.py::test_calls_that_never_began_are_closed).
    """
    if isinstance(part, FutureResult):
        _discard(part._inner_value)
    elif isinstance(part, ReAwaitable):
        _discard(part._coro)
    elif isinstance(part, SharedWork):
        _discard(part.work)
    elif isinstance(part, list | tuple):
        for one in part:
            _discard(one)
    elif inspect.iscoroutine(part) and inspect.getcoroutinestate(part) == inspect.CORO_CREATED:
        arguments = tuple(inspect.getcoroutinelocals(part).values())
        part.close()
        _discard(arguments)
