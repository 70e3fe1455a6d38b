"""A limit on concurrent calls, with a bounded queue."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from railhttp.model.validation import require_number, require_positive_int

Admission: TypeAlias = Literal["inside", "queue", "none"]
"""Whether a new call runs at once, waits at the end of the queue, or is rejected."""


@dataclass(frozen=True, slots=True)
class BulkheadRule:
    """Limits how many calls run at once; further calls wait in a queue, first in, first out.

    Args:
        limit: Largest number of calls that run at once.
        max_queue: Largest number of calls that wait; a further call is rejected at once. The queue
            is bounded because under lasting overload an unbounded one only adds latency.
        max_wait: Seconds after which a waiting call is rejected; None means no limit.

    Raises:
        HTTPValidationError: A number is out of range.

    Example:
        >>> rule = BulkheadRule(limit=2, max_queue=2)
        >>> rule.place(1, 0), rule.place(2, 0), rule.place(1, 1), rule.place(2, 2)
        ('inside', 'queue', 'queue', 'none')
    """

    limit: int
    max_queue: int = 100
    max_wait: float | None = None

    def __post_init__(self) -> None:
        require_positive_int(self.limit, "limit")
        require_number(self.max_queue, "max_queue")
        require_number(self.max_wait or 0.0, "max_wait")

    def place(self, running: int, waiting: int) -> Admission:
        """Decide about the next call.

        Args:
            running: Number of calls that run.
            waiting: Number of calls that wait; a new call must not overtake them.
        """
        if running < self.limit and not waiting:
            return "inside"
        return "queue" if waiting < self.max_queue else "none"
