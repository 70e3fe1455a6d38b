"""A pytest plugin that runs only the tests listed in a file.

Tests named on the command line would not do: a mutant may change the parameters in their names,
and pytest refuses a name that it does not find.
"""

import os
from pathlib import Path

import pytest

LIST = "MUTANT_TESTS"
"""The variable with the path of the list; without it all tests run."""
RUNNING = "MUTANT_RUNNING"
"""The variable with the path of the file that names the test that runs."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if LIST not in os.environ:
        return
    listed = set(Path(os.environ[LIST]).read_text().splitlines())
    left_out = [item for item in items if item.nodeid not in listed]
    items[:] = [item for item in items if item.nodeid in listed]
    config.hook.pytest_deselected(items=left_out)


def pytest_runtest_logstart(nodeid: str) -> None:
    Path(os.environ[RUNNING]).write_text(nodeid)
