"""Fixtures that several tests of this room use."""

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
