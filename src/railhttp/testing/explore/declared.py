"""The failures that a program declares: read from its return annotation."""

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, Final, Literal, Never, NoReturn, Union, get_args, get_origin

from returns.future import FutureResult
from returns.io import IO, IOResult
from returns.pipeline import is_successful
from returns.result import Result
from returns.unsafe import unsafe_perform_io

_RESULTS: Final = (Result, IOResult, FutureResult)
_ANYTHING: Final = (Any, object)


def declared_failures(program: Callable[..., object]) -> tuple[type, ...] | None:
    """Return the classes of failures that a program may return.

    Args:
        program: A function annotated to return a `Result` or a `FutureResult`, or an awaitable of
            one.

    Returns:
        The classes, or None if the annotation is missing or too general.

    Example:
        >>> async def program(client: object) -> Result[str, KeyError | OSError]: ...
        >>> declared_failures(program)
        (<class 'KeyError'>, <class 'OSError'>)
    """
    function = program if inspect.isroutine(program) else type(program).__call__
    try:
        returned = typing.get_type_hints(function).get("return")
    except (NameError, TypeError, AttributeError):  # names of a scope that is gone
        return None
    if get_origin(returned) is Awaitable:
        (returned,) = get_args(returned)
    elif get_origin(returned) is Coroutine:
        returned = get_args(returned)[2]
    origin = get_origin(returned)
    if not (isinstance(origin, type) and issubclass(origin, _RESULTS)):
        return None
    return _classes(get_args(returned)[1])


def _classes(declared: object) -> tuple[type, ...] | None:
    for alias in ("__value__", "__supertype__"):  # of a `type` statement, of a NewType
        if (meant := getattr(declared, alias, None)) is not None:
            return _classes(meant)
    origin = get_origin(declared)
    if origin is Annotated:
        return _classes(get_args(declared)[0])
    if origin is Literal:
        return tuple(dict.fromkeys(type(value) for value in get_args(declared)))
    if origin in {Union, types.UnionType}:
        members = [_classes(member) for member in get_args(declared)]
        known = [member for member in members if member is not None]
        return tuple(cls for member in known for cls in member) if known == members else None
    if declared in {Never, NoReturn}:
        return ()
    if declared is None:
        return (types.NoneType,)
    found = origin or declared
    return (found,) if isinstance(found, type) and found not in _ANYTHING else None


def failure_of(outcome: object) -> tuple[object, ...]:
    """Return the failure that an outcome holds; empty if it is a success, or no `Result`.

    Example:
        >>> from returns.result import Failure, Success
        >>> failure_of(Failure(7)), failure_of(Success(7)), failure_of(7)
        ((7,), (), ())
    """
    if not isinstance(outcome, Result | IOResult) or is_successful(outcome):
        return ()
    failure: object = outcome.failure()
    return (unsafe_perform_io(failure) if isinstance(failure, IO) else failure,)
