"""Nested deadlines only shrink: the pure part of invariant 23."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from railhttp.policy.deadline import NEVER, Deadline, nearer

TIMES = st.floats(0, 1e9)
LIMITS = st.lists(st.none() | st.floats(0, 1e6), max_size=6)


@given(TIMES, LIMITS)
def test_nested_deadlines_only_shrink(now: float, limits: list[float | None]) -> None:
    deadline = NEVER
    for limit in limits:
        nested = deadline if limit is None else Deadline(nearer(deadline.at, now + limit))
        assert nested.remaining(now) <= deadline.remaining(now)
        assert limit is None or nested.at is not None
        deadline = nested
    given_limits = [limit for limit in limits if limit is not None]
    assert deadline.at == (now + min(given_limits) if given_limits else None)


@given(TIMES, TIMES)
def test_remaining_time_is_never_negative(at: float, now: float) -> None:
    assert Deadline(at).remaining(now) == max(0.0, at - now)
    assert NEVER.remaining(now) == inf


@given(TIMES, st.floats(0, 1e6), TIMES)
def test_nothing_begins_at_or_after_the_deadline(at: float, delay: float, now: float) -> None:
    assert Deadline(at).allows(delay, now) == (now + delay < at)
    assert NEVER.allows(delay, now)
