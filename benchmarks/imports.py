"""Measures imports in fresh processes: instructions, and time on top of aiohttp."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.goals import IMPORTED, INSTRUCTIONS
from benchmarks.instructions.callgrind import Run, UnavailableError
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
    "railhttp on top of aiohttp": "from railhttp import HTTPClient",
    "a client on top of aiohttp": "from railhttp import HTTPClient; HTTPClient()",
}

_COUNTED: Final = """
import os
from benchmarks.instructions.callgrind import Counter
counter = Counter()
print(os.getpid())
counter.start()
{program}
counter.dump()
"""
STATEMENTS: Final = (
    *("import aiohttp", "import railhttp", "from railhttp import HTTPFailure"),
    *("from railhttp import HTTPClientProtocol", "from railhttp.railway import decode"),
    *("from railhttp import HTTPClient", "from railhttp import HTTPClient; HTTPClient()"),
)


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


def count() -> Iterator[Measurement]:
    """Count the instructions of imports; counts nothing if that is not possible here."""
    topic = Topic(INSTRUCTIONS, "fresh process", IMPORTED, "")
    try:
        with TemporaryDirectory() as bytecode:
            counts = {statement: counted(statement, bytecode) for statement in STATEMENTS}
    except UnavailableError as reason:
        print(f"instructions are not counted: {reason}", file=sys.stderr)
        return
    for statement in STATEMENTS:
        yield topic.compared(counts, statement, "import aiohttp")


def counted(statement: str, bytecode: str) -> list[float]:
    """Count the instructions of a statement in a fresh process, in a list of one."""
    program = _COUNTED.format(program=statement)
    environ = _environment(bytecode) | {"PYTHONHASHSEED": "0"}
    subprocess.run([sys.executable, "-c", statement], check=True, env=environ)
    with Run.start([sys.executable, "-c", program], environ) as run:
        return [float(number) for numbers in run.counts() for number in numbers]


def _run(program: str, bytecode: str) -> _Times:
    command = [sys.executable, "-c", _PROGRAM.format(program=program)]
    environ = _environment(bytecode)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    aiohttp, taken, yardstick = json.loads(done.stdout)
    return _Times(1000 * aiohttp, 1000 * taken, yardstick / 1000)


def _environment(bytecode: str) -> dict[str, str]:
    # Where no bytecode may be written (containers often say so), compiling would be measured too.
    return os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}


if __name__ == "__main__":
    for one in count():
        assert one.ratio is not None
        print(f"{one.case:52} {one.value.median / 1e6:8.1f} million {one.ratio.median:6.3f}")
