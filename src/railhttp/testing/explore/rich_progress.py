"""A progress bar by rich."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBars
from typing_extensions import override

from railhttp.testing.explore.progress import Progress


class RichProgress(Progress):
    """A bar for each number of faults at once.

    Args:
        bars: The display of rich.
    """

    def __init__(self, bars: ProgressBars) -> None:
        self._bars: Final = bars
        self._bar: TaskID | None = None
        self._before = 0
        self._done = 0

    @override
    def begin(self, depth: int, total: int) -> None:
        self.finish()
        noun = "failure" if depth == 1 else "failures"
        self._before = self._done
        self._bar = self._bars.add_task(f"{depth} {noun} at once", total=total)

    @override
    def advance(self, done: int) -> None:
        self._done = done
        if self._bar is not None:
            self._bars.update(self._bar, completed=done - self._before)

    def finish(self) -> None:
        """Complete the bar: its total was an upper bound."""
        if self._bar is not None:
            done = self._done - self._before
            self._bars.update(self._bar, total=done, completed=done)


@contextmanager
def rich_progress() -> Generator[RichProgress, None, None]:
    """Show bars on the standard error stream for the length of a block."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} schedules"),
        TimeElapsedColumn(),
    )
    with ProgressBars(*columns, console=Console(stderr=True), transient=True) as bars:
        shown = RichProgress(bars)
        yield shown
        shown.finish()
