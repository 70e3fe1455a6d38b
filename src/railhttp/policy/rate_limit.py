"""How many calls may begin in a time: GCRA, the generic cell rate algorithm (ITU-T I.371).

Its state is one number: when the bucket would be full again, were no more calls to come. A token
is taken when a call begins and never earlier, so a call that gives up waiting leaves none behind.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from railhttp.model.validation import require, require_number, require_positive_int

TOLERANCE: Final = 1e-9
"""Seconds; what rounding leaves over must not make a call wait for nothing."""


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most `burst + rate · w` calls begin in any `w` seconds.

    Args:
        rate: Calls per second.
        burst: How many calls may begin at once after a pause.
        max_queue: How many calls may wait for their turn.
        max_wait: The longest that one may wait, in seconds; None for as long as it takes.

    Raises:
        HTTPValidationError: A number is out of its bounds.

    Example:
        >>> rule = RateRule(rate=10.0, burst=2)
        >>> full_at, wait = rule.take(None, 0, 0.0)
        >>> full_at, wait = rule.take(full_at, 0, 0.0)
        >>> rule.take(full_at, 0, 0.0)
        (0.2, 0.1)
    """

    rate: float
    burst: int = 1
    max_queue: int = 100
    max_wait: float | None = None

    def __post_init__(self) -> None:
        require(0 < self.rate < inf, f"must be more than 0, got {self.rate}", "rate")
        require_positive_int(self.burst, "burst")
        require_number(self.max_queue, "max_queue")
        require_number(self.max_wait or 0.0, "max_wait")

    def take(
        self, full_at: float | None, ahead: int, now: float
    ) -> tuple[float | None, float | None]:
        """Let a call begin, or say how long it has to wait.

        Args:
            full_at: The state, None where the bucket is full.
            ahead: How many calls wait before this one.
            now: The time, in seconds on a clock that never goes back.

        Returns:
            The state then, and the seconds to wait; None where the call begins now.
        """
        interval = 1 / self.rate
        drained = now if full_at is None else max(full_at, now)
        wait = drained - now - (self.burst - 1 - ahead) * interval
        if wait > TOLERANCE or ahead:
            return full_at, max(0.0, wait)
        return drained + interval, None
