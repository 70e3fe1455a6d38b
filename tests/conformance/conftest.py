"""The worlds as fixtures: every test of the suite runs once in each."""

import pytest
from tests.conformance.worlds import WAYS, WIRES, World
from tests.servers.tls import TlsContexts


@pytest.fixture(params=WAYS)
def world(request: pytest.FixtureRequest, tls: TlsContexts) -> World:
    """Every exchange, by every way that it can take."""
    return World(request.param, tls)


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest, tls: TlsContexts) -> World:
    """Every way that has connections, and a cookie jar."""
    return World(request.param, tls)
