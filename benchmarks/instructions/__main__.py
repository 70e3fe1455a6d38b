"""Counts the instructions of a call: `python -m benchmarks.instructions [--check | --record]`."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks import rows
from benchmarks.instructions.callgrind import UnavailableError
from benchmarks.instructions.count import CONCURRENCY, count
from benchmarks.instructions.figures import (
    LIMIT,
    Figure,
    Recorded,
    environment,
    figures,
    load,
    record,
    settled,
)

LOOPS: Final = ("asyncio", "uvloop")


def counted(names: Iterable[str], loops: Sequence[str], recorded: Recorded | None) -> list[Figure]:
    """Count some rows."""
    chosen = {name: rows.ALL[name] for name in names}
    counts = count(list(chosen.values()), loops)
    return list(figures(chosen, counts, recorded or {}))


def show(found: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    width = max(len(one.row) for one in found)
    print(f"Instructions of a call, {CONCURRENCY} concurrent; {environment()}\n")
    print(f"{'':{width}} loop      railhttp   against  ratio  goal  recorded")
    for one in found:
        known = "" if one.recorded is None else f"{one.recorded:5.3f} ({one.change:+.1%})"
        numbers = f"{one.ours:9.0f} {one.theirs:9.0f}  {one.ratio:5.3f}  {one.goal:.2f}"
        print(f"{one.row:{width}} {one.loop:8} {numbers}  {known}")


def check(found: Sequence[Figure]) -> None:
    """Exit with a message if a row is off its recorded figure."""
    off = [one for one in found if not one.holds]
    if off:
        names = "\n".join(f"- {one.row}: {_verdict(one)}" for one in off)
        raise SystemExit(
            f"\n{len(off)} of {len(found)} rows are off their recorded figures by more than "
            f"{LIMIT:.0%}:\n{names}\nIf that is meant, `make bench-instructions RECORD=1` records "
            "the new figures, to be committed with the change."
        )
    print(f"\n{len(found)} rows are within {LIMIT:.0%} of their recorded figures")


def _verdict(one: Figure) -> str:
    if one.recorded is None:
        return "no figure is recorded"
    more = "more" if one.change > 0 else "less"
    return f"{abs(one.change):.1%} {more} than {one.recorded:.3f}"


def main() -> None:
    """Count, print, and check or record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=rows.ALL, default=list(rows.ALL), metavar="R")
    parser.add_argument("--loops", nargs="+", choices=LOOPS, default=LOOPS)
    parser.add_argument("--record", action="store_true", help="record what is counted")
    parser.add_argument("--check", action="store_true", help="fail if a row is off; asyncio only")
    arguments = parser.parse_args()
    recorded = load()
    if arguments.check and recorded is None:
        return _skip(f"no figures are recorded for {environment()}")
    loops = ("asyncio",) if arguments.check else arguments.loops
    try:
        found = counted(arguments.rows, loops, recorded)
        if arguments.check:
            found = settled(found, lambda names: counted(names, loops, recorded))
    except UnavailableError as error:
        if not arguments.check:
            raise SystemExit(str(error)) from None
        return _skip(str(error))
    show(found)
    if arguments.record:
        record(found)
    if arguments.check:
        check(found)
    return None


def _skip(reason: str) -> None:
    print(f"WARNING: {reason}: instructions ARE NOT CHECKED")


if __name__ == "__main__":
    main()
