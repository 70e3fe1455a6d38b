"""How much retrying a host is worth: a token bucket that retries drain and successes fill."""

from dataclasses import dataclass

from railhttp.model.errors import HTTPFailure, HTTPStatusError
from railhttp.model.validation import require, require_number


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What a retry costs, so that a host that is down is not buried under retries.

    The figures are those of the AWS SDKs' standard retry mode. A bucket's state is its number of
    tokens; None stands for a full one, so a healthy host takes no memory.

    Args:
        capacity: How many tokens a full bucket holds.
        transport_cost: Tokens for a retry after a failure.
        throttle_cost: Tokens for a retry after the server asked for fewer requests (429).
        credit: Tokens that a success at the first attempt brings.

    Raises:
        HTTPValidationError: A figure is negative, or no retry could ever be paid for.

    Example:
        >>> budget = RetryBudget(capacity=30)
        >>> budget.charge(None, 14, 0.0), budget.charge(2, 14, 0.0), budget.repay(16, 14, 0.0)
        ((16, True), (2, False), (None, None))
    """

    capacity: int = 500
    transport_cost: int = 14
    throttle_cost: int = 5
    credit: int = 1

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_number(getattr(self, name), name)
        dearest = max(self.transport_cost, self.throttle_cost)
        require(dearest <= self.capacity, f"must be at least a retry's cost, {dearest}", "capacity")

    def cost(self, failure: HTTPFailure) -> int:
        """Tokens for a retry after `failure`."""
        return self.throttle_cost if is_throttled(failure) else self.transport_cost

    def charge(self, tokens: int | None, cost: int, now: float) -> tuple[int | None, bool]:
        """Take tokens for a retry, where there are enough.

        Args:
            tokens: What the bucket holds, None where it is full.
            cost: What the retry costs.
            now: Plays no part; buckets are not filled by time.

        Returns:
            What the bucket holds then, and whether the retry may be made.
        """
        held = self.capacity if tokens is None else tokens
        return (held - cost, True) if cost <= held else (held, False)

    def repay(self, tokens: int | None, amount: int, now: float) -> tuple[int | None, None]:
        """Give tokens back: a retry's cost when it succeeded, else a success's credit.

        Args:
            tokens: What the bucket holds, None where it is full.
            amount: How many come back.
            now: Plays no part.

        Returns:
            What the bucket holds then, never more than its capacity; and nothing to tell.
        """
        held = self.capacity if tokens is None else tokens + amount
        return (held if held < self.capacity else None), None


def is_throttled(failure: HTTPFailure) -> bool:
    """Whether the server asked for fewer requests (429, RFC 6585, section 4).

    Example:
        >>> from railhttp.model.response import HttpResponse
        >>> is_throttled(HTTPStatusError(HttpResponse(429)))
        True
    """
    return isinstance(failure, HTTPStatusError) and failure.status == 429
