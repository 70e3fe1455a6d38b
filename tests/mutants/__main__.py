"""`python -m tests.mutants`: try random mutants of one room against the tests that reach them."""

import argparse
import asyncio
import random
import sys
from pathlib import Path

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.trial import Trials, Verdict

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("room", help="a folder or file of src/railhttp, such as policy")
    parser.add_argument("--count", type=int, default=100, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="determines which mutants")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    given = parser.parse_args()
    drawn = draw(given.room, given.count, given.seed)
    return asyncio.run(run(drawn, f"{given.room}, seed {given.seed}", given.jobs))


def draw(room: str, count: int, seed: int) -> list[Mutant]:
    """Draw mutants of a room; the same ones for the same seed and sources."""
    place = ROOT / "src" / "railhttp" / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    found: list[Mutant] = []
    for file in files:
        found += mutants(file.relative_to(ROOT).as_posix(), file.read_text())
    return random.Random(seed).sample(found, min(count, len(found)))


async def run(drawn: list[Mutant], title: str, jobs: int) -> int:
    verdicts: list[Verdict] = []
    async with Trials(ROOT, jobs) as trials:
        await trials.prepare()
        async for mutant, verdict in trials.judge(drawn):
            verdicts.append(verdict)
            if len(verdicts) % 10 == 0:
                print(f"{len(verdicts)} tried", flush=True)
            if verdict is not Verdict.KILLED:
                source = (ROOT / mutant.path).read_text()
                print(
                    f"{verdict.name} {mutant.path}:{mutant.line}\n{mutant.diff(source)}\n",
                    flush=True,
                )
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    caught = counts[Verdict.KILLED]
    words = ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())
    print(f"{title}: {caught} of {len(verdicts)} caught ({words})")
    return int(caught < len(verdicts))


if __name__ == "__main__":
    sys.exit(main())
