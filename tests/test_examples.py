"""Random examples are the same on each run, and no verdict on them depends on a busy machine."""

from hypothesis import HealthCheck, settings


def test_examples_are_the_same_each_time_and_may_be_slow() -> None:
    """In a file that is run alone too; `make properties` searches anew."""
    used = settings()
    assert (used.derandomize, used.database, used.deadline) == (True, None, None)
    assert HealthCheck.too_slow in used.suppress_health_check
