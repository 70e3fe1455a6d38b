"""Says what to install where a package is missing that only a part of this one needs."""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def provided_by(requirement: str) -> Generator[None, None, None]:
    """Import packages that need not be there.

    Args:
        requirement: What brings them, as pip takes it.

    Raises:
        ModuleNotFoundError: One is missing; the error says what brings it.

    Example:
        >>> with provided_by("railhttp[di]"):
        ...     import no_such_package
        Traceback (most recent call last):
        ModuleNotFoundError: No module named 'no_such_package': pip install 'railhttp[di]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{error}: pip install '{requirement}'"
        raise ModuleNotFoundError(message, name=error.name) from None
