"""How long `import railhttp` takes, and a first client too, in fresh processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.report import Measurement, Topic
from benchmarks.yardstick import YARDSTICK, yardstick

_PROGRAM: Final = """
import time
before = time.process_time()
{program}
print(time.process_time() - before)
"""
PROGRAMS: Final = {
    "aiohttp": "import aiohttp",
    "railhttp": "import railhttp",
    "a client": "from railhttp import HTTPClient; HTTPClient()",
}


def measure(rounds: int) -> Iterator[Measurement]:
    """Run each program in turn, each time in a fresh process, with its bytecode compiled before."""
    topic = Topic("import", "fresh process", "CPU", "ms")
    with TemporaryDirectory() as bytecode:
        for program in PROGRAMS.values():
            _seconds(program, bytecode)
        times = [_round(bytecode) for _ in range(rounds)]
    series = {case: [each[case] for each in times] for case in times[0]}
    for case in series:
        yield topic.compared(series, case, YARDSTICK)


def _round(bytecode: str) -> dict[str, float]:
    times = {case: 1000 * _seconds(program, bytecode) for case, program in PROGRAMS.items()}
    for case in ("railhttp", "a client"):
        times[f"{case} on top of aiohttp"] = times[case] - times["aiohttp"]
    return times | {YARDSTICK: yardstick() / 1000}


def _seconds(program: str, bytecode: str) -> float:
    command = [sys.executable, "-c", _PROGRAM.format(program=program)]
    # Where no bytecode may be written (containers often say so), compiling would be measured too.
    environ = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return float(done.stdout)
