"""Sizes and times as people read them."""

from typing import Final

_UNITS: Final = ("kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Write a number of bytes.

    Example:
        >>> size(17), size(1234), size(5_000_000)
        ('17 B', '1.2 kB', '5.0 MB')
    """
    if count < 1000:
        return f"{count} B"
    value = count / 1000
    unit = 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    return f"{value:.1f} {_UNITS[unit]}"


def milliseconds(seconds: float) -> str:
    """Write a time.

    Example:
        >>> milliseconds(0.0841), milliseconds(0.00043), milliseconds(12.3)
        ('84 ms', '0.4 ms', '12.3 s')
    """
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else f"{seconds * 1000:.1f} ms"
