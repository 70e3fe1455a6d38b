"""Counts the instructions of cases, with several processes at a time."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from benchmarks import rows
from benchmarks.goals import INSTRUCTIONS, PER_CALL
from benchmarks.instructions.callgrind import Run, UnavailableError
from benchmarks.report import Measurement, Topic
from benchmarks.rows import Row
from benchmarks.server import Server, running

CONCURRENCY: Final = 32
CALLS: Final = 64

Counts: TypeAlias = Mapping[str, Mapping[str, float]]
"""The instructions of a call, by loop and case."""


class Job(NamedTuple):
    """The cases that one process counts.

    Attributes:
        loop: `asyncio` or `uvloop`.
        urls: The URL for each case.
    """

    loop: str
    urls: dict[str, str]


def count(chosen: Sequence[Row], loops: Sequence[str]) -> Counts:
    """Count the instructions of one call in each case of some rows, in user space.

    The server is the embedded one: its responses are the same bytes each time. It runs at full
    speed, so the counted process never waits for a part of the responses.
    """
    with running(nginx=False) as server:
        halves = [Job(loop, part) for loop in loops for part in _halves(_urls(chosen, server))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(lambda job: _counted(job, server), halves))
    counts: dict[str, dict[str, float]] = {loop: {} for loop in loops}
    for job, part in zip(halves, parts, strict=True):
        counts[job.loop] |= part
    return counts


def measure(loops: Sequence[str]) -> Iterator[Measurement]:
    """Count all rows; measures nothing if instructions cannot be counted here."""
    try:
        counts = count(list(rows.ALL.values()), loops)
    except UnavailableError as reason:
        print(f"instructions are not counted: {reason}", file=sys.stderr)
        return
    for loop, cases in counts.items():
        topic = Topic(INSTRUCTIONS, f"{loop}, {CONCURRENCY} concurrent", PER_CALL, "")
        series = {case: [number] for case, number in cases.items()}
        for row in rows.ALL.values():
            if row.case in series:
                yield topic.compared(series, row.case, row.against)


def _urls(chosen: Sequence[Row], server: Server) -> dict[str, str]:
    urls = {}
    for row in chosen:
        base = server.tls_base if row.tls else server.bases[0]
        if base:
            urls.update(dict.fromkeys(row.cases, f"{base}/json"))
    return urls


def _halves(urls: dict[str, str]) -> list[dict[str, str]]:
    cases = list(urls.items())
    return [dict(cases[::2]), dict(cases[1::2])]


def _counted(job: Job, server: Server) -> dict[str, float]:
    module = ("-m", "benchmarks.instructions.worker")
    sizes = (str(CALLS), str(CONCURRENCY))
    arguments = chain.from_iterable(job.urls.items())
    command = [sys.executable, *module, job.loop, *sizes, *arguments]
    # Sets and dicts of strings have the same order in each process.
    environment = {**_environment(), "PYTHONHASHSEED": "0", **server.environment}
    with Run.start(command, environment) as run:
        series = run.counts()
    return {
        case: (twice - once) / CALLS for case, (once, twice) in zip(job.urls, series, strict=True)
    }


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
