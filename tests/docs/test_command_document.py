"""The shell examples of the command's document run, and print what stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.cli.processes import Ended, Forks, forks
from tests.servers.echo import EchoServer

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "command.md"
SERVER: Final = "http://127.0.0.1:8000"
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME: Final = re.compile(r"[\d.]+ m?s\b")


def examples() -> Iterator[tuple[str, list[str]]]:
    """Each command line, with the lines that it prints."""
    for block in _BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *printed = example.splitlines()
            yield command, printed


def comparable(text: str, url: str) -> str:
    """Leave out what differs from run to run: the port and the times."""
    port = url.rpartition(":")[2]
    return _TIME.sub("T", text.replace(url, SERVER).replace(f":{port}", ":8000"))


def is_printed(line: str, ended: Ended, url: str) -> bool:
    """Whether a line of the document is one of those that were printed; `…` is anything."""
    pattern = ".*".join(map(re.escape, _TIME.sub("T", line).rstrip("…").split("…")))
    if line.endswith("…"):
        pattern += ".*"
    printed = comparable(ended.stdout + "\n" + ended.stderr, url).splitlines()
    return any(re.fullmatch(pattern, found.rstrip()) for found in printed)


async def test_every_example_prints_what_the_document_says(
    echo: EchoServer, tmp_path: Path
) -> None:
    url = echo.url("")
    last: Ended | None = None
    with forks() as command:
        for line, printed in examples():
            if line == "echo $?":
                assert last is not None
                assert printed == [str(last.code)]
                continue
            last = await run(command, line.replace(SERVER, url), tmp_path)
            for expected in printed:
                assert is_printed(expected, last, url), (line, expected, last)


async def run(command: Forks, line: str, folder: Path) -> Ended:
    """Run a command line of the document."""
    name, *arguments = shlex.split(line)
    assert name == "railhttp"
    return await command.railhttp(*arguments, cwd=folder)


def test_the_document_has_examples() -> None:
    assert len(list(examples())) >= 10
