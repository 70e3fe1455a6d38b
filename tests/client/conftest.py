"""The client on which these tests run, where they need no other."""

from collections.abc import AsyncIterator

import pytest

from railhttp import HTTPClient, HTTPClientConfig


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(HTTPClientConfig(timeout=60.0, trust_env=False)) as client:
        yield client


@pytest.fixture
def patient_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a download that fails wait for its disk, however late the threads get the CPU.

    That a download leaves a busy disk to its thread is proved in test_download_disk.py.
    """
    monkeypatch.setattr("railhttp.client.disk._THREADS.grace", 60.0)
