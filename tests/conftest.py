"""The servers on which the socket tests run. Each test has its own; TLS contexts are shared."""

import signal
from collections.abc import AsyncIterator

import pytest
from tests.loops import LoopFactory, usual_loop
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts, make_contexts

# A shell that runs the tests in the background ignores Ctrl-C, and so would the programs that the
# tests start and interrupt (tests/cli/test_command.py::test_ctrl_c_is_130).
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories() -> dict[str, LoopFactory]:
    """Give the event loop of all tests: that of the environment, see the Makefile."""
    return usual_loop()


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
