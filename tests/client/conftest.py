"""The client on which these tests run, where they need no other."""

from collections.abc import AsyncIterator

import pytest

from railhttp import HTTPClient, HTTPClientConfig


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(HTTPClientConfig(timeout=60.0, trust_env=False)) as client:
        yield client
