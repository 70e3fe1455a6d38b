"""Delays lie within the bounds of the formula and are finite (invariant 2)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import backoffs, chances

from railhttp.policy.backoff import Backoff


@given(backoffs, st.integers(1, 60), chances)
def test_a_delay_lies_between_zero_and_its_bound(
    backoff: Backoff, number: int, chance: float
) -> None:
    exact = min(Fraction(backoff.base) * 2 ** (number - 1), Fraction(backoff.maximum))
    assert backoff.bound(number) == float(exact)
    assert 0 <= backoff.delay(number, chance) <= exact


@given(backoffs, st.integers(1, 10**6), chances)
def test_a_delay_is_finite_at_any_attempt(backoff: Backoff, number: int, chance: float) -> None:
    assert 0 <= backoff.delay(number, chance) <= backoff.maximum


@given(backoffs, st.integers(1, 2000))
def test_the_bound_of_a_delay_never_shrinks(backoff: Backoff, number: int) -> None:
    assert backoff.bound(number) <= backoff.bound(number + 1)


@given(backoffs, st.integers(0, 5000))
def test_the_longest_total_delay_is_the_sum_of_the_bounds(backoff: Backoff, retries: int) -> None:
    bounds = [backoff.bound(number) for number in range(1, retries + 1)]
    assert backoff.longest(retries) == pytest.approx(sum(bounds))


@given(backoffs.filter(lambda backoff: not backoff.jitter), st.integers(1, 2000), chances)
def test_without_jitter_a_delay_is_its_bound(backoff: Backoff, number: int, chance: float) -> None:
    assert backoff.delay(number, chance) == backoff.bound(number)
