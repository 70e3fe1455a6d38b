"""Results as pictures: two kinds, drawn as SVG."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from benchmarks import rows
from benchmarks.cases.everyday import DIFFERING, client_of, named
from benchmarks.goals import CPU
from benchmarks.report import Measurement, Report

Point = tuple[float, float]

_COLOURS: Final = ("#3b6fb6", "#d98032", "#4f9d69", "#8a5fb0")
_STYLE: Final = (
    "<style>text{font:13px sans-serif;fill:#444}.title{font-size:15px;font-weight:bold}"
    ".end{text-anchor:end}.middle{text-anchor:middle}.axis{stroke:#bbb}</style>"
)


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Draw horizontal bars on a logarithmic scale that has 1 as its middle line.

    Args:
        title: What they show.
        groups: For each name its values, one for each series.

    Returns:
        An SVG document.

    Example:
        >>> bars("CPU", {"a": {"asyncio": 2.0}}).count("<rect")
        3
    """
    series = list(dict.fromkeys(name for values in groups.values() for name in values))
    left, right, top, thick = 260, 560, 64, 13
    step = thick * len(series) + 10
    height = top + step * len(groups) + 14
    largest = max(value for values in groups.values() for value in values.values())
    smallest = min(value for values in groups.values() for value in values.values())
    low, high = math.log10(min(smallest, 0.9) / 1.2), math.log10(max(largest, 1.1) * 1.2)

    def x(value: float) -> float:
        return left + (math.log10(value) - low) / (high - low) * (right - left)

    parts = [_legend(series, left, 44), _line(x(1), top - 6, x(1), height - 8)]
    for row, (name, values) in enumerate(groups.items()):
        y = top + row * step
        parts.append(_text(left - 10, y + step / 2, name, "end"))
        for place, (one, value) in enumerate(values.items()):
            start, end = sorted((x(1), x(value)))
            parts.append(
                f'<rect x="{start:.1f}" y="{y + place * thick}" width="{max(end - start, 1):.1f}" '
                f'height="{thick - 2}" fill="{_COLOURS[series.index(one)]}"/>'
            )
            parts.append(_text(max(end, x(1)) + 5, y + place * thick + 10, f"{value:.2f}"))
    return _document(right + 60, height, title, parts)


def curves(title: str, label: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Draw lines over a logarithmic axis; the vertical axis begins at zero.

    Args:
        title: What they show.
        label: What stands on the horizontal axis.
        lines: For each series its points, the x ascending and positive.

    Returns:
        An SVG document.

    Example:
        >>> curves("CPU", "hosts", {"a": [(1, 2.0), (10, 2.0)]}).count("<polyline")
        1
    """
    left, right, top, bottom = 60, 560, 64, 300
    points = [point for line in lines.values() for point in line]
    widest = math.log10(max(x for x, _ in points)) or 1.0
    highest = 1.15 * max(y for _, y in points)

    def place(point: Point) -> Point:
        across = left + math.log10(point[0]) / widest * (right - left)
        return across, bottom - point[1] / highest * (bottom - top)

    parts = [
        _legend(list(lines), left, 44),
        _line(left, bottom, right, bottom),
        _line(left, top, left, bottom),
        _text((left + right) / 2, bottom + 36, label, "middle"),
    ]
    marks = dict.fromkeys(x for x, _ in points)
    parts.extend(_text(place((x, 0))[0], bottom + 18, f"{x:g}", "middle") for x in marks)
    for share in (0.0, 0.5, 1.0):
        y = share * highest / 1.15
        parts.append(_text(left - 6, place((1, y))[1] + 4, f"{y:.3g}", "end"))
    for colour, line in zip(_COLOURS, lines.values(), strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return _document(right + 40, bottom + 50, title, parts)


def _legend(series: Sequence[str], left: float, y: float) -> str:
    parts = []
    for colour, name in zip(_COLOURS, series, strict=False):
        parts.append(f'<rect x="{left}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(left + 15, y, name))
        left += 40 + 7 * len(name)
    return "".join(parts)


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="axis"/>'


def _document(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{_STYLE}',
            '<rect width="100%" height="100%" fill="#fff"/>',
            _text(16, 24, title, "title"),
            *parts,
            "</svg>\n",
        )
    )


def pictures(result: Report) -> dict[str, str]:
    """Draw the results that are easier to see than to read.

    Returns:
        SVG documents by file name, without those that there are no numbers for.
    """
    drawn = {}
    costs = [one for one in result.measurements if one.quantity == CPU and one.ratio]
    if groups := _clients(costs):
        drawn["cpu"] = bars(f"CPU against raw aiohttp: {DIFFERING}", groups)
    for what in ("connections", "hosts"):
        if lines := _curves(costs, what):
            drawn[what] = curves(f"CPU per request (µs) as {what} grow", what, lines)
    return drawn


def _clients(costs: Sequence[Measurement]) -> dict[str, dict[str, float]]:
    groups: dict[str, dict[str, float]] = {}
    for one in costs:
        loop = one.setting.partition(", ")[0]
        if one.suite == rows.SUITE and one.against == named(rows.RAW, DIFFERING) and one.ratio:
            groups.setdefault(client_of(one.case), {})[loop] = one.ratio.median
    return groups


def _curves(costs: Sequence[Measurement], what: str) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {}
    for one in costs:
        count, _, setting = one.setting.partition(" ")
        if one.suite == "scale" and setting == what:
            lines.setdefault(one.case, []).append((float(count), one.value.median))
    return lines
