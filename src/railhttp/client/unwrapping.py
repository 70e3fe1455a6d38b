"""Names the failure in the error of `unwrap()`, which has an empty text in `returns`."""

from typing import Final

from returns.primitives.exceptions import UnwrapFailedError
from returns.result import Failure

from railhttp.model.errors import HTTPError

_ORIGINAL: Final = UnwrapFailedError.__str__


def _text(error: UnwrapFailedError) -> str:
    container: object = error.halted_container  # that of an `IOResult` is its `Result`
    match container:
        case Failure(HTTPError() as failure):
            return str(failure)
        case _:  # `failure()` of a success would raise
            return _ORIGINAL(error)


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
