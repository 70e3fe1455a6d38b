"""Runs tests against mutants, in copies of the repository."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from compileall import compile_dir
from contextlib import AsyncExitStack, suppress
from enum import Enum
from pathlib import Path
from py_compile import PycInvalidationMode
from types import TracebackType
from typing import IO, Final, Self

from tests.mutants.forks import HANG, SOCKET, Order, Outcome
from tests.mutants.mutations import Mutant
from tests.mutants.reach import Reach, combine, near_and_far, room_of
from tests.mutants.running import RUNNING

ASIDE: Final = tuple(
    f"tests/{name}"
    for name in ("benchmarks/", "docs/", "mutants/", "packaging/", "soak/", "typing/", "test_api_")
)
"""Tests of other things than the behaviour of the package."""


class Verdict(Enum):
    """The outcome of the tests of a mutant."""

    KILLED = "failed a test"
    SURVIVED = "survived"


class Trials:
    """Tries mutants, several at once. A context manager: at its end nothing is left of them.

    Which tests reach a line is measured once by running all of them with coverage. The
    measurement is kept in `.mutants/` for as long as the sources do not change.
    """

    def __init__(self, root: Path, jobs: int) -> None:
        self._root = root
        self._jobs = jobs
        self._benches: list[_Bench] = []
        self._cleaning = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._cleaning.aclose()

    async def prepare(self) -> None:
        """Copy the repository, and measure which tests reach which lines.

        Raises:
            SystemExit: The tests cannot be run.
        """
        names = _names(self._root)
        copies = [self._copy(names) for _ in range(self._jobs)]
        reach = await self._measured(copies[0], names)
        starting = [self._cleaning.enter_async_context(_Loaded(copy)) for copy in copies]
        for copy, loaded in zip(copies, await asyncio.gather(*starting), strict=True):
            self._benches.append(_Bench(copy, reach, loaded))

    def _copy(self, names: Sequence[str]) -> Path:
        copy = Path(self._cleaning.enter_context(tempfile.TemporaryDirectory()))
        for name in names:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._root / name, copy / name)
        # Hashes, because a mutant may have the time and the size of what it replaces.
        compile_dir(copy / "src", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        return copy

    async def _measured(self, copy: Path, names: Sequence[str]) -> Reach:
        """Measure the test files that have changed since the last time, or all of them."""
        tests = {name for name in names if Path(name).match("test_*.py")}
        sources = {name for name in names if name.startswith(("src/", "tests/", "properties/"))}
        kept = self._root / ".mutants" / _digest(self._root, sources - tests)
        kept.mkdir(parents=True, exist_ok=True)
        measured, states = kept / "coverage", kept / "tests.json"
        before = json.loads(states.read_text()) if states.exists() else {}
        now = {name: _digest(self._root, [name]) for name in tests if not name.startswith(ASIDE)}
        changed = [name for name in sorted(now) if before.get(name) != now[name]]
        if changed:
            print("measuring which tests reach which lines", flush=True)
            new = kept / "coverage.new"
            options = [
                "-n",
                str(self._jobs),
                "--dist",
                "loadfile",
                "--cov",
                "--cov-report=",
                "--cov-context=test",
            ]
            options += ["--cov-fail-under=0", *changed, *([] if before else ["src"])]
            log = kept / "measuring.txt"
            with log.open("wb") as output:
                process = await _pytest(copy, options, {"COVERAGE_FILE": str(new)}, output=output)
                code = await _ended(process)
            lines = log.read_text(errors="replace").splitlines() if code else []
            failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
            for line in failures:
                print(line)
            # Without a failure, the two processes have not agreed on what to run.
            if code not in {0, 1} or (code and not failures):
                raise SystemExit(f"the tests cannot be measured, see {log}")
            # A test that fails is no obstacle: its failure never counts against a mutant.
            combine(new, measured)
            states.write_text(json.dumps(now))
        return Reach.read(measured)

    async def judge(self, drawn: Iterable[Mutant]) -> AsyncIterator[tuple[Mutant, Verdict]]:
        """Yield each mutant with its verdict, in the order in which they are known."""
        waiting = list(reversed(list(drawn)))

        async def work(bench: _Bench, done: asyncio.Queue[tuple[Mutant, Verdict]]) -> None:
            while waiting:
                mutant = waiting.pop()
                done.put_nowait((mutant, await bench.verdict(mutant)))

        number, done = len(waiting), asyncio.Queue[tuple[Mutant, Verdict]]()
        async with asyncio.TaskGroup() as workers:
            for bench in self._benches:
                workers.create_task(work(bench, done))
            for _ in range(number):
                yield await done.get()


class _Loaded:
    """A process that has loaded all tests of a copy, and forks for each order."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            options = ["-p", "tests.mutants.forks", f"--timeout={HANG}"]
            options += [f"--basetemp={self._copy / '.tmp'}"]
            options += [f"--ignore-glob={self._copy / name}*" for name in ASIDE]
            variables = {SOCKET: str(number)}
            self._process = await _pytest(self._copy, options, variables, (number,))
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        if not await self._reader.readline():
            raise SystemExit("the tests cannot be loaded")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        await _ended(self._process, at_once=True)

    async def tried(self, order: Order) -> Outcome:
        self._writer.write(json.dumps(order).encode() + b"\n")
        outcome: Outcome = json.loads(await self._reader.readline())
        return outcome


