"""The reference pages name every failure, kind, phase, setting and option."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Final, get_args

import pytest

from railhttp import ConnectionPoolConfig, HTTPClientConfig, HTTPFailure, RequestOptions
from railhttp.model.errors import ConnectionKind, TimeoutPhase

DOCS: Final = Path(__file__).parents[2] / "docs"


def section(page: str, heading: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    match = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"{page} has no section {heading}"
    return match[1]


def rows(page: str, heading: str) -> list[str]:
    """The names in the first column of the table of a section."""
    return re.findall(r"^\| `(\w+)` \|", section(page, heading), re.MULTILINE)


@pytest.mark.parametrize("failure", get_args(HTTPFailure))
def test_every_failure_has_a_section(failure: type[Exception]) -> None:
    assert section("failures.md", failure.__name__).strip()


def test_every_kind_of_a_connection_failure_has_a_row() -> None:
    assert rows("failures.md", "HTTPConnectionError") == [*get_args(ConnectionKind)]


def test_every_phase_of_a_timeout_has_a_row() -> None:
    assert rows("failures.md", "HTTPTimeoutError") == [*get_args(TimeoutPhase)]


@pytest.mark.parametrize("config", [HTTPClientConfig, ConnectionPoolConfig])
def test_every_setting_has_a_row(config: type[HTTPClientConfig | ConnectionPoolConfig]) -> None:
    assert {*rows("configuration.md", config.__name__)} == {one.name for one in fields(config)}


def test_every_option_of_a_call_has_a_row() -> None:
    options = RequestOptions.__annotations__
    assert {*rows("configuration.md", "Options of a call")} == options.keys()
