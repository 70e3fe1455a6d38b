"""`python -m tests.soak`: many calls against the chaos server, on asyncio and on uvloop."""

import argparse
import asyncio
import sys
import time

import uvloop
from tests.soak.soak import Soak

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many calls")
    parser.add_argument("--seed", type=int, default=1, help="determines what happens to each call")
    parser.add_argument("--loop", choices=LOOPS, action="append", help="both without it")
    given = parser.parse_args()
    broken = False
    for name in given.loop or LOOPS:
        began = time.monotonic()
        with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
            report = runner.run(Soak(given.count, given.seed).run())
        took = time.monotonic() - began
        print(f"{name}: {given.count} calls, seed {given.seed}, {took:.0f} s")
        for outcome, number in sorted(report.outcomes.items()):
            print(f"  {number:7} {outcome}")
        if report.longest:
            print(f"  longest callback: {report.longest * 1000:.1f} ms")
        print(f"  defects: {len(report.defects)}")
        for defect in report.defects[:50]:
            print(f"    {defect}")
        broken = broken or bool(report.defects)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
