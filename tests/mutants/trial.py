"""Runs tests against mutants, in copies of the repository."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from compileall import compile_dir
from contextlib import ExitStack, suppress
from enum import Enum
from pathlib import Path
from py_compile import PycInvalidationMode
from types import TracebackType
from typing import Final, Self

from coverage import CoverageData
from tests.mutants.mutations import Mutant
from tests.mutants.selection import LIST

HANG: Final = 300
"""Seconds after which pytest stops a test, ten times as long as the slowest test takes: a test that
is only slow, because the machine is busy, must not count as failed."""
LIMIT: Final = 3600.0
"""Seconds for the tests of a mutant; beyond them it is not known whether one of them notices it."""
NOTHING_RAN: Final = 5
"""The exit code of pytest without tests."""


class Verdict(Enum):
    """The outcome of the tests of a mutant."""

    KILLED = "failed a test"
    UNKNOWN = "not tried to the end"
    SURVIVED = "survived"


class Trials:
    """Tries mutants, several at once. A context manager: it removes the copies.

    Which tests reach a line is measured once by running all of them with coverage. The
    measurement is kept in `.mutants/` for as long as neither the sources nor the tests change.
    """

    def __init__(self, root: Path, jobs: int) -> None:
        self._root = root
        self._jobs = jobs
        self._copies: list[Path] = []
        self._cleaning = ExitStack()
        self._reached: Mapping[str, Mapping[int, list[str]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleaning.close()

    async def prepare(self) -> None:
        """Copy the repository, and measure which tests reach which lines.

        Raises:
            SystemExit: The tests fail without a mutant.
        """
        names = _names(self._root)
        for _ in range(self._jobs):
            copy = Path(self._cleaning.enter_context(tempfile.TemporaryDirectory()))
            for name in names:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._root / name, copy / name)
            # Hashes, because a mutant may have the time and the size of what it replaces.
            compile_dir(copy / "src", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
            self._copies.append(copy)
        measured = self._root / ".mutants" / f"{_digest(self._root, names)}.coverage"
        if not measured.exists():
            measured.parent.mkdir(exist_ok=True)
            await self._measure(measured)
        self._reached = _reached(measured)

    async def _measure(self, measured: Path) -> None:
        print("measuring which tests reach which lines", flush=True)
        copy = self._copies[0]
        options = ["-n", str(self._jobs), "--dist", "loadfile", "--cov", "--cov-report="]
        options += ["--cov-context=test", "--cov-fail-under=0"]
        if await _tests(copy, options, None, COVERAGE_FILE=str(copy / ".coverage")):
            raise SystemExit("the tests fail without a mutant")
        shutil.move(copy / ".coverage", measured)

    async def judge(self, drawn: Iterable[Mutant]) -> AsyncIterator[tuple[Mutant, Verdict]]:
        """Yield each mutant with its verdict, in the order in which they are known."""
        waiting = list(reversed(list(drawn)))

        async def work(copy: Path, done: asyncio.Queue[tuple[Mutant, Verdict]]) -> None:
            while waiting:
                mutant = waiting.pop()
                done.put_nowait((mutant, await self._verdict(copy, mutant)))

        number, done = len(waiting), asyncio.Queue[tuple[Mutant, Verdict]]()
        async with asyncio.TaskGroup() as workers:
            for copy in self._copies:
                workers.create_task(work(copy, done))
            for _ in range(number):
                yield await done.get()

    async def _verdict(self, copy: Path, mutant: Mutant) -> Verdict:
        file = copy / mutant.path
        source = file.read_bytes()
        file.write_text(mutant.mutated)
        try:
            for tests in self._tests_of(mutant):
                if tests and (verdict := await self._tried(copy, tests)) is not Verdict.SURVIVED:
                    return verdict
        finally:
            file.write_bytes(source)
        return Verdict.SURVIVED

    async def _tried(self, copy: Path, tests: Sequence[str]) -> Verdict:
        listed = copy / ".mutants.tests"
        listed.write_text("\n".join(tests))
        files = sorted({test.partition("::")[0] for test in tests})
        options = ["-x", "-p", "tests.mutants.selection", f"--timeout={HANG}"]
        try:
            failed = await _tests(copy, [*options, *files], LIMIT, **{LIST: str(listed)})
        except TimeoutError:
            return Verdict.UNKNOWN
        return Verdict.KILLED if failed else Verdict.SURVIVED

    def _tests_of(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """The tests that reach the line: those of its room, and the others.

        A line that runs at import is reached by all tests that reach its module.
        """
        lines = self._reached.get(mutant.path, {})
        tests = lines.get(mutant.line) or sorted({test for line in lines.values() for test in line})
        room = Path(mutant.path).parts[2].removesuffix(".py")
        places = (f"src/railhttp/{room}", f"tests/{room}/", "properties/")
        near = [test for test in tests if test.startswith(places)]
        return near, [test for test in tests if not test.startswith(places)]


def _names(root: Path) -> list[str]:
    """The files of the repository, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def _digest(root: Path, names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        if name.startswith(("src/", "tests/", "properties/")) and "/mutants/" not in name:
            digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return digest.hexdigest()[:16]


def _reached(measured: Path) -> dict[str, dict[int, list[str]]]:
    """For each file and line the tests that reach it."""
    data = CoverageData(str(measured))
    data.read()
    found: dict[str, dict[int, list[str]]] = {}
    for file in data.measured_files():  # a subprocess may have measured the installed package
        lines = found.setdefault("src/railhttp" + file.rpartition("/src/railhttp")[2], {})
        for line, contexts in data.contexts_by_lineno(file).items():
            tests = {context.partition("|")[0] for context in contexts} - {""}
            lines[line] = sorted(tests.union(lines.get(line, ())))
    return found


async def _tests(
    copy: Path, arguments: Sequence[str], limit: float | None, **variables: str
) -> bool:
    """Run pytest in a copy; whether a test failed.

    Raises:
        TimeoutError: The limit in seconds is over.
    """
    environment = dict(os.environ, PYTHONPATH=str(copy / "src"), CI="1", **variables)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-m", "pytest", "-q", *arguments),
        cwd=copy,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit):
            return await process.wait() not in {0, NOTHING_RAN}
    finally:
        # Also what a test has started, and could not end because pytest ended first.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
