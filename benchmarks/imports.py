"""How long `import railhttp` takes on top of aiohttp, and a first client, in fresh processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.report import Measurement, Topic
from benchmarks.yardstick import YARDSTICK

_PROGRAM: Final = """
import json, time
start = time.process_time()
import aiohttp
middle = time.process_time()
{program}
end = time.process_time()
from benchmarks.yardstick import yardstick
print(json.dumps([middle - start, end - middle, yardstick()]))
"""
PROGRAMS: Final = {
    "railhttp on top of aiohttp": "import railhttp",
    "a client on top of aiohttp": "from railhttp import HTTPClient; HTTPClient()",
}


class _Times(NamedTuple):
    """What one process took, in milliseconds."""

    aiohttp: float
    program: float
    yardstick: float


def measure(rounds: int) -> Iterator[Measurement]:
    """Run each program in turn, each time in a fresh process, with its bytecode compiled before."""
    topic = Topic("import", "fresh process", "CPU", "ms")
    with TemporaryDirectory() as bytecode:
        for program in PROGRAMS.values():
            _run(program, bytecode)
        times = [
            {case: _run(program, bytecode) for case, program in PROGRAMS.items()}
            for _ in range(rounds)
        ]
    for case in PROGRAMS:
        own = [one[case] for one in times]
        yardsticks = [one.yardstick for one in own]
        series = {case: [one.program for one in own], YARDSTICK: yardsticks}
        yield topic.compared(series, case, YARDSTICK)
    yield topic.of("aiohttp", [one.aiohttp for each in times for one in each.values()])


def _run(program: str, bytecode: str) -> _Times:
    command = [sys.executable, "-c", _PROGRAM.format(program=program)]
    # Where no bytecode may be written (containers often say so), compiling would be measured too.
    environ = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    aiohttp, taken, yardstick = json.loads(done.stdout)
    return _Times(1000 * aiohttp, 1000 * taken, yardstick / 1000)
