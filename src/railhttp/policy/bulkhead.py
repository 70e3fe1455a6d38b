"""A limit on concurrent calls, with a bounded queue."""

from dataclasses import dataclass
from typing import Literal

from railhttp.model.validation import require_number, require_positive_int


@dataclass(frozen=True, slots=True)
class BulkheadRule:
    """Limits how many calls run at once; further calls wait in a queue, first in, first out.

    Args:
        limit: Largest number of calls that run at once.
        max_queue: Largest number of calls that wait; a further call is rejected at once. The queue
            is bounded because under lasting overload an unbounded one only adds latency.
        max_wait: Seconds after which a waiting call is rejected; None means no limit.
    """

    limit: int
    max_queue: int = 100
    max_wait: float | None = None

    def __post_init__(self) -> None:
        require_positive_int(self.limit, "limit")
        require_number(self.max_queue, "max_queue")
        require_number(self.max_wait or 0.0, "max_wait")

    def place(self, running: int, waiting: int) -> Literal["inside", "queue", "none"]:
        """Decide whether a new call runs at once, waits after the others, or is rejected."""
        if running < self.limit and not waiting:
            return "inside"
        return "queue" if waiting < self.max_queue else "none"
