"""Refuses settings that make no sense, when they are made."""

from math import inf

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import shown


def require(holds: bool, message: str, field: str) -> None:
    """Refuse a setting unless something holds.

    Raises:
        HTTPValidationError: It does not hold.

    Example:
        >>> require(2 > 1, "must be more than 1", "limit")
    """
    if not holds:
        raise HTTPValidationError(message, field=field)


def require_number(value: float, field: str, *, low: float = 0.0, high: float = inf) -> None:
    """Refuse a number that is not finite or lies outside of its bounds.

    Args:
        value: The number; NaN is refused.
        field: The setting's name.
        low: The least that is allowed.
        high: The most that is allowed.

    Raises:
        HTTPValidationError: The number is refused.

    Example:
        >>> require_number(-1, "max_delay")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: max_delay: must be at least 0, got -1
    """
    bound = f"at least {low:g}" if high == inf else f"between {low:g} and {high:g}"
    require(low <= value <= high and value < inf, f"must be {bound}, got {value}", field)


def require_function(value: object, field: str) -> None:
    """Refuse what cannot be called; None stands for no function.

    Args:
        value: The function, or None.
        field: The setting's name.

    Raises:
        HTTPValidationError: It is neither.

    Example:
        >>> require_function(3, "retry_if")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: retry_if: must be a function or None, got 3
    """
    held = value is None or callable(value)
    require(held, f"must be a function or None, got {shown(value)}", field)
