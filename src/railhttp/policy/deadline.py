"""When a call has to be over."""

from math import inf
from typing import Final, NamedTuple


class Deadline(NamedTuple):
    """A point in time that nesting can only bring nearer.

    Attributes:
        at: When the call has to be over, on a monotonic clock; None for never.

    Example:
        >>> outer = Deadline(10.0)
        >>> outer.shrink(3.0, now=4.0), outer.shrink(60.0, now=4.0), outer.remaining(now=4.0)
        (Deadline(at=7.0), Deadline(at=10.0), 6.0)
    """

    at: float | None = None

    def remaining(self, now: float) -> float:
        """Seconds that are left, 0 where none are, infinitely many where there is no limit."""
        return inf if self.at is None else max(0.0, self.at - now)

    def allows(self, delay: float, now: float) -> bool:
        """Whether something may still begin after `delay` seconds: before the deadline."""
        return self.at is None or now + delay < self.at

    def shrink(self, seconds: float | None, now: float) -> "Deadline":
        """The nearer one of this deadline and `seconds` from now; None changes nothing."""
        return self if seconds is None else Deadline(nearer(self.at, now + seconds))


def nearer(at: float | None, other: float) -> float:
    """The nearer one of two points in time; None is never.

    Example:
        >>> nearer(None, 3.0), nearer(2.0, 3.0)
        (3.0, 2.0)
    """
    return other if at is None or other < at else at


NEVER: Final = Deadline()
