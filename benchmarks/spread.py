"""Numbers from several rounds, and ratios that noise does not reach."""

from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple


class Spread(NamedTuple):
    """The middle half of some numbers."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Give the median of some numbers, with their lower and upper quartile.

    Example:
        >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
        Spread(median=3.0, low=2.0, high=4.0)
    """
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def ratios(values: Sequence[float], baseline: Sequence[float]) -> Spread:
    """Compare two series round by round.

    What slows the machine down for a while slows both sides of a round, so their ratio keeps
    still where a ratio of averages would not.

    Example:
        >>> ratios([2.0, 20.0, 4.0], [1.0, 10.0, 2.0]).median
        2.0
    """
    return spread([one / other for one, other in zip(values, baseline, strict=True)])
