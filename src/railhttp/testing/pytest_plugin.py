"""Fixtures for pytest: `pytest_plugins = ["railhttp.testing.pytest_plugin"]` in a `conftest.py`.

The plugin is not loaded automatically, so projects that do not use it pay nothing.
"""

from collections.abc import Iterator

import pytest

from railhttp.client.http_client import HTTPClient
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.testing.explore.kept import Explorer, file_of


@pytest.fixture
def http_script() -> Iterator[ScriptedTransport]:
    """A script for one test, which fails at its end if a request had no route."""
    script = ScriptedTransport()
    yield script
    if script.misses:
        pytest.fail("; ".join(script.misses))


@pytest.fixture
def http_client(http_script: ScriptedTransport) -> HTTPClient:
    """A client that plays `http_script`; `async with http_client:` starts it."""
    return HTTPClient(exchange=http_script)


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that the test moves by hand."""
    return ManualClock()


@pytest.fixture
def explorer(request: pytest.FixtureRequest) -> Explorer:
    """`explore`, which keeps the smallest bad schedules in `.railhttp/schedules`."""
    folder = request.config.rootpath / ".railhttp" / "schedules"
    return Explorer(folder / file_of(request.node.nodeid))