class _Bench:
    """A copy of the repository in which one mutant after the other is tried."""

    def __init__(self, copy: Path, reach: Reach, loaded: _Loaded) -> None:
        self._copy = copy
        self._reach = reach
        self._loaded = loaded

    async def verdict(self, mutant: Mutant) -> Verdict:
        """Try the tests that reach the line; for a line that runs at import, all of its room.

        The file changes, too, for the processes that tests start.
        """
        file = self._copy / mutant.path
        source = file.read_text()
        file.write_text(mutant.mutated)
        try:
            killed = await self._killed(mutant, source)
        finally:
            file.write_text(source)
        return Verdict.KILLED if killed else Verdict.SURVIVED

    async def _killed(self, mutant: Mutant, source: str) -> bool:
        path = mutant.path
        nothing = Order(tests=[], path=path, source=source, mutated=mutant.mutated)
        exchanged = (await self._loaded.tried(nothing))["exchanged"]
        if exchanged:
            for tests in near_and_far(path, self._reach.of_line(path, mutant.line)):
                if tests and await self._killed_in_forks(mutant, source, tests):
                    return True
            if self._reach.is_whole(path, mutant.line):
                return False
        room = room_of(path)
        files = sorted((self._copy / "properties").glob("test_*.py"))
        laws = [str(file) for file in files if f"railhttp.{room}" in file.read_text()]
        tests = [f"tests/{room}"] if (self._copy / "tests" / room).exists() else []
        return await self._killed_by_process(mutant, source, [*tests, *laws, path])

    async def _killed_in_forks(self, mutant: Mutant, source: str, tests: list[str]) -> bool:
        left = tests
        while left:
            order = Order(tests=left, path=mutant.path, source=source, mutated=mutant.mutated)
            failed = (await self._loaded.tried(order))["failed"]
            if failed is None:
                return False
            if await self._passes_without(mutant, source, failed):
                return True
            left = left[left.index(failed) + 1 :]
        return False

    async def _killed_by_process(self, mutant: Mutant, source: str, places: Sequence[str]) -> bool:
        """Try tests in a process that imports the mutant."""
        running = self._copy / ".mutants.running"
        options = ["-x", "-p", "tests.mutants.running", f"--timeout={HANG}", *places]
        while True:
            running.write_text("")
            process = await _pytest(self._copy, options, {RUNNING: str(running)})
            if await _ended(process) in {0, 5}:  # 5: all of the tests were left out
                return False
            failed = running.read_text()
            if not failed or await self._passes_without(mutant, source, failed):
                return True
            options.append(f"--deselect={failed}")

    async def _passes_without(self, mutant: Mutant, source: str, test: str) -> bool:
        """Return whether a test passes without the mutant, as its failure counts only then."""
        file = self._copy / mutant.path
        file.write_text(source)
        order = Order(tests=[test], path=mutant.path, source=source, mutated=None)
        try:
            failed = (await self._loaded.tried(order))["failed"]
        finally:
            file.write_text(mutant.mutated)
        if failed is not None:
            print(f"a test that fails without a mutant: {test}", flush=True)
        return failed is None


def _names(root: Path) -> list[str]:
    """The files of the repository, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def _digest(root: Path, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(names):
        if not name.startswith("tests/mutants/"):
            digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return digest.hexdigest()[:16]


async def _pytest(
    copy: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    pass_fds: tuple[int, ...] = (),
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """Start pytest in a copy. The processes that tests start import the copy, too."""
    environment = os.environ | variables | {"PYTHONPATH": str(copy / "src"), "CI": "1"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-m", "pytest", "-q", *arguments),
        cwd=copy,
        env=environment,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=pass_fds,
    )


async def _ended(process: asyncio.subprocess.Process, at_once: bool = False) -> int:
    """Return the exit code, after all that the tests have started has ended as well."""
    try:
        return 0 if at_once else await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
