"""The strategies make the hard cases often enough for the properties to be about something."""

import re
from collections.abc import Callable, Mapping

import pytest
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


def some_of(pattern: str) -> Callable[[object], bool]:
    return lambda text: isinstance(text, str) and re.search(pattern, text) is not None


@pytest.mark.parametrize(
    ("strategy", "pattern"),
    [
        (some.hosts, "[A-Z]"),
        (some.hosts, r"\.$"),
        (some.hosts, "_"),
        (some.hosts, "[a-z]{40}"),
        (some.hosts, "(?i)xn--"),
        (some.hosts, r"[^\x00-\x7f]"),
        (some.hosts, r"^[0-9.]+$"),
        (some.hosts, ":"),
        (some.urls(), "://[^/?#]*@"),
        (some.urls(), "://[^/?#]*[A-Z]"),
        (some.urls(), "(?i)^http://[^/?#]*:80/|^https://[^/?#]*:443/"),
        (some.urls(), r"://[^/?#]*[a-z]\.(:[0-9]+)?/"),
        (some.urls(), "%[0-9A-Fa-f]{2}"),
        (some.urls(), r"/\.\.?(/|\?|#|$)"),
        (some.urls(), r"\?"),
        (some.urls(), "#"),
    ],
)
def test_hosts_and_urls_are_often_hard(strategy: st.SearchStrategy[object], pattern: str) -> None:
    assert share(strategy, some_of(pattern)) > 0.01


def test_names_of_header_fields_are_often_equal_but_for_case() -> None:
    def repeat(pairs: object) -> bool:
        names = [name for name, _ in pairs] if isinstance(pairs, list) else []
        return len({name.lower() for name in names}) < len(set(names))

    assert share(some.respelt_fields(), repeat) > 0.05
