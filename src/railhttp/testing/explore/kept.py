"""Keeps the smallest bad schedules in a file, and replays them first the next time."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from typing_extensions import TypeVar

from railhttp.model.errors import HTTPValidationError
from railhttp.model.exchange import Exchange
from railhttp.testing.explore.fault import Fault
from railhttp.testing.explore.report import Report, one_line
from railhttp.testing.explore.run import ClientFactory, Judge, Program, default_client
from railhttp.testing.explore.schedule import Schedule
from railhttp.testing.explore.search import explore

T = TypeVar("T")
W = TypeVar("W", bound=Exchange)

_COMMENT: Final = "  # "


def file_of(test: str) -> str:
    """Return the name of the file that keeps the schedules of a test.

    Args:
        test: The id of the test.

    Example:
        >>> file_of("tests/test_order.py::test_it[a b]")
        'tests-test_order.py-test_it-a-b.txt'
    """
    return re.sub(r"[^\w.]+", "-", test).strip("-") + ".txt"


class Explorer:
    """An `explore` that remembers bad schedules; the class of the fixture `explorer`.

    The smallest schedules with a complaint are saved to a file and run first the next time. If one
    of them still has a complaint, the exploration stops there. Otherwise it continues and rewrites
    the file, or deletes it if all failures are handled.

    Args:
        path: The file; the second exploration of a test uses `name-2.txt`, and so on.

    Attributes:
        path: The file of the next exploration.
    """

    def __init__(self, path: Path) -> None:
        self._first: Final = path
        self._count = 1
        self.path: Path = path

    async def __call__(
        self,
        program: Program[T],
        world: Callable[[], W],
        judge: Judge[T, W] | None = None,
        *,
        at_once: int = 1,
        faults: Iterable[Fault] | None = None,
        client: ClientFactory = default_client,
        patience: float = 2.0,
    ) -> Report[T]:
        """Explore a program; see `explore` for the arguments.

        Returns:
            The report.
        """
        path = self.path
        self._count += 1
        self.path = self._first.with_stem(f"{self._first.stem}-{self._count}")
        report = await explore(
            program,
            world,
            judge,
            at_once=at_once,
            faults=faults,
            client=client,
            first=_read(path),
            patience=patience,
        )
        _write(path, report)
        return report


def _read(path: Path) -> list[Schedule]:
    """Read the schedules of a file, and skip the lines that this version cannot parse."""
    if not path.exists():
        return []
    schedules = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            schedules.append(Schedule.parse(line.partition(_COMMENT)[0]))
        except HTTPValidationError:
            continue
    return schedules


def _write(path: Path, report: Report[T]) -> None:
    if not report.minimal:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{run.schedule}{_COMMENT}{one_line(run.complaint)}\n" for run in report.minimal]
    path.write_text("".join(lines), encoding="utf-8")
