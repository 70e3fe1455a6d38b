"""The strategies make the hard cases often enough for the properties to be about something."""

from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from properties import strategies as some
from returns.pipeline import is_successful

from railhttp.validation import check_headers


def share(strategy: st.SearchStrategy[object], holds: Callable[[object], bool]) -> float:
    """Return the share of 300 values for which a condition holds."""
    found: list[bool] = []

    @settings(
        max_examples=300,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: object) -> None:
        found.append(holds(value))

    draw()
    return sum(found) / len(found)


def is_accepted(headers: object) -> bool:
    return isinstance(headers, Mapping) and bool(headers) and is_successful(check_headers(headers))


def test_header_fields_are_often_accepted_and_often_refused() -> None:
    assert 0.2 < share(some.any_headers, is_accepted) < 0.8
