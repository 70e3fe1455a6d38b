"""The worlds as fixtures: every test of the suite runs once in each, on asyncio and on uvloop."""

import pytest
from tests.conformance.worlds import WAYS, WIRES, World
from tests.loops import LOOPS, LoopFactory
from tests.servers.tls import TlsContexts


def pytest_asyncio_loop_factories() -> dict[str, LoopFactory]:
    """Return the event loops; see pytest-asyncio."""
    return dict(LOOPS)


@pytest.fixture(params=WAYS)
def world(request: pytest.FixtureRequest, tls: TlsContexts) -> World:
    """Every exchange, by every way that a request can travel."""
    return World(request.param, tls)


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest, tls: TlsContexts) -> World:
    """Every way that uses connections and a cookie jar."""
    return World(request.param, tls)
