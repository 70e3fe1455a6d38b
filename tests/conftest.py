"""The servers on which the socket tests run. Each test has its own; TLS contexts are shared."""

import gc
import signal
import time
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Final

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


UNTRACED: Final = (
    "properties/",
    *("tests/benchmarks/", "tests/docs/", "tests/examples/", "tests/soak/", "tests/typing/"),
    *("tests/cli/test_misbehaviours.py", "tests/client/test_turns.py"),
    *("tests/integrations/redis/test_processes.py", "tests/integrations/test_openapi_import.py"),
    *("tests/testing/explore/test_reduction.py", "tests/testing/test_leftovers.py"),
    "tests/testing/test_strategies.py",
)
"""Tests that run without coverage: they take long, and other tests reach the same statements.

Under coverage a test takes twice to three times the CPU time. `tests.mutants` traces all of them,
as it needs the tests that reach a line.
"""
SUBPROCESSES: Final = "COVERAGE_PROCESS_CONFIG"
"""The variable with which coverage reaches the processes that a test starts."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests of `UNTRACED` out of a measurement that does not tell tests apart."""
    if config.getoption("cov_source", None) and not config.getoption("cov_context"):
        for item in items:
            if item.nodeid.startswith(UNTRACED):
                item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Keep what was collected away from the garbage collector: it lives to the end anyway."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test without coverage start processes without it."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover"):
            patch.delenv(SUBPROCESSES, raising=False)
        return (yield)


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


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the local time differ from UTC."""
    monkeypatch.setenv("TZ", "UTC+11")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
