"""Runs a program in valgrind's callgrind, and lets the program switch the counting."""

import ctypes
import mmap
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, Self

_CODE: Final = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3")
"""`uint64_t request(uint64_t *arguments)` for x86-64, as the macro of valgrind.h compiles: move the
arguments to rax and 0 to rdx, rotate rdi by 3, 13, 61 and 51 bits, exchange rbx with itself, return
rdx. A processor does nothing here; valgrind recognizes the sequence. So no compiler is needed."""

_CALLGRIND: Final = 0x43540000  # 'CT', the base of callgrind's requests
_DUMP, _ZERO, _START, _STOP = 0, 1, 4, 5
_TOTAL: Final = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


class UnavailableError(Exception):
    """Instructions cannot be counted on this machine."""


class Counter:
    """Switches the counting of the process that it lives in; does nothing outside of valgrind."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._page.write(_CODE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        self._call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(address)

    def start(self) -> None:
        """Count from zero."""
        self._request(_START)
        self._request(_ZERO)

    def dump(self) -> None:
        """Write the number of instructions since the last dump or the start."""
        self._request(_DUMP)

    def stop(self) -> None:
        """Run at the full speed of valgrind again."""
        self._request(_STOP)

    def _request(self, number: int) -> None:
        arguments = (ctypes.c_uint64 * 6)(_CALLGRIND + number)
        self._call(ctypes.addressof(arguments))


class Run:
    """A program that runs in callgrind, with the processes that it forks."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder

    @classmethod
    @contextmanager
    def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Self]:
        """Start a program that prints the ids of the processes whose dumps are wanted."""
        with tempfile.TemporaryDirectory() as name:
            options = ("-q", "--tool=callgrind", "--instr-atstart=no")
            process = subprocess.Popen(
                [_valgrind(), *options, f"--callgrind-out-file={name}/%p", *command],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                yield cls(process, Path(name))
            finally:
                process.kill()
                process.wait()

    def counts(self) -> list[list[int]]:
        """Wait for the end, and return the numbers that each process has dumped."""
        printed, errors = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the program in callgrind has failed:\n{errors}")
        return [list(self._dumped(process)) for process in printed.split()]

    def _dumped(self, process: str) -> Iterator[int]:
        for number in count(1):
            file = self._folder / f"{process}.{number}"
            if not file.exists():
                return
            yield _total(file)


def _total(file: Path) -> int:
    found = _TOTAL.search(file.read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError("a dump of callgrind has no total")
    return int(found[1])


def _valgrind() -> str:
    if platform.machine() != "x86_64":
        raise UnavailableError(
            f"instructions are counted on x86-64 only, and this machine is {platform.machine()}"
        )
    program = shutil.which("valgrind")
    if program is None:
        raise UnavailableError(
            "valgrind is not installed: `apt-get install valgrind`, `dnf install valgrind` or "
            "`pacman -S valgrind` installs it"
        )
    return program
