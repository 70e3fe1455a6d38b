"""The servers on which the socket tests run. Each test has its own; TLS contexts are shared."""

from collections.abc import AsyncIterator

import pytest
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts, make_contexts


@pytest.fixture
async def faults() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    async with EchoServer() as server:
        yield server


@pytest.fixture
async def proxy() -> AsyncIterator[ProxyServer]:
    async with ProxyServer() as server:
        yield server


@pytest.fixture(scope="session")
def tls() -> TlsContexts:
    return make_contexts()
