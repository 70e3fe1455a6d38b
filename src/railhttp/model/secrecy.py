"""Keeps secrets out of tracebacks, which can show the local variables of each frame."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from railhttp.model.errors import HTTPValidationError

P = ParamSpec("P")
T = TypeVar("T")


def forgets_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Leave the frames of a function out of the traceback of its `HTTPValidationError`.

    A token with a line end is a usual mistake, and error trackers and `pytest -l` show the locals
    of each frame (tests/client/test_tracebacks.py).

    Example:
        >>> @forgets_arguments
        ... def login(password: str) -> None:
        ...     raise HTTPValidationError("must not be empty", field="password")
        >>> login("")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: password: must not be empty
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except HTTPValidationError as error:
            failure = error.with_traceback(None)
            failure.__context__ = None
        del args, kwargs
        raise failure

    return call
