"""The command on a terminal: colours and bars, no binary data, no control characters."""

import asyncio
import os
import pty
import re
import sys
from pathlib import Path

from tests.cli.processes import environment
from tests.servers.echo import EchoServer

from railhttp.cli.terminal import printable

ESCAPE = "\x1b["


async def on_a_terminal(*arguments: str, cwd: Path | None = None, **variables: str) -> str:
    """Run the command on a terminal, and return what it shows."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "railhttp", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env=environment() | {"TERM": "xterm-256color"} | variables,
    )
    os.close(theirs)
    shown = await asyncio.to_thread(read_all, ours)
    await process.wait()
    return shown


def read_all(descriptor: int) -> str:
    pieces = []
    try:
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    except OSError:  # the other side is closed
        pass
    os.close(descriptor)
    return b"".join(pieces).decode().replace("\r\n", "\n")


async def test_a_document_is_indented_and_its_status_green(echo: EchoServer) -> None:
    shown = await on_a_terminal(echo.url("/json"))
    assert '{\n  "name": "café",\n' in shown
    assert re.search(r"\x1b\[32m200 OK", shown)


async def test_no_colour_where_nobody_wants_it(echo: EchoServer) -> None:
    assert ESCAPE not in await on_a_terminal(echo.url("/json"), NO_COLOR="1")


async def test_binary_data_is_not_shown(echo: EchoServer) -> None:
    shown = await on_a_terminal(echo.url("/bytes/1000"))
    assert "1.0 kB of binary data; -o FILE saves it" in shown
    assert "\0" not in shown


async def test_a_body_cannot_command_the_terminal(echo: EchoServer) -> None:
    shown = await on_a_terminal(echo.url("/get"), "-d", f"{ESCAPE}2J", NO_COLOR="1")
    assert ESCAPE not in shown
    assert printable(f"a{ESCAPE}b\n\tc") == "a\N{REPLACEMENT CHARACTER}[b\n\tc"


async def test_a_download_has_a_bar(echo: EchoServer, tmp_path: Path) -> None:
    url = echo.url("/file/300000", drop=100_000)
    shown = await on_a_terminal("download", url, "-o", "big.iso", cwd=tmp_path)
    assert "━" in shown
    assert "big.iso  300.0 kB" in shown


async def test_a_bar_needs_no_package(echo: EchoServer, tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ModuleNotFoundError('rich')")
    url = echo.url("/file/300000", drop=100_000)
    shown = await on_a_terminal(
        "download", url, "-o", "big.iso", cwd=tmp_path, PYTHONPATH=str(tmp_path)
    )
    assert re.search(r"\r\x1b\[K[\d.]+ kB of 300\.0 kB, \d+ %", shown)
    assert "\x1b[3" not in shown
