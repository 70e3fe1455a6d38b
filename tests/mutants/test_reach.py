"""Which tests are tried against the mutant of a line."""

from pathlib import Path

import pytest
from coverage import CoverageData
from tests.mutants.reach import Reach, combine, near_and_far

FILE = "src/railhttp/wire/lines.py"


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    data = CoverageData(str(tmp_path / "measured"))
    for context, lines in (
        ("", [1, 3]),
        ("tests/wire/test_long.py::test_a|run", [2, 3, 5]),
        ("tests/wire/test_b.py::test_b|setup", [2]),
    ):
        data.set_context(context)
        data.add_lines({f"/a/copy/{FILE}": lines})
    data.write()
    return Reach.read(tmp_path / "measured")


def test_a_line_is_tried_with_the_tests_that_reach_it_and_quick_ones_first(reach: Reach) -> None:
    assert reach.of_line(FILE, 2) == [
        "tests/wire/test_b.py::test_b",
        "tests/wire/test_long.py::test_a",
    ]
    assert reach.of_line(FILE, 3) == ["tests/wire/test_long.py::test_a"]


def test_a_line_without_code_belongs_to_the_one_before_it(reach: Reach) -> None:
    assert reach.of_line(FILE, 4) == ["tests/wire/test_long.py::test_a"]
    assert reach.of_line("src/railhttp/wire/other.py", 4) == []


@pytest.mark.parametrize(("line", "whole"), [(1, False), (2, True), (3, False), (4, False)])
def test_a_line_that_runs_at_import_or_in_a_process_may_be_reached_by_others(
    reach: Reach, line: int, whole: bool
) -> None:
    assert reach.is_whole(FILE, line) is whole


def test_the_tests_of_the_room_come_first() -> None:
    tests = ["tests/client/test_a.py::a", "tests/wire/test_a.py::a", "src/railhttp/wire/a.py::a"]
    assert near_and_far(FILE, tests) == (tests[1:], tests[:1])


def test_what_is_measured_again_is_added(tmp_path: Path) -> None:
    for line in (1, 2):
        data = CoverageData(str(tmp_path / "new"))
        data.set_context(f"tests/wire/test_a.py::{line}|run")
        data.add_arcs({f"/a/copy/{FILE}": [(-1, line)]})
        data.write()
        combine(tmp_path / "new", tmp_path / "measured")
    reach = Reach.read(tmp_path / "measured")
    assert reach.of_line(FILE, 1) == ["tests/wire/test_a.py::1"]
    assert reach.of_line(FILE, 2) == ["tests/wire/test_a.py::2"]
