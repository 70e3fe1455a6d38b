"""Progress is shown with rich, or as plain text without it."""

import sys

import pytest

from railhttp import HTTPClient
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import explore, faults


def world() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    return script


async def program(client: HTTPClient) -> object:
    return await client.get("http://h/")


async def run(progress: bool | None) -> None:
    await explore(program, world, at_once=2, faults=faults.named("dns"), progress=progress)


async def test_rich_shows_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    await run(True)
    shown = capsys.readouterr().err
    assert "1 failure at once" in shown
    assert shown.endswith("\x1b[2K")  # it is wiped from the terminal at the end


async def test_without_rich_a_line_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "railhttp.testing.explore.rich_progress", None)
    await run(True)
    assert capsys.readouterr().err == "exploring, 1 failure at once: 1 schedules\n\n"


async def test_nothing_is_shown_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    await run(None)
    assert capsys.readouterr().err == ""
