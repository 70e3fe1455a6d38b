"""Errors for arguments of the wrong type."""

import inspect

from returns.context import RequiresContextFutureResult
from returns.result import Result


def no_future(given: object) -> TypeError:
    """Build the error for an object that should be a `FutureResult`.

    Example:
        >>> no_future(7)
        TypeError('expected a FutureResult, got int')
    """
    return _unexpected("a FutureResult", given)


def no_track(given: object) -> TypeError:
    """Build the error for an object that should be a `Result`, `FutureResult` or reader.

    Example:
        >>> no_track(7)
        TypeError('expected a Result, a FutureResult or a reader, got int')
    """
    return _unexpected("a Result, a FutureResult or a reader", given)


def _unexpected(expected: str, given: object) -> TypeError:
    if inspect.iscoroutine(given):
        given.close()  # or Python would warn of it as well
    return TypeError(f"expected {expected}, got {_kind(given)}")


def _kind(given: object) -> str:
    match given:
        case RequiresContextFutureResult():
            return "a reader: give it its client first, reader(client)"
        case Result():
            return "a Result: it does not need awaiting"
        case _ if inspect.iscoroutine(given):
            name = given.__qualname__
            return (
                f"the coroutine of {name}: use client.future for a verb, FutureResult(…) for other "
                "work, and FutureResult.from_result(…) before an async step"
            )
        case _:
            return type(given).__name__
