"""A sliding window that counts calls and failures, divided into buckets."""

from typing import Final, NamedTuple

BUCKETS: Final = 10
"""Number of buckets of a window. A call is forgotten with its whole bucket, so up to a tenth of the
window late."""


class Bucket(NamedTuple):
    """The calls of one tenth of the window.

    Attributes:
        number: The number of the bucket, counted from the zero of the clock.
        calls: The number of calls that ended in it.
        failures: The number of those that failed.
    """

    number: int
    calls: int
    failures: int


class Window(NamedTuple):
    """At most `BUCKETS` buckets, oldest first; none of them is empty.

    Example:
        >>> window = Window().record(False, now=0.0, span=10.0).record(True, now=9.5, span=10.0)
        >>> window.sums(), window.record(False, now=10.5, span=10.0).sums()
        ((2, 1), (2, 1))
    """

    buckets: tuple[Bucket, ...] = ()

    def record(self, failed: bool, *, now: float, span: float, calls: int = 1) -> "Window":
        """Count calls with the same outcome, and forget old ones.

        Args:
            failed: Whether the calls failed.
            now: When they ended, in seconds on a clock that never goes back.
            span: The length of the window, in seconds.
            calls: The number of calls.
        """
        number = _bucket_number(now, span)
        buckets = self.buckets
        if buckets and buckets[-1].number >= number:
            last = buckets[-1]
            counted = Bucket(last.number, last.calls + calls, last.failures + calls * failed)
            return Window((*buckets[:-1], counted))
        kept = tuple(bucket for bucket in buckets if bucket.number > number - BUCKETS)
        return Window((*kept, Bucket(number, calls, calls * failed)))

    def sums(self) -> tuple[int, int]:
        """The number of calls and of failures, as of the latest call."""
        calls = failures = 0
        for bucket in self.buckets:
            calls += bucket.calls
            failures += bucket.failures
        return calls, failures


def bucket_end(now: float, span: float) -> float:
    """Return the end of the bucket that contains `now`, on the same clock.

    Example:
        >>> bucket_end(29.9, span=30.0), bucket_end(30.0, span=30.0)
        (30.0, 33.0)
    """
    return (_bucket_number(now, span) + 1) * span / BUCKETS


def _bucket_number(now: float, span: float) -> int:
    return int(now * BUCKETS // span)
