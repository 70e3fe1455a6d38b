"""Draws a waterfall of the phases of a call."""

from typing import Final

from railhttp.cli.units import milliseconds
from railhttp.events import Timings

_BLOCK: Final = "▇"
_WIDTH: Final = 40


def phases_of(head: Timings, body: float) -> Timings:
    """Return the phases of the last request, of which the caller read the body.

    Args:
        head: The phases up to the head of the response.
        body: The seconds from there to the end of its body.
    """
    return head._replace(body=body)


def waterfall(phases: Timings) -> list[str]:
    r"""Draw one bar for each phase; each begins at the end of the one above.

    Example:
        >>> print(*waterfall(Timings(dns=0.01, wait=0.03)), sep="\n")
        dns   ▇▇▇▇▇▇▇▇▇▇                                 10 ms
        wait            ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇   30 ms
    """
    timed = phases.timed()
    whole = sum(timed.values()) or 1.0
    lines = []
    start = 0.0
    for name, value in timed.items():
        first = round(start / whole * _WIDTH)
        start += value
        last = round(start / whole * _WIDTH)
        bar = " " * min(first, _WIDTH - 1) + _BLOCK * max(last - first, 1)
        lines.append(f"{name:<5} {bar:<{_WIDTH}} {milliseconds(value):>7}")
    return lines
