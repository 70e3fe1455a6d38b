"""`railhttp download`: to a file, with a bar, resumed and checked."""

import asyncio
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from multidict import CIMultiDict
from returns.methods import unwrap_or_failure
from yarl import URL

from railhttp import HTTPFailure, RequestOptions
from railhttp.cli.arguments import Parser, Setup, add_call_options, add_retries
from railhttp.cli.attempts import AttemptLog
from railhttp.cli.exit_code import OK
from railhttp.cli.report import print_document
from railhttp.cli.sending import client_of, report_failure, say_setup
from railhttp.cli.terminal import Terminal
from railhttp.cli.units import milliseconds, size
from railhttp.model.options import ProgressCallback
from railhttp.types import Download

if TYPE_CHECKING:
    from rich.progress import Progress

_REDRAW: Final = 0.1
"""Seconds between two drawings of the bar."""


def run(argv: Sequence[str], terminal: Terminal) -> int:
    """Download, and return the exit code."""
    parser = Parser(
        "download",
        "Download to a file. What a broken download leaves behind is used by the next one.",
    )
    add_call_options(parser)
    add_retries(parser)
    add = parser.add_argument
    add("-o", "--output", metavar="FILE", help="the file; named like the end of the URL if absent")
    add("--checksum", metavar="DIGEST", help="the digest that it must have, as in sha256:9f86…")
    add("--no-resume", action="store_true", help="do not use what an earlier download left")
    given = parser.read(argv)
    setup = Setup.of(parser, given)
    path = given.output or PurePosixPath(URL(setup.url).path).name
    if not path:
        parser.error("the URL does not end in a name: choose one with -o FILE")
    say_setup(setup, terminal)
    log = AttemptLog(terminal)
    started = time.monotonic()
    with progress_bar(terminal, path) as progress:
        outcome = asyncio.run(
            _download(setup, log, path, given.checksum, progress, resume=not given.no_resume)
        )
    if not isinstance(outcome, Download):
        return report_failure(outcome, terminal, as_json=setup.as_json)
    _show(outcome, time.monotonic() - started, terminal, as_json=setup.as_json)
    return OK


async def _download(
    setup: Setup,
    log: AttemptLog,
    path: str,
    checksum: str | None,
    progress: ProgressCallback | None,
    *,
    resume: bool,
) -> Download | HTTPFailure:
    options = RequestOptions(headers=CIMultiDict(setup.headers))
    async with client_of(setup, log) as client:
        result = await client.download(
            setup.url, path, checksum=checksum, progress=progress, resume=resume, **options
        )
    return unwrap_or_failure(result)


def _show(download: Download, seconds: float, terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        document = {
            "path": str(download.path),
            "size": download.size,
            "resumed_from": download.resumed_from,
            "elapsed": seconds,
            "attempts": download.response.attempts,
        }
        print_document(terminal, document)
        return
    resumed = f", resumed from {size(download.resumed_from)}" if download.resumed_from else ""
    text = f"{download.path}  {size(download.size)}  {milliseconds(seconds)}{resumed}"
    terminal.say(text, "green")


@contextmanager
def progress_bar(terminal: Terminal, name: str) -> Generator[ProgressCallback | None, None, None]:
    """Show how far a download is: a bar of rich, one of text, or nothing if stderr is a file."""
    if terminal.console is not None:
        from rich.progress import Progress  # noqa: PLC0415  # 100 ms, and optional

        with Progress(console=terminal.console, transient=True) as bar:
            yield _rich_bar(bar, name)
    elif sys.stderr.isatty():
        try:
            yield _TextBar()
        finally:
            sys.stderr.write("\r\x1b[K")
    else:
        yield None


def _rich_bar(bar: "Progress", name: str) -> ProgressCallback:
    task = bar.add_task(name, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


class _TextBar:
    """A line that is written again and again."""

    def __init__(self) -> None:
        self._drawn = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        if time.monotonic() - self._drawn < _REDRAW:
            return
        self._drawn = time.monotonic()
        share = f" of {size(total)}, {100 * done // total} %" if total else ""
        sys.stderr.write(f"\r\x1b[K{size(done)}{share}")
        sys.stderr.flush()
