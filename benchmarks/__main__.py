"""Runs the benchmarks: `python -m benchmarks [--quick] [--only SUITE ... [--renew]]`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import (
    bodies,
    decoding,
    held,
    imports,
    in_memory,
    memory,
    plot,
    pure,
    rows,
    scale,
    streaming,
    table,
    throughput,
)
from benchmarks.goals import BODIES, HELD, INSTRUCTIONS
from benchmarks.instructions import count
from benchmarks.report import Measurement, Report, load, renewed, report, save
from benchmarks.rounds import Effort
from benchmarks.server import Server, cores, pin, running
from benchmarks.worker import warm_allocator

_HERE: Final = Path(__file__).parent


class Plan(NamedTuple):
    """How much of everything is measured.

    Attributes:
        effort: For each setting of the small requests.
        concurrencies: How many of them at a time.
        loops: On which event loops.
        large: Bytes of the streamed body.
        bodies: Bytes of the bodies that both clients read and write.
        connections: How many connections the curve has.
        hosts: How many hosts it has.
        history: After how many requests it looks again.
        rounds: How often a body is decoded, and `import` tried.
    """

    effort: Effort
    concurrencies: tuple[int, ...]
    loops: tuple[str, ...]
    large: int
    bodies: tuple[int, ...]
    connections: tuple[int, ...]
    hosts: tuple[int, ...]
    history: tuple[int, ...]
    rounds: int


FULL: Final = Plan(
    Effort(rounds=21, seconds=0.2),
    concurrencies=(1, 32, 200),
    loops=("asyncio", "uvloop"),
    large=256 * 2**20,
    bodies=bodies.SIZES,
    connections=(1, 10, 32, 100, 316, 1000),
    hosts=(1, 3, 10, 32, 100, 200),
    history=(1_000, 10_000, 50_000),
    rounds=21,
)
QUICK: Final = FULL._replace(
    loops=("asyncio",), effort=Effort(7, 0.06), rounds=5, history=(1_000, 10_000)
)
SUITES: Final = (
    rows.SUITE,
    throughput.COLD_SUITE,
    INSTRUCTIONS,
    "requests",
    "one request",
    "streaming",
    BODIES,
    "memory growth",
    HELD,
    "decoding",
    "scale",
    "in memory",
    "import",
)


def measurements(
    plan: Plan, suites: tuple[str, ...], server: Server, core: int | None
) -> Iterator[Measurement]:
    """Run suites one after the other."""
    base, effort = server.bases[0], plan.effort
    if rows.SUITE in suites:
        yield from throughput.everyday(plan.loops, effort, server, core)
    if throughput.COLD_SUITE in suites:
        yield from throughput.cold(effort, base, core)
    if INSTRUCTIONS in suites:
        yield from count.measure(plan.loops)
        yield from imports.count()
    if "requests" in suites:
        yield from throughput.measure(
            "requests", throughput.CLIENTS, plan.loops, plan.concurrencies, effort, base, core
        )
    if "one request" in suites:
        yield from throughput.measure(
            "one request", throughput.LAYERS, plan.loops, (32,), effort, base, core
        )
    if "streaming" in suites:
        yield from streaming.measure(plan.loops, effort, base, plan.large, core)
    if BODIES in suites:
        yield from bodies.measure(plan.rounds, plan.bodies)
    if "memory growth" in suites:
        yield from memory.measure(plan.large)
    if HELD in suites:
        yield from held.measure()
    if "decoding" in suites:
        yield from decoding.measure(plan.rounds)
    if "scale" in suites:
        yield from scale.connections(plan.connections, effort, base, core)
        yield from scale.history_and_hosts(plan.history, plan.hosts, effort, server.bases, core)
    if "in memory" in suites:
        yield from in_memory.measure(effort)
        yield from pure.measure(effort)
    if "import" in suites:
        yield from imports.measure(plan.rounds)


def run(
    plan: Plan,
    suites: tuple[str, ...],
    places: tuple[int | None, int | None],
    *,
    nginx: bool = True,
) -> Report:
    """Measure.

    Args:
        plan: How much.
        suites: What.
        places: The core of the server, and that of what is measured.
        nginx: Whether the server may be nginx.
    """
    theirs, ours = places
    hosts = max(plan.hosts)
    with running(large=plan.large, hosts=hosts, core=theirs, nginx=nginx) as server:
        return report(server.name, measurements(plan, suites, server, ours))


def write(result: Report, folder: Path) -> None:
    """Write the results: JSON, Markdown and pictures."""
    folder.mkdir(exist_ok=True)
    save(result, folder / "results.json")
    (folder / "results.md").write_text(table.everything(result), encoding="utf-8")
    for name, picture in plot.pictures(result).items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    """Measure, write the results and show them in both READMEs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, for a first look")
    parser.add_argument("--only", nargs="+", choices=SUITES, help="some suites; changes no README")
    parser.add_argument("--renew", action="store_true", help="with --only: replace their results")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else FULL
    places = cores()
    pin(places[1])
    warm_allocator()
    result = run(plan, tuple(arguments.only or SUITES), places)
    print(table.everything(result))
    if arguments.only and arguments.renew:
        result = renewed(load(_HERE / "results" / "results.json"), result)
    if arguments.only is None or arguments.renew:
        write(result, _HERE / "results")
        table.insert(_HERE / "README.md", table.goals(result))
        table.insert(_HERE.parent / "README.md", table.summary(result))


if __name__ == "__main__":
    main()
