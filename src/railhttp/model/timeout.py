"""Time limits as text."""

import sys
from math import isnan

from railhttp.model.validation import mismatch


def format_timeout(timeout: float | None) -> str:
    """Format seconds for people; None and all numbers above the largest float are `no timeout`.

    Raises:
        HTTPValidationError: The time limit is not a number, or nan.

    Example:
        >>> format_timeout(30), format_timeout(0.25), format_timeout(None)
        ('30.0s', '0.25s', 'no timeout')
    """
    if not isinstance(timeout, int | float | None):
        raise mismatch("a number or None", timeout, "timeout")
    if isinstance(timeout, float) and isnan(timeout):
        raise mismatch("a number or None", timeout, "timeout")
    longest = sys.float_info.max
    if timeout is None or timeout > longest:
        return "no timeout"
    return f"{float(max(timeout, -longest))}s"
