"""A pytest plugin that writes down which test runs, also for a test that ends its process."""

import os
from pathlib import Path

RUNNING = "MUTANT_RUNNING"
"""The variable with the path of the file that names the test."""


def pytest_runtest_logstart(nodeid: str) -> None:
    Path(os.environ[RUNNING]).write_text(nodeid)
