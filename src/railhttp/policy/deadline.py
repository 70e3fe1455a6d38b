"""The point in time at which a call must be over."""

from math import inf
from typing import Final, NamedTuple


class Deadline(NamedTuple):
    """A point in time, in seconds on a monotonic clock; None means never."""

    at: float | None = None

    def remaining(self, now: float) -> float:
        """Seconds until the deadline, at least 0; infinity without a deadline."""
        return inf if self.at is None else max(0.0, self.at - now)

    def allows(self, delay: float, now: float) -> bool:
        """Whether `delay` seconds from now is before the deadline."""
        return self.at is None or now + delay < self.at


def nearer(at: float | None, other: float) -> float:
    """Return the earlier one of two points in time; None means never."""
    return other if at is None or other < at else at


NEVER: Final = Deadline()
