"""Which tests reach which line, as coverage has measured it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from coverage import CoverageData


@dataclass(frozen=True)
class Reach:
    """Tests by file and line."""

    _lines: Mapping[str, Mapping[int, frozenset[str]]]
    _sizes: Mapping[str, int]
    """The number of lines that each test reaches: a small number means a quick test."""

    @classmethod
    def read(cls, measured: Path) -> Self:
        data = CoverageData(str(measured))
        data.read()
        found: dict[str, dict[int, frozenset[str]]] = {}
        sizes = Counter[str]()
        for file in data.measured_files():  # a subprocess may have measured the installed package
            lines = found.setdefault("src/railhttp" + file.rpartition("/src/railhttp")[2], {})
            for line, contexts in data.contexts_by_lineno(file).items():
                tests = frozenset(context.partition("|")[0] for context in contexts)
                sizes.update(tests - lines.get(line, frozenset()))
                lines[line] = tests | lines.get(line, frozenset())
        return cls(found, sizes)

    def of_line(self, path: str, line: int) -> list[str]:
        """Return the tests that reach a line, quick ones first."""
        return self._ordered(self._at(path, line))

    def is_whole(self, path: str, line: int) -> bool:
        """Return whether just the tests of `of_line` run a line.

        A line without tests, or one that runs at import or in a process that a test has started,
        may be run by others.
        """
        tests = self._lines.get(path, {}).get(line, frozenset())
        return bool(tests) and "" not in tests

    def _at(self, path: str, line: int) -> frozenset[str]:
        """The tests of a line, or of the start of its statement if it has no code."""
        lines = self._lines.get(path, {})
        if line in lines:
            return lines[line]
        return lines[max((one for one in lines if one < line), default=0)] if lines else frozenset()

    def _ordered(self, tests: Iterable[str]) -> list[str]:
        return sorted(set(tests) - {""}, key=lambda test: (self._sizes[test], test))


def combine(new: Path, measured: Path) -> None:
    """Add what was measured to what is kept. Tests that have gone since are not run."""
    data, more = CoverageData(str(measured)), CoverageData(str(new))
    more.read()
    data.read()
    data.update(more)
    data.write()
    new.unlink()


def near_and_far(path: str, tests: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split tests into those of the room of a file, and the others."""
    places = (f"src/railhttp/{room_of(path)}", f"tests/{room_of(path)}/", "properties/")
    near = [test for test in tests if test.startswith(places)]
    return near, [test for test in tests if not test.startswith(places)]


def room_of(path: str) -> str:
    return Path(path).parts[2].removesuffix(".py")
