"""How many calls may run at once, and how many may wait for their turn."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from railhttp.model.validation import require_number, require_positive_int

Admission: TypeAlias = Literal["inside", "queue", "none"]
"""Where a call that arrives goes: straight in, to the end of the queue, or away."""


@dataclass(frozen=True, slots=True)
class BulkheadRule:
    """A limit, and a bounded queue before it.

    Args:
        limit: How many calls may run at once.
        max_queue: How many more may wait.
        max_wait: The longest that one may wait, in seconds; None for as long as it takes.

    Raises:
        HTTPValidationError: A number is out of its bounds.

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
        """Where the next call goes.

        Args:
            running: How many calls run.
            waiting: How many wait; whoever comes later goes behind them.
        """
        if running < self.limit and not waiting:
            return "inside"
        return "queue" if waiting < self.max_queue else "none"
