"""The count of instructions, and its comparison with the recorded figures."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.imports import counted
from benchmarks.instructions.callgrind import Counter, Run, UnavailableError
from benchmarks.instructions.figures import (
    FILE,
    LIMIT,
    Figure,
    environment,
    figures,
    record,
    settled,
)

from benchmarks import rows

SUMS = """
from os import fork, waitpid
from benchmarks.instructions.callgrind import Counter
if process := fork():
    print(process)
    waitpid(process, 0)
else:
    counter = Counter()
    counter.start()
    for numbers in (1_000, 2_000, 3_000):
        sum(range(numbers))
        counter.dump()
"""


def figure(ratio: float, recorded: float | None) -> Figure:
    return Figure("a row", "asyncio", 1000 * ratio, 1000, 0.6, recorded)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_fork_that_does_more_has_more_instructions() -> None:
    with Run.start([sys.executable, "-c", SUMS], {"PYTHONPATH": str(Path.cwd())}) as run:
        [[first, second, third]] = run.counts()
    assert second - first == pytest.approx(third - second, rel=0.05)
    assert second > first + 10_000


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_the_errors_of_a_program_in_callgrind_are_shown() -> None:
    with (
        Run.start([sys.executable, "-c", "raise SystemExit('no such case')"], {}) as run,
        pytest.raises(RuntimeError, match="no such case"),
    ):
        run.counts()


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_an_import_of_the_package_alone_is_small(tmp_path: Path) -> None:
    names = ("railhttp", "logging")
    [railhttp], [logging] = (counted(f"import {name}", str(tmp_path)) for name in names)
    assert 0 < railhttp < 2 * logging  # it has to name a handler


def test_outside_of_valgrind_a_counter_does_nothing() -> None:
    counter = Counter()
    counter.start()
    counter.dump()
    counter.stop()


def test_without_valgrind_one_is_told_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="apt-get install valgrind"), Run.start([], {}):
        pass


@pytest.mark.parametrize(
    ("ratio", "recorded", "holds"),
    [
        (0.600, 0.6, True),
        (0.629, 0.6, True),
        (0.571, 0.6, True),
        (0.631, 0.6, False),  # slower than recorded
        (0.569, 0.6, False),  # faster: the record would let the next loss pass
        (0.600, None, False),
    ],
)
def test_a_row_holds_within_the_limit_on_either_side(
    ratio: float, recorded: float | None, holds: bool
) -> None:
    assert LIMIT == 0.05
    assert figure(ratio, recorded).holds is holds


def test_a_record_keeps_the_rows_that_were_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    others = {"same": [5, 10]}
    file.write_text(json.dumps({"another Python": {}, environment(): {"asyncio": others}}))
    record([figure(0.7, None)], file)
    assert json.loads(file.read_text()) == {
        "another Python": {},
        environment(): {"asyncio": {**others, "a row": [700, 1000]}},
    }


def test_counts_stand_beside_what_is_recorded_for_their_row() -> None:
    row = rows.Row("ours", "theirs", goal=0.6)
    counts = {"asyncio": {"ours": 30.0, "theirs": 40.0}}
    recorded = {"asyncio": {"a row": [50, 100]}}
    [found] = figures({"a row": row, "not counted": row._replace(case="x")}, counts, recorded)
    assert found == Figure("a row", "asyncio", 30.0, 40.0, 0.6, 0.5)


def test_each_row_has_a_recorded_figure() -> None:
    for recorded in json.loads(FILE.read_text()).values():
        assert set(recorded["asyncio"]) == set(rows.ALL)


@pytest.mark.parametrize(
    ("ratios", "counts", "kept"),
    [
        ([0.61], 1, 0.61),
        ([0.64, 0.61], 2, 0.61),  # a busy machine
        ([0.54, 0.53, 0.59], 3, 0.59),
        ([0.64, 0.66, 0.65], 3, 0.64),  # another program: off each time
    ],
)
def test_a_row_that_is_off_is_counted_again_at_most_twice(
    ratios: list[float], counts: int, kept: float
) -> None:
    asked: list[Sequence[str]] = []

    def recount(names: Sequence[str]) -> list[Figure]:
        asked.append(names)
        return [figure(ratios[len(asked)], 0.6)]

    steady = Figure("steady", "asyncio", 500, 1000, 0.6, 0.5)
    [one, other] = settled([figure(ratios[0], 0.6), steady], recount)
    assert one.ratio == pytest.approx(kept)
    assert other == steady
    assert asked == [["a row"]] * (counts - 1)


def test_a_row_without_a_recorded_figure_is_not_counted_again() -> None:
    unknown = figure(0.6, None)
    assert settled([unknown], lambda names: pytest.fail(f"{names}")) == [unknown]
