"""Time limits, in words."""

import sys


def format_timeout(timeout: float | None) -> str:
    """Format a time limit for people.

    Args:
        timeout: Seconds, any number; None for no limit.

    Returns:
        The seconds as Python prints a float, and an `s`; `no timeout` for None and for what no
        float can hold, infinity among it.

    Example:
        >>> format_timeout(30), format_timeout(0.25), format_timeout(None)
        ('30.0s', '0.25s', 'no timeout')
    """
    longest = sys.float_info.max
    if timeout is None or timeout > longest:
        return "no timeout"
    return f"{float(max(timeout, -longest))}s"
