"""Results as Markdown."""

import operator
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.goals import CPU, GOALS, Goal, answers, number
from benchmarks.report import Measurement, Report
from benchmarks.spread import Spread
from benchmarks.yardstick import YARDSTICK

START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"


def everything(result: Report) -> str:
    """Give all results, suite by suite."""
    suites = dict.fromkeys(one.suite for one in result.measurements)
    parts = [f"# Results\n\n{facts(result)}", f"## Goals\n\n{goals(result)}"]
    for suite in suites:
        own = [one for one in result.measurements if one.suite == suite]
        parts.append(f"## {suite[0].upper()}{suite[1:]}\n\n{_rows(own)}")
    return "\n\n".join(parts) + "\n"


def facts(result: Report) -> str:
    """Give what the numbers depend on, in words."""
    packages = ", ".join(f"{name} {number}" for name, number in result.packages.items())
    return (
        f"{result.date}, {result.python}, {result.machine}, {result.server}; {packages}.\n"
        "Medians of interleaved rounds, the quartiles in brackets."
    )


def goals(result: Report) -> str:
    """Give the goals beside what was reached."""
    lines = []
    for goal in GOALS:
        found = answers(goal, result.measurements)
        reached = " · ".join(f"{_reached(one)} ({one.setting})" for one in found)
        met = all(goal.is_met(number(one), goal.limit) for one in found) if found else None
        verdict = {True: "yes", False: "**no**", None: "not measured"}[met]
        later = "" if goal.later is None else _limit(goal, goal.later)
        lines.append((goal.text, _limit(goal, goal.limit), reached, verdict, later))
    return _grid(("", "goal", "reached", "met", "later"), lines)


def summary(result: Report) -> str:
    """Give the table for the README: one row for each client, at 32 concurrent requests."""
    rows = [
        one
        for one in result.measurements
        if one.suite == "requests" and one.quantity == CPU and one.against == "raw aiohttp"
    ]
    rows = [one for one in rows if "32 concurrent" in one.setting]
    settings = list(dict.fromkeys(one.setting for one in rows))
    found = {(one.case, one.setting): one for one in rows}
    lines = [
        (case, *(_cell(found.get((case, setting))) for setting in settings))
        for case in dict.fromkeys(one.case for one in rows)
    ]
    return f"{_grid(('', *settings), lines)}\n\n{facts(result)}"


def _cell(one: Measurement | None) -> str:
    return "" if one is None else f"{_shown(one.ratio or one.value)} · {one.value.median:.0f} µs"


def _rows(measurements: Iterable[Measurement]) -> str:
    lines = [
        (
            one.setting,
            one.case,
            one.quantity,
            f"{_shown(one.value)} {one.unit}",
            f"{_shown(one.ratio)} × {one.against}" if one.ratio and one.case != one.against else "",
        )
        for one in measurements
    ]
    return _grid(("setting", "case", "quantity", "value", "ratio"), lines)


def _reached(one: Measurement) -> str:
    value = f"{_shown(one.value)} {one.unit}"
    if one.ratio is None:
        return value
    return f"{_shown(one.ratio)}, {value}" if one.against == YARDSTICK else _shown(one.ratio)


def _shown(numbers: Spread) -> str:
    middle, low, high = (f"{one:.3g}" if abs(one) < 1000 else f"{one:.0f}" for one in numbers)
    return f"{middle} [{low}, {high}]"


def _limit(goal: Goal, limit: float) -> str:
    return f"{'≤' if goal.is_met is operator.le else '≥'} {limit:g}"


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def insert(path: Path, text: str) -> None:
    """Put text between the two markers of a file; does nothing where it has none."""
    document = path.read_text(encoding="utf-8")
    before, start, rest = document.partition(START)
    _, end, after = rest.partition(END)
    if start and end:
        path.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
