"""A pytest plugin: one process loads all tests once, and a fork of it tries each mutant.

A fork takes milliseconds, and to load all tests takes ten seconds.
"""

import gc
import json
import mmap
import os
import resource
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, TypedDict

import pytest
from tests.mutants.exchange import Functions, exchange, functions

SOCKET: Final = "MUTANT_SOCKET"
"""The variable with the number of the socket on which trials are ordered."""
MEMORY: Final = 8 << 30
"""Bytes of address space for a mutant: one that appends for ever must not end other processes."""
HANG: Final = 120
"""Seconds after which pytest stops a test, several times as long as the slowest test takes."""
PASSED, FAILED, NOT_EXCHANGED = 0, 1, 77


class Order(TypedDict):
    """Tests to run against a mutant, or without one if `mutated` is None."""

    tests: Sequence[str]
    path: str
    source: str
    mutated: str | None


class Outcome(TypedDict):
    """How the tests of an order ended."""

    exchanged: bool
    failed: str | None
    """The test that failed, hung or ended its process."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Serve orders until the socket is closed."""
    known = functions(str(session.config.rootpath / "src"))
    items = {item.nodeid: item for item in session.items}
    gc.freeze()
    with socket.socket(fileno=int(os.environ[SOCKET])) as connection:
        connection.set_inheritable(False)
        connection.sendall(b"\n")  # from now on the files may change
        for line in connection.makefile("rb"):
            outcome = _tried(session, items, known, json.loads(line))
            connection.sendall(json.dumps(outcome).encode() + b"\n")
    return True


def _tried(
    session: pytest.Session, items: Mapping[str, pytest.Item], known: Functions, order: Order
) -> Outcome:
    chosen = [items[test] for test in order["tests"] if test in items]
    with mmap.mmap(-1, 4) as running:
        process = os.fork()
        if process == 0:
            _run(session, chosen, known, order, running)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        with suppress(ProcessLookupError):  # what a test has started, and could not end
            os.killpg(process, signal.SIGKILL)
        at = int.from_bytes(running[:4], "big")
    failed = chosen[at].nodeid if chosen and code not in {PASSED, NOT_EXCHANGED} else None
    return Outcome(exchanged=code != NOT_EXCHANGED, failed=failed)


def _run(
    session: pytest.Session,
    chosen: Sequence[pytest.Item],
    known: Functions,
    order: Order,
    running: mmap.mmap,
) -> None:
    code = NOT_EXCHANGED
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        _end_later()
        file = str(session.config.rootpath / order["path"])
        if order["mutated"] is not None and not exchange(
            known, file, order["source"], order["mutated"]
        ):
            return
        code = FAILED
        for number, item in enumerate(chosen):
            running[:4] = number.to_bytes(4, "big")
            _end_later()
            following = chosen[number + 1] if number + 1 < len(chosen) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return
        code = PASSED
    finally:
        os._exit(code)


def _end_later() -> None:
    """Let the kernel end this process, unless it is called again before.

    The limit of pytest needs a thread, and no thread runs beside C code that keeps the GIL, such as
    `re` at a pattern that backtracks for ever.
    """
    signal.alarm(2 * HANG)
