"""Results as Markdown."""

import operator
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import rows
from benchmarks.cases.everyday import SAME, call_of, named
from benchmarks.cases.peers import PEERS
from benchmarks.goals import GOALS, Goal, answers, number
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
    """Return the table for the README: a row for each call, a column for each client.

    A cell has the CPU time as a multiple of raw aiohttp's, on each event loop.
    """
    ratios: dict[tuple[str, str], list[str]] = {}
    for one in result.measurements:
        if one.suite == rows.SUITE and one.ratio is not None:
            ratios.setdefault((one.case, one.against), []).append(_number(one.ratio.median))
    peers = [client for client in PEERS if named(client, SAME) in {case for case, _ in ratios}]
    lines = []
    for name, row in rows.ALL.items():
        pairs = [(row.case, row.against)]
        call = call_of(row.case)
        alike = row.case == named("railhttp", call)
        pairs += [(named(peer if alike else "", call), named(rows.RAW, call)) for peer in peers]
        lines.append((name, *(" / ".join(ratios.get(pair, [])) for pair in pairs)))
    settings = [one.setting for one in result.measurements if one.suite == rows.SUITE]
    loops = dict.fromkeys(setting.partition(",")[0] for setting in settings)
    head = (" / ".join(loops), "railhttp", *peers)
    return f"{_grid(head, lines)}\n\n{facts(result)}"


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
    middle, low, high = map(_number, numbers)
    return middle if low == high else f"{middle} [{low}, {high}]"


def _number(one: float) -> str:
    return f"{one:.3g}" if abs(one) < 1000 else f"{one:.0f}"


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
