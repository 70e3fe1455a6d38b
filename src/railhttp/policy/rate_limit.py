"""A limit on how often calls start: GCRA, the generic cell rate algorithm (ITU-T I.371).

Its state is one number: the time at which the bucket is full again if no more calls arrive. A call
takes its token when it starts and not earlier, so a call that stops waiting loses no token.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from railhttp.model.validation import require, require_number, require_positive_int

TOLERANCE: Final = 1e-9
"""Seconds. A shorter wait is a rounding error and is skipped."""


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most `burst + rate · w` calls start in any `w` seconds.

    Args:
        rate: Calls per second, on average.
        burst: Number of calls that may start at once after a pause. The default, 1, spaces calls
            evenly, `1 / rate` seconds apart.
        max_queue: Largest number of calls that wait; a further call is rejected at once.
        max_wait: Longest wait in seconds; a call that would wait longer is rejected. None means no
            limit.
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
        """Return the new state and the seconds to wait; None if the call starts now.

        `ahead` calls already wait for their turn.
        """
        interval = 1 / self.rate
        drained = now if full_at is None else max(full_at, now)
        wait = drained - now - (self.burst - 1 - ahead) * interval
        if wait > TOLERANCE or ahead:
            return full_at, max(0.0, wait)
        return drained + interval, None
