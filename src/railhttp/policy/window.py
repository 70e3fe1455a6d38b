"""A sliding window that counts calls and failures, divided into buckets."""

from typing import Final, NamedTuple

BUCKETS: Final = 10
"""Number of buckets of a window. A call is forgotten with its whole bucket, so up to a tenth of the
window late."""


class Bucket(NamedTuple):
    """The calls that ended in one tenth of the window; `number` counts from the clock's zero."""

    number: int
    calls: int
    failures: int


class Window(NamedTuple):
    """At most `BUCKETS` buckets, oldest first, without empty ones."""

    buckets: tuple[Bucket, ...] = ()

    def record(self, failed: bool, *, now: float, span: float, calls: int = 1) -> "Window":
        """Count calls that ended `now` with the same outcome; forget those older than `span`."""
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
        calls = sum(bucket.calls for bucket in self.buckets)
        return calls, sum(bucket.failures for bucket in self.buckets)


def bucket_end(now: float, span: float) -> float:
    """Return the end of the bucket that contains `now`, on the same clock."""
    return (_bucket_number(now, span) + 1) * span / BUCKETS


def _bucket_number(now: float, span: float) -> int:
    return int(now * BUCKETS // span)
