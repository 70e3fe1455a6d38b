"""The recorded figures: instructions of each row by interpreter, and how far a new count is off."""

import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from benchmarks.instructions.count import Counts
from benchmarks.rows import Row

LIMIT: Final = 0.05
"""How far a ratio may be off its recorded figure. Runs of one state differ by 1 to 2 %."""

COUNTS: Final = 3
"""How often a row is counted before it is taken to be off: on a busy machine the calls and their
responses meet in other turns of the loop, which costs a few per cent."""

FILE: Final = Path(__file__).with_name("figures.json")

Recorded: TypeAlias = Mapping[str, Mapping[str, Sequence[float]]]
"""By loop and row: the instructions of railhttp, and of what it is compared with."""


class Figure(NamedTuple):
    """A row as it was counted.

    Attributes:
        row: Its name.
        loop: `asyncio` or `uvloop`.
        ours: The instructions of one call.
        theirs: Those of what it is compared with.
        goal: The ratio to reach.
        recorded: The recorded ratio; None for a row without one.
    """

    row: str
    loop: str
    ours: float
    theirs: float
    goal: float
    recorded: float | None

    @property
    def ratio(self) -> float:
        """The instructions as a multiple."""
        return self.ours / self.theirs

    @property
    def change(self) -> float:
        """How far the ratio is off the recorded one: 0.05 is 5 % more.

        Example:
            >>> round(Figure("a", "asyncio", 63.0, 100.0, 0.6, recorded=0.6).change, 3)
            0.05
        """
        return 0.0 if self.recorded is None else self.ratio / self.recorded - 1

    @property
    def holds(self) -> bool:
        """Whether the ratio is recorded, and within the limit."""
        return self.recorded is not None and abs(self.change) <= LIMIT


def environment() -> str:
    """Return what figures depend on: interpreter, its compiler and aiohttp's release."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} ({platform.python_compiler()}), aiohttp {version('aiohttp')}"


def figures(rows: Mapping[str, Row], counts: Counts, recorded: Recorded) -> Iterator[Figure]:
    """Put counts beside the recorded figures; rows that were not counted are left out."""
    for loop, cases in counts.items():
        for name, row in rows.items():
            if row.case in cases:
                known = recorded.get(loop, {}).get(name)
                ratio = None if known is None else known[0] / known[1]
                yield Figure(name, loop, cases[row.case], cases[row.against], row.goal, ratio)


def settled(
    found: Sequence[Figure], recount: Callable[[Sequence[str]], Sequence[Figure]]
) -> list[Figure]:
    """Count the rows that are off again, and keep of each the figure nearest to the recorded one.

    A program that has changed is off each time.
    """
    best = {(one.row, one.loop): one for one in found}
    for _ in range(COUNTS - 1):
        off = [one.row for one in best.values() if one.recorded is not None and not one.holds]
        if not off:
            break
        for one in recount(off):
            key = one.row, one.loop
            best[key] = min(best[key], one, key=lambda figure: abs(figure.change))
    return list(best.values())


def load(path: Path = FILE) -> Recorded | None:
    """Return the figures for this interpreter, None for an unknown one."""
    documents: dict[str, Recorded] = json.loads(path.read_text(encoding="utf-8"))
    return documents.get(environment())


def record(counted: Sequence[Figure], path: Path = FILE) -> None:
    """Replace the figures for this interpreter; those of the rows that were not counted stay."""
    documents = json.loads(path.read_text(encoding="utf-8"))
    own = documents.setdefault(environment(), {})
    for one in counted:
        own.setdefault(one.loop, {})[one.row] = [round(one.ours), round(one.theirs)]
    text = json.dumps(documents, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
