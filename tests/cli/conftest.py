"""The command, for all tests of a session."""

from collections.abc import Iterator

import pytest
from tests.cli.processes import Forks, forks


@pytest.fixture(scope="session")
def command() -> Iterator[Forks]:
    """The process that forks for each call."""
    with forks() as running:
        yield running
