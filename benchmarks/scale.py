"""Many connections, many hosts, a long history: what a request costs must not grow with them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from benchmarks.goals import CPU
from benchmarks.report import Measurement, Topic
from benchmarks.rounds import Effort, Worker, interleave, workers
from benchmarks.throughput import BASELINE, EXPECTED
from benchmarks.worker import Task

CASES: Final = (BASELINE, "railhttp", "railhttp with everything")


def connections(
    counts: Sequence[int], effort: Effort, base: str, core: int | None
) -> Iterator[Measurement]:
    """Measure more and more connections to one host.

    Args:
        counts: How many connections, ascending: memory is never given back.
        effort: How much is measured.
        base: The start of the server's URLs.
        core: The core to measure on.
    """
    with workers(CASES, "asyncio", core) as crew:
        for count in counts:
            task = Task([f"{base}/json"], 1, count, EXPECTED)
            yield from _point(f"{count} connections", crew, task, effort)


def history_and_hosts(
    history: Sequence[int],
    hosts: Sequence[int],
    effort: Effort,
    bases: Sequence[str],
    core: int | None,
) -> Iterator[Measurement]:
    """Measure clients that have made more and more requests, and then to more and more hosts.

    Args:
        history: After how many requests, ascending.
        hosts: How many hosts, ascending; each has its own connections and its own breaker.
        effort: How much is measured.
        bases: The starts of the servers' URLs, one for each host.
        core: The core to measure on.
    """
    task = Task([f"{base}/json" for base in bases], 1, 32, EXPECTED)
    with workers(CASES, "asyncio", core) as crew:
        for before, count in pairwise((0, *history)):
            one_host = task._replace(urls=task.urls[:1])
            for worker in crew.values():
                worker.perform(one_host._replace(requests=count - before))
            yield from _point(f"{count} requests before", crew, one_host, effort)
        for count in hosts:
            some_hosts = task._replace(urls=task.urls[:count])
            yield from _point(f"{count} hosts", crew, some_hosts, effort)


def _point(
    setting: str, crew: Mapping[str, Worker], task: Task, effort: Effort
) -> Iterator[Measurement]:
    samples = interleave(crew, task, effort)
    cpu = {case: [1e6 * one.cpu / one.requests for one in of] for case, of in samples.items()}
    pace = {case: [one.requests / one.wall for one in of] for case, of in samples.items()}
    for case, of in samples.items():
        yield Topic("scale", setting, CPU, "µs").compared(cpu, case, BASELINE)
        yield Topic("scale", setting, "requests per second", "1/s").compared(pace, case, BASELINE)
        resident = [one.resident / 1e6 for one in of]
        yield Topic("scale", setting, "resident memory", "MB").of(case, resident)
