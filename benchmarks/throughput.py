"""Small requests: CPU and requests per second, beside raw aiohttp."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from benchmarks import rows
from benchmarks.canned import DOCUMENT
from benchmarks.cases import CASES, is_installed, layers
from benchmarks.cases.everyday import TLS, call_of, named
from benchmarks.cases.sdk import SDK
from benchmarks.goals import CPU, GOALS
from benchmarks.report import Measurement, Topic
from benchmarks.rounds import Effort, interleave, workers
from benchmarks.server import Server
from benchmarks.worker import COLD, Sample, Task

BASELINE: Final = "raw aiohttp"
COLD_SUITE: Final = "cold allocator"
CLIENTS: Final = (
    BASELINE,
    *("railhttp", "railhttp with everything"),
    *("railhttp without environment", "railhttp with environment proxies"),
)
LAYERS: Final = (BASELINE, *layers.CASES, "railhttp")
EXPECTED: Final[dict[str, object]] = json.loads(DOCUMENT)
DOCUMENT_ID: Final = EXPECTED["id"]  # what the SDK's call returns
CALLS: Final = tuple(dict.fromkeys(call_of(row.case) for row in rows.ALL.values()))


def measure(
    suite: str,
    cases: Sequence[str],
    loops: Sequence[str],
    concurrencies: Sequence[int],
    effort: Effort,
    base: str,
    core: int | None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Measurement]:
    """Measure some cases beside raw aiohttp.

    Args:
        suite: What the results are called.
        cases: The cases, raw aiohttp among them; those that are not installed are left out.
        loops: `asyncio`, `uvloop`.
        concurrencies: How many requests at a time.
        effort: How much is measured.
        base: The start of the server's URLs.
        core: The core to measure on.
        environment: More variables for the processes.
    """
    present = [case for case in cases if is_installed(case)]
    for loop in loops:
        with workers(present, loop, core, environment) as crew:
            for concurrency in concurrencies:
                task = Task([f"{base}/json"], 1, concurrency, EXPECTED)
                samples = interleave(crew, task, effort)
                yield from _compared(suite, f"{loop}, {concurrency} concurrent", samples)


def everyday(
    loops: Sequence[str], effort: Effort, server: Server, core: int | None
) -> Iterator[Measurement]:
    """Measure the calls of programs, 32 at a time, in every client that is installed.

    Args:
        loops: `asyncio`, `uvloop`.
        effort: How much is measured.
        server: Receives the calls.
        core: The core to measure on.
    """
    for call in CALLS:
        base = server.tls_base if call == TLS else server.bases[0]
        if base:
            task = Task([f"{base}/json"], 1, 32, DOCUMENT_ID if call == SDK else EXPECTED)
            cases = [one for one in CASES if call_of(one) == call and is_installed(one)]
            for loop in loops:
                with workers(cases, loop, core, server.environment) as crew:
                    samples = interleave(crew, task, effort)
                yield from _costs(f"{loop}, 32 concurrent", samples)


def cold(effort: Effort, base: str, core: int | None) -> Iterator[Measurement]:
    """Measure one URL in programs that have freed no large block, as small ones have not."""
    cases, environment = (BASELINE, "railhttp"), {COLD: "yes"}
    yield from measure(COLD_SUITE, cases, ("asyncio",), (32,), effort, base, core, environment)


def _costs(setting: str, samples: Mapping[str, list[Sample]]) -> Iterator[Measurement]:
    cpu = {case: [1e6 * one.cpu / one.requests for one in of] for case, of in samples.items()}
    topic = Topic(rows.SUITE, setting, CPU, "µs")
    for case in samples:
        yield topic.compared(cpu, case, named(BASELINE, call_of(case)))
    yield from _pairs(topic, cpu)


def _compared(
    suite: str, setting: str, samples: Mapping[str, list[Sample]]
) -> Iterator[Measurement]:
    cpu = {case: [1e6 * one.cpu / one.requests for one in of] for case, of in samples.items()}
    pace = {case: [one.requests / one.wall for one in of] for case, of in samples.items()}
    costs = Topic(suite, setting, CPU, "µs")
    for case in samples:
        yield costs.compared(cpu, case, BASELINE)
        yield Topic(suite, setting, "requests per second", "1/s").compared(pace, case, BASELINE)
    yield from _pairs(costs, cpu)


def _pairs(topic: Topic, cpu: Mapping[str, list[float]]) -> Iterator[Measurement]:
    """Compare what the goals compare with anything but raw aiohttp."""
    pairs = {(goal.case, goal.against) for goal in GOALS if goal.suite == topic.suite}
    for case, against in sorted(pairs):
        if not against.startswith(BASELINE) and case in cpu and against in cpu:
            yield topic.compared(cpu, case, against)
