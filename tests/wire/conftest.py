"""What several tests of this room need."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the local time differ from UTC."""
    monkeypatch.setenv("TZ", "UTC+11")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
