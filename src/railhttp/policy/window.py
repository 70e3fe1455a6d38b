"""Counts of the last seconds' calls, in steps of a tenth of them."""

from typing import Final, NamedTuple

BUCKETS: Final = 10
"""Into how many steps a window is divided; a call is forgotten step by step, not on the dot."""


class Bucket(NamedTuple):
    """The calls of one step.

    Attributes:
        number: Which step, counted from the clock's zero.
        calls: How many calls ended in it.
        failures: How many of them failed.
    """

    number: int
    calls: int
    failures: int


class Window(NamedTuple):
    """The calls of the last steps, oldest first; at most `BUCKETS` of them, none empty.

    Example:
        >>> window = Window().record(False, now=0.0, span=10.0).record(True, now=9.5, span=10.0)
        >>> window.sums(), window.record(False, now=10.5, span=10.0).sums()
        ((2, 1), (2, 1))
    """

    steps: tuple[Bucket, ...] = ()

    def record(self, failed: bool, *, now: float, span: float, calls: int = 1) -> "Window":
        """Count calls that ended alike, and forget those that are too old.

        Args:
            failed: Whether they failed.
            now: When they ended, on a clock that never goes back.
            span: The window's length, in seconds.
            calls: How many they are.
        """
        number = _bucket_number(now, span)
        steps = self.steps
        if steps and steps[-1].number >= number:
            last = steps[-1]
            counted = Bucket(last.number, last.calls + calls, last.failures + calls * failed)
            return Window((*steps[:-1], counted))
        kept = tuple(step for step in steps if step.number > number - BUCKETS)
        return Window((*kept, Bucket(number, calls, calls * failed)))

    def sums(self) -> tuple[int, int]:
        """How many calls, and how many of them failed, as of the latest one."""
        calls = failures = 0
        for step in self.steps:
            calls += step.calls
            failures += step.failures
        return calls, failures


def bucket_end(now: float, span: float) -> float:
    """When the step ends in which a time lies, on the same clock.

    Example:
        >>> bucket_end(29.9, span=30.0), bucket_end(30.0, span=30.0)
        (30.0, 33.0)
    """
    return (_bucket_number(now, span) + 1) * span / BUCKETS


def _bucket_number(now: float, span: float) -> int:
    return int(now * BUCKETS // span)
