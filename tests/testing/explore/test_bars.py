"""The bars of an exploration: one for each number of faults at once."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console
from rich.progress import Progress

from railhttp.testing.explore import progress as progress_module
from railhttp.testing.explore.progress import PlainProgress
from railhttp.testing.explore.rich_progress import RichProgress


def test_each_depth_has_a_bar_of_its_own_that_ends_full() -> None:
    bars = Progress(console=Console(file=io.StringIO()), disable=True)
    shown = RichProgress(bars)

    def tasks() -> list[tuple[str, float | None, float]]:
        return [(task.description, task.total, task.completed) for task in bars.tasks]

    shown.advance(1)
    assert tasks() == []
    shown.begin(1, 10)
    shown.advance(4)
    assert tasks() == [("1 failure at once", 10, 3)]
    shown.begin(2, 100)
    assert tasks() == [("1 failure at once", 3, 3), ("2 failures at once", 100, 0)]
    shown.advance(24)
    assert tasks() == [("1 failure at once", 3, 3), ("2 failures at once", 100, 20)]
    shown.finish()
    assert tasks() == [("1 failure at once", 3, 3), ("2 failures at once", 20, 20)]


class Stream(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(("is_terminal", "end"), [(True, "\r"), (False, "\n")])
def test_a_line_is_written_five_times_a_second(
    is_terminal: bool, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stream = Stream(is_terminal=is_terminal)
    shown = PlainProgress(stream)
    shown.begin(1, 10)
    for done, seconds in ((1, 0.125), (2, 0.0625), (3, 0.0625), (4, 0.25)):
        shown.advance(done)
        now[0] += seconds
    shown.begin(2, 10)
    shown.advance(5)
    assert stream.getvalue().split(end) == [
        "exploring, 1 failure at once: 1 schedules",
        "exploring, 1 failure at once: 4 schedules",
        "exploring, 2 failures at once: 5 schedules",
        "",
    ]
