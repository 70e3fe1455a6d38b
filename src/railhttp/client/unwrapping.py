"""Names the failure in the error of `unwrap()`, which has an empty text in `returns`."""

from typing import Final

from returns.primitives.exceptions import UnwrapFailedError

from railhttp.model.errors import HTTPError

_ORIGINAL: Final = UnwrapFailedError.__str__


def _text(error: UnwrapFailedError) -> str:
    container = error.halted_container
    value: object = container.failure()
    failure = getattr(value, "_inner_value", value)  # `failure()` of an `IOResult` is an `IO`
    return str(failure) if isinstance(failure, HTTPError) else _ORIGINAL(error)


def name_failures() -> None:
    """Let `str()` of an `UnwrapFailedError` be that of the failure of ours which it holds.

    `Failure` is final and raises that class by itself, so there is no other place for it. Other
    values keep their text.

    Example:
        >>> from returns.result import Failure
        >>> from railhttp.model.errors import HTTPConnectionError
        >>> Failure(HTTPConnectionError("refused", kind="connect")).unwrap()
        Traceback (most recent call last):
        returns.primitives.exceptions.UnwrapFailedError: refused [connect, maybe sent, attempts 1,
        0.000 s]
    """
    setattr(UnwrapFailedError, "__str__", _text)  # noqa: B010  # mypy forbids the plain assignment
