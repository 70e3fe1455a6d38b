"""Imports of optional packages, with an error that names the extra to install."""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def provided_by(requirement: str) -> Generator[None, None, None]:
    """Import optional packages inside this block.

    Args:
        requirement: The requirement that installs them, such as `railhttp[di]`.

    Raises:
        ModuleNotFoundError: A package is missing; the error names the requirement.

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
