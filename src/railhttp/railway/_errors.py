"""What is said to those who put something on the railway that does not belong there."""

import inspect

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Result


def no_future(given: object) -> TypeError:
    """Build the refusal of what is no `FutureResult`.

    Example:
        >>> no_future(7)
        TypeError('expected a FutureResult, got int')
    """
    return _refused("a FutureResult", given)


def no_track(given: object) -> TypeError:
    """Build the refusal of what is no `Result`, no `FutureResult` and no reader.

    Example:
        >>> no_track(7)
        TypeError('expected a Result, a FutureResult or a reader, got int')
    """
    return _refused("a Result, a FutureResult or a reader", given)


def no_client(given: object) -> TypeError:
    """Build the refusal of what cannot send what a reader describes."""
    return TypeError(f"give the reader an HTTPClient, not {type(given).__name__}")


def _refused(expected: str, given: object) -> TypeError:
    if inspect.iscoroutine(given):
        given.close()  # or Python would warn of it as well
    return TypeError(f"expected {expected}, got {_kind(given)}")


def _kind(given: object) -> str:
    match given:
        case RequiresContextFutureResult():
            return "a reader: give it its client first, reader(client)"
        case FutureResult():
            return "a FutureResult: only what is awaited later can go on with it"
        case Result():
            return "a Result: it needs no awaiting"
        case _ if inspect.iscoroutine(given):
            name = given.__qualname__
            return (
                f"the coroutine of {name}: use client.future for a verb, FutureResult(…) for other "
                "work, and FutureResult.from_result(…) before an async step"
            )
        case _:
            return type(given).__name__
