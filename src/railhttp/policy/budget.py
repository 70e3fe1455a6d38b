"""The retry budget of a host: a token bucket that retries drain and successes fill."""

from dataclasses import dataclass

from railhttp.model.errors import HTTPFailure, HTTPStatusError
from railhttp.model.validation import require, require_number


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Limits the retries to one host, so that retries do not keep an overloaded host down.

    The defaults are those of the AWS SDKs' standard retry mode. The state of a bucket is its number
    of tokens; None means full, so a healthy host takes no memory. Time does not fill the bucket.

    Args:
        capacity: Tokens in a full bucket; 500 pay for 35 retries after connection failures.
        transport_cost: Tokens for a retry after a failure.
        throttle_cost: Tokens for a retry after a 429; it is lower, because the host still works.
        credit: Tokens that a success in the first attempt adds.

    Raises:
        HTTPValidationError: A number is negative, or a retry costs more than the capacity.

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
        message = f"must be at least the cost of a retry, {dearest}"
        require(dearest <= self.capacity, message, "capacity")

    def cost(self, failure: HTTPFailure) -> int:
        """Tokens for a retry after `failure`."""
        return self.throttle_cost if is_throttled(failure) else self.transport_cost

    def charge(self, tokens: int | None, cost: int, now: float) -> tuple[int | None, bool]:
        """Take the tokens for a retry; return the new state, and whether it had enough."""
        held = self.capacity if tokens is None else tokens
        return (held - cost, True) if cost <= held else (held, False)

    def repay(self, tokens: int | None, amount: int, now: float) -> tuple[int | None, None]:
        """Add tokens: the cost of a retry that succeeded, or the credit of a first success."""
        held = self.capacity if tokens is None else tokens + amount
        return (held if held < self.capacity else None), None


def is_throttled(failure: HTTPFailure) -> bool:
    """Whether the server asked for fewer requests: status 429 (RFC 6585, section 4)."""
    return isinstance(failure, HTTPStatusError) and failure.status == 429
