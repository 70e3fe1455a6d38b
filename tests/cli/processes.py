"""Runs the command as a process: started afresh, or forked from one that has it in memory."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from railhttp.cli import sending
from railhttp.cli.command import main

PATIENCE: Final = 30.0
HERE: Final = Path(__file__)
PRELOADED: Final = (sending,)
"""What every fork finds in memory."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str = ""


def environment(**variables: str) -> dict[str, str]:
    """The environment without proxies, and with some variables more."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {"PYTHONWARNINGS": "error", "COLUMNS": "100"} | variables


async def railhttp(
    *arguments: str, stdin: bytes = b"", cwd: Path | None = None, **variables: str
) -> Ended:
    """Run the command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "railhttp", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=environment(**variables),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, out.decode(), err.decode())


class Forks:
    """A process that has the command in memory and forks for each call: that takes 20 ms."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def railhttp(self, *arguments: str) -> Ended:
        """Run the command in a fork."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        return Ended(**json.loads(line))


@asynccontextmanager
async def forks() -> AsyncGenerator[Forks, None]:
    """Start the process that forks."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
        limit=2**22,
    )
    try:
        yield Forks(process)
    finally:
        process.kill()
        await process.communicate()


def serve() -> None:
    """Fork for each line of stdin, and print how the fork ended."""

    for line in sys.stdin:
        with tempfile.TemporaryFile() as out:
            child = os.fork()
            if child == 0:
                os.dup2(out.fileno(), 1)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                os._exit(main(json.loads(line)))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            print(json.dumps({"code": code, "stdout": out.read().decode()}), flush=True)


if __name__ == "__main__":
    serve()
