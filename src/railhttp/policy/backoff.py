"""The wait before the next attempt."""

from dataclasses import dataclass
from math import ldexp
from typing import Final

from railhttp.model.validation import require_flag, require_number

_DOUBLINGS: Final = 2100  # doubled so often, the smallest float exceeds the largest


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential growth with full jitter: `U(0, 1) · min(base · 2^(n-1), maximum)`.

    Full jitter spreads the clients of a recovering server over the whole interval (AWS Architecture
    Blog, "Exponential Backoff And Jitter"). The defaults are those of botocore's standard mode.

    Without `jitter`, every wait is as long as its bound. Times are in seconds.
    """

    base: float = 0.05
    maximum: float = 20.0
    jitter: bool = True

    def __post_init__(self) -> None:
        require_number(self.base, "base_delay")
        require_number(self.maximum, "max_delay")
        require_flag(self.jitter, "jitter")

    def bound(self, number: int) -> float:
        """Upper bound of the wait before retry `number`, counted from 1, in seconds."""
        try:
            return min(ldexp(self.base, number - 1), self.maximum)
        except OverflowError:
            return self.maximum

    def longest(self, retries: int) -> float:
        """Upper bound of the sum of the first `retries` waits, in seconds."""
        growing = min(retries, _DOUBLINGS)
        bounds = sum(self.bound(number) for number in range(1, growing + 1))
        return bounds + (retries - growing) * self.bound(_DOUBLINGS)

    def delay(self, number: int, chance: float) -> float:
        """The wait before retry `number`, in seconds; `chance` is a random number from 0 to 1."""
        return self.bound(number) * chance if self.jitter else self.bound(number)
