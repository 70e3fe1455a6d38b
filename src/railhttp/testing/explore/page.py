"""A report as one HTML page without scripts: the calls by the faults as a matrix."""

from collections.abc import Iterator
from html import escape
from typing import Final

from typing_extensions import TypeVar

from railhttp.testing.explore.fault import Fault
from railhttp.testing.explore.report import Report, Tally, counted, one_line

T = TypeVar("T")

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2530; --quiet: #5d6b7a; --paper: #fff; --edge: #d5dce3;
  --good: #d9f0df; --bad: #f6c9c4; --bad-ink: #7a1710; --none: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --quiet: #9aa7b4; --paper: #14191f;
  --edge: #35404b; --good: #1d3b28; --bad: #5b211c; --bad-ink: #ffd2cc; --none: #1d242c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 80rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--quiet); }
code { font: .875rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.matrix { overflow-x: auto; width: fit-content; max-width: 100%;
  border: 1px solid var(--edge); border-radius: .4rem; }
table { border-collapse: separate; border-spacing: 0; font-size: .8125rem; }
th, td { border: solid var(--edge); border-width: 0 1px 1px 0; padding: .2rem .35rem; }
thead th { vertical-align: bottom; } thead th span { writing-mode: vertical-rl;
  transform: rotate(180deg); white-space: nowrap; font-weight: 400; }
tbody th { position: sticky; left: 0; background: var(--paper); text-align: left;
  font-weight: 400; min-width: clamp(8rem, 25vw, 16rem); }
td { text-align: center; min-width: 1.6rem; }
td.good { background: var(--good); } td.none { background: var(--none); }
td.bad { background: var(--bad); color: var(--bad-ink); font-weight: 700; }
ul { list-style: none; margin: 0; padding: 0; } li { margin: .75rem 0; }
li p { color: inherit; } details { margin: .25rem 0 0; }
summary { color: var(--quiet); cursor: pointer; }
"""

_LEGEND: Final = "✓ handled, ✗ not handled, · not possible or not needed"


def page_of(report: Report[T]) -> str:
    """Return a report as an HTML page.

    Args:
        report: The report.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report[T]) -> Iterator[str]:
    title = f"{counted(len(report.runs), 'schedule')}, {report.verdict}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{title}</h1>"
    yield f"<p>Up to {counted(report.at_once, 'failure')} at once, {report.seconds:.1f} s</p>"
    yield from _matrix(report)
    yield from _groups(report)
    yield "<h2>Not reached</h2>\n<ul>"
    for gap in report.not_reached:
        yield f"<li>{escape(gap)}</li>"
    yield "</ul>\n</main>\n</body>\n</html>"


def _matrix(report: Report[T]) -> Iterator[str]:
    tried = {fault for tally in report.tallies for fault in tally.faults}
    bad = {fault for tally in report.tallies for fault in tally.unhandled}
    # The sort is stable; on a narrow screen only the first columns are visible.
    faults = sorted(filter(tried.__contains__, report.faults), key=lambda fault: fault not in bad)
    yield f"<h2>Calls and their failures</h2>\n<p>{_LEGEND}</p>"
    yield '<div class="matrix" tabindex="0" role="region" aria-label="Calls and their failures">'
    yield '<table>\n<thead>\n<tr><th scope="col">call</th>'
    for fault in faults:
        yield f'<th scope="col"><span>{escape(str(fault))}</span></th>'
    yield "</tr>\n</thead>\n<tbody>"
    for tally in report.tallies:
        cells = "".join(_cell(tally, fault) for fault in faults)
        yield f'<tr><th scope="row"><code>{escape(tally.call)}</code></th>{cells}</tr>'
    yield "</tbody>\n</table>\n</div>"


def _cell(tally: Tally, fault: Fault) -> str:
    if fault not in tally.faults:
        return '<td class="none">·</td>'
    complaint = tally.faults[fault]
    if complaint is None:
        return '<td class="good">✓</td>'
    return f'<td class="bad" title="{escape(f"{fault}: {one_line(complaint)}")}">✗</td>'


def _groups(report: Report[T]) -> Iterator[str]:
    if not report.groups:
        return
    yield "<h2>Smallest schedules that are not handled</h2>\n<ul>"
    for complaint, (first, *others) in report.groups:
        yield f"<li><code>{escape(str(first.schedule))}</code>"
        yield f"<p>→ {escape(one_line(complaint))}</p>"
        if others:
            yield f"<details><summary>and {len(others)} alike</summary><ul>"
            for run in others:
                yield f"<li><code>{escape(str(run.schedule))}</code></li>"
            yield "</ul></details>"
        yield "</li>"
    yield "</ul>"
