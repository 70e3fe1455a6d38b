"""The retry budget of a host: a token bucket that retries drain and successes fill."""

from dataclasses import dataclass
from typing import NamedTuple

from railhttp.model.errors import HTTPFailure, HTTPStatusError
from railhttp.model.validation import require, require_number


class Tokens(NamedTuple):
    """The tokens in a bucket at a time, in seconds on a clock that never goes back."""

    held: float
    at: float


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Limits the retries to one host, so that retries do not keep an overloaded host down.

    The defaults are those of the AWS SDKs' standard retry mode. But time fills the bucket too: an
    outage of yesterday must not forbid a retry today. A full bucket has no state, so a healthy host
    takes no memory.

    Args:
        capacity: Tokens in a full bucket; 500 pay for 35 retries after connection failures.
        transport_cost: Tokens for a retry after a failure.
        throttle_cost: Tokens for a retry after a 429; it is lower, because the host still works.
        credit: Tokens that a success in the first attempt adds.
        refill: Tokens that each second adds.

    Raises:
        HTTPValidationError: A number is negative, or a retry costs more than the capacity.

    Example:
        >>> budget = RetryBudget(capacity=30)
        >>> budget.charge(None, 14, now=0.0)
        (Tokens(held=16, at=0.0), True)
        >>> budget.charge(Tokens(held=4, at=0.0), 14, now=5.0)
        (Tokens(held=9.0, at=5.0), False)
    """

    capacity: int = 500
    transport_cost: int = 14
    throttle_cost: int = 5
    credit: int = 1
    refill: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_number(getattr(self, name), name)
        dearest = max(self.transport_cost, self.throttle_cost)
        message = f"must be at least the cost of a retry, {dearest}"
        require(dearest <= self.capacity, message, "capacity")

    def cost(self, failure: HTTPFailure) -> int:
        """Tokens for a retry after `failure`."""
        return self.throttle_cost if is_throttled(failure) else self.transport_cost

    def charge(self, tokens: Tokens | None, cost: int, now: float) -> tuple[Tokens | None, bool]:
        """Take the tokens for a retry; return the new state, and whether it had enough."""
        held = self._held(tokens, now)
        paid = cost <= held
        return self._state(held - cost if paid else held, now), paid

    def repay(self, tokens: Tokens | None, amount: int, now: float) -> tuple[Tokens | None, None]:
        """Add tokens: the cost of a retry that succeeded, or the credit of a first success."""
        return self._state(self._held(tokens, now) + amount, now), None

    def _held(self, tokens: Tokens | None, now: float) -> float:
        if tokens is None:
            return self.capacity
        return min(self.capacity, tokens.held + max(0.0, now - tokens.at) * self.refill)

    def _state(self, held: float, now: float) -> Tokens | None:
        return Tokens(held, now) if held < self.capacity else None


def is_throttled(failure: HTTPFailure) -> bool:
    """Whether the server asked for fewer requests: status 429 (RFC 6585, section 4)."""
    return isinstance(failure, HTTPStatusError) and failure.status == 429
