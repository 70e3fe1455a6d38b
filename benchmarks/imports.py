"""How long `import railhttp` takes, in fresh processes."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.report import Measurement, Topic

_PROGRAM: Final = """
import time
before = time.process_time()
import {module}
print(time.process_time() - before)
"""
MODULES: Final = ("aiohttp", "railhttp")


def measure(rounds: int) -> Iterator[Measurement]:
    """Import railhttp and aiohttp in turn, each time in a fresh process."""
    topic = Topic("import", "fresh process", "CPU", "ms")
    _seconds("railhttp")  # writes the bytecode
    times = [[1000 * _seconds(module) for module in MODULES] for _ in range(rounds)]
    for module, series in zip(MODULES, zip(*times, strict=True), strict=True):
        yield topic.of(module, list(series))
    yield topic.of("railhttp on top of aiohttp", _differences(times))


def _differences(times: Sequence[Sequence[float]]) -> list[float]:
    return [railhttp - aiohttp for aiohttp, railhttp in times]


def _seconds(module: str) -> float:
    command = [sys.executable, "-c", _PROGRAM.format(module=module)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
