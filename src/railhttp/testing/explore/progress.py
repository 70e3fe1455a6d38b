"""Shows the progress of an exploration: with rich if it is installed, otherwise as plain text."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Protocol, TextIO

from typing_extensions import override

_INTERVAL: Final = 0.2


class Progress(Protocol):
    """Displays the progress of an exploration."""

    def begin(self, depth: int, total: int) -> None:
        """Start the schedules with `depth` faults; `total` is an upper bound."""
        ...

    def advance(self, done: int) -> None:
        """Update the number of schedules that have been run."""
        ...


class NoProgress(Progress):
    """Shows nothing."""

    @override
    def begin(self, depth: int, total: int) -> None: ...

    @override
    def advance(self, done: int) -> None: ...


class PlainProgress(Progress):
    """Updates one line of text.

    Args:
        stream: The output stream.

    Example:
        >>> progress = PlainProgress(sys.stdout)
        >>> progress.begin(2, 400)
        >>> progress.advance(30)
        exploring, 2 failures at once: 30 schedules
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: Final = stream
        self._depth = 0
        self._shown = -_INTERVAL

    @override
    def begin(self, depth: int, total: int) -> None:
        self._depth = depth

    @override
    def advance(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown < _INTERVAL:
            return
        self._shown = now
        noun = "failure" if self._depth == 1 else "failures"
        end = "\r" if self._stream.isatty() else "\n"
        text = f"exploring, {self._depth} {noun} at once: {done} schedules"
        print(text, end=end, file=self._stream, flush=True)  # the purpose of the class


@contextmanager
def shown_progress(wanted: bool | None) -> Generator[Progress, None, None]:
    """Show progress on the standard error stream for the length of a block.

    Args:
        wanted: Whether to show it; only on a terminal if None.
    """
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield NoProgress()
        return
    try:
        from railhttp.testing.explore.rich_progress import rich_progress  # noqa: PLC0415  # an extra
    except ModuleNotFoundError:
        yield PlainProgress(sys.stderr)
        print(file=sys.stderr)  # noqa: T201  # ends the line
        return
    with rich_progress() as shown:
        yield shown
