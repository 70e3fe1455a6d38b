"""Time limits as text."""

import sys

from railhttp.model.validation import mismatch


def format_timeout(timeout: float | None) -> str:
    """Format a time limit for people.

    Args:
        timeout: Seconds; None means no limit.

    Returns:
        The seconds as Python prints a float, and an `s`; `no timeout` for None, infinity and every
        number that is too large for a float.

    Raises:
        HTTPValidationError: The time limit is not a number.

    Example:
        >>> format_timeout(30), format_timeout(0.25), format_timeout(None)
        ('30.0s', '0.25s', 'no timeout')
    """
    if not isinstance(timeout, int | float | None):
        raise mismatch("a number or None", timeout, "timeout")
    longest = sys.float_info.max
    if timeout is None or timeout > longest:
        return "no timeout"
    return f"{float(max(timeout, -longest))}s"
