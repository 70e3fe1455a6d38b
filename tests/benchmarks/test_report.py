"""The results of some suites take the place of earlier ones."""

from pathlib import Path

import pytest
from benchmarks.report import Measurement, Report, load, renewed, save
from benchmarks.spread import Spread

import benchmarks

RESULTS = Path(benchmarks.__file__).parent / "results" / "results.json"


def measured(suite: str, value: float) -> Measurement:
    return Measurement(suite, "here", "case", "CPU", "s", Spread(value, value, value))


def of_day(date: str, *measurements: Measurement, packages: dict[str, str]) -> Report:
    return Report(date, "CPython", "a machine", "nginx", packages, [*measurements])


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    save(load(RESULTS), tmp_path / "results.json")
    assert (tmp_path / "results.json").read_text("utf-8") == RESULTS.read_text("utf-8")


def test_only_the_suites_that_ran_again_are_replaced() -> None:
    packages = {"aiohttp": "3.14"}
    earlier = of_day("2026-01-01", measured("a", 1), measured("b", 2), packages=packages)
    later = of_day("2026-01-02", measured("b", 3), packages=packages)
    both = renewed(earlier, later)
    assert both.date == "2026-01-02"
    assert both.measurements == [measured("a", 1), measured("b", 3)]


def test_results_of_other_packages_are_not_mixed() -> None:
    earlier = of_day("2026-01-01", measured("a", 1), packages={"aiohttp": "3.13"})
    later = of_day("2026-01-02", measured("b", 3), packages={"aiohttp": "3.14"})
    with pytest.raises(SystemExit):
        renewed(earlier, later)
