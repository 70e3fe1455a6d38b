"""How long `import railhttp` takes, and a first client too, in fresh processes."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.report import Measurement, Topic

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
        times = [
            {case: 1000 * _seconds(program, bytecode) for case, program in PROGRAMS.items()}
            for _ in range(rounds)
        ]
    for case in PROGRAMS:
        yield topic.of(case, [each[case] for each in times])
    for case in ("railhttp", "a client"):
        yield topic.of(f"{case} on top of aiohttp", [_extra(case, each) for each in times])


def _extra(case: str, milliseconds: Mapping[str, float]) -> float:
    return milliseconds[case] - milliseconds["aiohttp"]


def _seconds(program: str, bytecode: str) -> float:
    command = [sys.executable, "-c", _PROGRAM.format(program=program)]
    # Where no bytecode may be written (containers often say so), compiling would be measured too.
    environ = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return float(done.stdout)
