"""Draws a tree that is written as indented text, as an SVG that follows the theme of its page.

A line is a name, or `name | what it is`. Two spaces of indentation make it a child.
"""

from dataclasses import dataclass
from html import escape
from typing import Final

ROW: Final = 34
INDENT: Final = 22
CHARACTER: Final = 7.95  # the width of a character of the font at its size

STYLE: Final = (
    "text{font:13px ui-monospace,monospace;fill:currentColor}"
    ".about{font:13px system-ui,sans-serif;opacity:.75}"
    "rect{fill:currentColor;fill-opacity:.06;stroke:currentColor;stroke-opacity:.35}"
    "path{fill:none;stroke:currentColor;stroke-opacity:.35}"
)


@dataclass(frozen=True)
class Line:
    """A line of the text: how deep it is, its name, and what it is."""

    depth: int
    name: str
    about: str

    @property
    def left(self) -> int:
        """Where its box begins."""
        return 8 + self.depth * INDENT

    @property
    def width(self) -> float:
        """How wide its box is."""
        return len(self.name) * CHARACTER + 18


def lines_of(text: str) -> list[Line]:
    """Read the text of a tree."""
    lines = []
    for line in filter(str.strip, text.splitlines()):
        name, _, about = line.strip().partition(" | ")
        lines.append(Line((len(line) - len(line.lstrip())) // 2, name, about))
    return lines


def drawn(text: str, title: str) -> str:
    """Draw the tree of a text."""
    lines = lines_of(text)
    width = max(line.left + line.width + 14 + len(line.about) * 6.6 for line in lines)
    height = len(lines) * ROW + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(title)}" style="width:100%;max-width:{width:.0f}px;height:auto">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
    ]
    for row, line in enumerate(lines):
        parts += _drawn_line(lines, row, line)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn_line(lines: list[Line], row: int, line: Line) -> list[str]:
    top = row * ROW + 6
    parts = [
        f'<rect x="{line.left}" y="{top}" width="{line.width:.0f}" height="24" rx="4"/>',
        f'<text x="{line.left + 9}" y="{top + 16}">{escape(line.name)}</text>',
        f'<text class="about" x="{line.left + line.width + 10:.0f}" y="{top + 16}">'
        f"{escape(line.about)}</text>",
    ]
    parent = next((each for each in range(row - 1, -1, -1) if lines[each].depth < line.depth), None)
    if parent is not None:
        stem, foot = lines[parent].left + 9, parent * ROW + 30
        parts.append(f'<path d="M{stem} {foot}V{top + 12}H{line.left}"/>')
    return parts
