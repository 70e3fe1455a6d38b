"""Runs the command as a process, forked from one that has it in memory: that takes 20 ms."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from railhttp.cli import curl, diagnosing, downloading, sending, tailing
from railhttp.cli.command import main
from railhttp.transport import exchange, session
from railhttp.wire import decompressors

PATIENCE: Final = 120
HERE: Final = Path(__file__)
PRELOADED: Final = (
    *(curl, diagnosing, downloading, sending, tailing),
    *(decompressors, exchange, session),  # these import aiohttp
)
"""The modules that every fork has in memory: to import them takes a third of a second."""


class Call(TypedDict):
    """A command for a fork."""

    arguments: tuple[str, ...]
    stdin: str
    cwd: str
    variables: dict[str, str]


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str


def environment() -> dict[str, str]:
    """The environment without proxies, in which a warning is an error."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {"PYTHONWARNINGS": "error", "COLUMNS": "100"}


class Forks:
    """The process that forks; another one takes its place if it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        # The thread of a test that was cut short may still wait for its line.
        self._lock = threading.Lock()

    async def railhttp(
        self, *arguments: str, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> Ended:
        """Run the command in a fork."""
        call = Call(arguments=arguments, stdin=stdin, cwd=str(cwd or ""), variables=variables)
        return await asyncio.to_thread(self._run, call)

    def _run(self, call: Call) -> Ended:
        with self._lock:
            process = self._alive()
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(call), file=process.stdin, flush=True)
            return Ended(**json.loads(process.stdout.readline()))

    def _alive(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, str(HERE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
                text=True,
            )
        return self._process

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def forks() -> Iterator[Forks]:
    """Start the process that forks with the first call."""
    running = Forks()
    try:
        yield running
    finally:
        running.close()


def serve() -> None:
    """Fork for each line of stdin, and print how the fork ended."""
    for line in sys.stdin:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            call: Call = json.loads(line)
            files[0].write(call["stdin"].encode())
            files[0].seek(0)
            child = os.fork()
            if child == 0:
                play(call, [file.fileno() for file in files])
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            for file in files:
                file.seek(0)
            _, out, err = (file.read().decode(errors="replace") for file in files)
            print(json.dumps({"code": code, "stdout": out, "stderr": err}), flush=True)


def play(call: Call, descriptors: list[int]) -> None:
    """Run the command in this process, which is a fork, and end it."""
    signal.alarm(PATIENCE)  # no test waits for ever
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.update(call["variables"])
    os.chdir(call["cwd"] or ".")
    code = 1
    try:
        code = main(call["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
