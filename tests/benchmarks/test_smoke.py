"""Every benchmark runs and gives numbers; how large they are, is not said here."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks.__main__ import SUITES, Plan, run, write
from benchmarks.cases import CASES, is_installed
from benchmarks.cases.everyday import client_of
from benchmarks.cases.peers import PEERS
from benchmarks.goals import GOALS, INSTRUCTIONS, Goal, answers
from benchmarks.report import Measurement, Report, renewed
from benchmarks.rounds import Effort
from benchmarks.server import cores
from benchmarks.table import END, START, insert, summary

from benchmarks import rows

TINY = Plan(
    Effort(rounds=2, seconds=0.0, most=40),
    concurrencies=(32,),
    loops=("asyncio",),
    large=1024 * 1024,
    bodies=(128 * 1024,),
    connections=(1, 2),
    hosts=(1, 2),
    history=(10,),
    rounds=1,
)


# Some seventy processes start in the fixture: half a minute on a machine with nothing else to do,
# eleven minutes where ten programs share two processors.
pytestmark = pytest.mark.timeout(3600)
MEASURED = tuple(suite for suite in SUITES if suite != INSTRUCTIONS)  # see test_instructions.py
THEIRS = {*PEERS, "httpx-sse", "httpx aiter_lines"}
HUGE = "read, 100 MiB"  # a goal that needs a body of this size
GOALS_HERE = [
    goal
    for goal in GOALS
    if goal.suite != INSTRUCTIONS and goal.setting != HUGE and client_of(goal.case) not in THEIRS
]


PINNED = ("streaming", "one request")
"""The suites that run on cores of their own, as all do in a benchmark.

The others may run anywhere: seventy processes on one core wait for the other tests there.
"""


@pytest.fixture(scope="module")
def result() -> Report:
    anywhere = run(TINY, tuple({*MEASURED} - {*PINNED}), (None, None), nginx=False)
    return renewed(anywhere, run(TINY, PINNED, cores(), nginx=False))


def all_numbers(measurements: list[Measurement]) -> Iterator[float]:
    for one in measurements:
        yield from one.value
        yield from one.ratio or ()


def test_all_numbers_are_finite(result: Report) -> None:
    assert all(math.isfinite(one) for one in all_numbers(result.measurements))


@pytest.mark.parametrize("case", [case for case in CASES if is_installed(case)])
def test_each_case_is_measured(case: str, result: Report) -> None:
    assert case in {one.case for one in result.measurements}


@pytest.mark.parametrize("goal", GOALS_HERE)
def test_each_goal_finds_its_number(goal: Goal, result: Report) -> None:
    assert answers(goal, result.measurements)


def test_the_results_are_written(result: Report, tmp_path: Path) -> None:
    write(result, tmp_path)
    document = json.loads((tmp_path / "results.json").read_text())
    assert len(document["measurements"]) == len(result.measurements)
    assert "railhttp with everything" in (tmp_path / "results.md").read_text()
    for picture in ("cpu", "connections", "hosts"):
        ElementTree.parse(tmp_path / f"{picture}.svg")


def test_the_readme_has_a_row_for_each_call(result: Report) -> None:
    _, _, *lines = summary(result).partition("\n\n")[0].splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(rows.ALL)
    assert all(math.isfinite(float(line.split(" | ")[1])) for line in lines)


def test_a_table_goes_between_its_markers(result: Report, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    insert(readme, "new")
    assert readme.read_text() == f"before\n{START}\nnew\n{END}\nafter\n"
