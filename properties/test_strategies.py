"""The strategies make the hard cases often enough for the properties to be about something."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from properties import strategies as some
from returns.pipeline import is_successful

from railhttp.validation import check_headers

URLS: Final = some.urls()


@cache
def drawn(strategy: st.SearchStrategy[object]) -> list[object]:
    """Return 300 values, the same each time; drawing them is what costs time here."""
    found: list[object] = []

    @settings(
        max_examples=300,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: object) -> None:
        found.append(value)

    draw()
    return found


def share(strategy: st.SearchStrategy[object], holds: Callable[[object], bool]) -> float:
    """Return the share of the drawn values for which a condition holds."""
    values = drawn(strategy)
    assert len(values) >= 300
    return sum(map(holds, values)) / len(values)


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
        (URLS, "://[^/?#]*@"),
        (URLS, "://[^/?#]*[A-Z]"),
        (URLS, "(?i)^http://[^/?#]*:80/|^https://[^/?#]*:443/"),
        (URLS, r"://[^/?#]*[a-z]\.(:[0-9]+)?/"),
        (URLS, "%[0-9A-Fa-f]{2}"),
        (URLS, r"/\.\.?(/|\?|#|$)"),
        (URLS, r"\?"),
        (URLS, "#"),
    ],
)
def test_hosts_and_urls_are_often_hard(strategy: st.SearchStrategy[object], pattern: str) -> None:
    assert share(strategy, some_of(pattern)) > 0.01


def test_names_of_header_fields_are_often_equal_but_for_case() -> None:
    def repeat(pairs: object) -> bool:
        names = [name for name, _ in pairs] if isinstance(pairs, list) else []
        return len({name.lower() for name in names}) < len(set(names))

    assert share(some.respelt_fields(), repeat) > 0.05
