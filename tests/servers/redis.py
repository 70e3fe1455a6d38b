"""A real Redis server for tests, and a proxy in front of it that delays, drops and resets."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

PROGRAMS: Final = [name for name in ("redis-server", "valkey-server") if shutil.which(name)]
"""The servers that are installed; Debian 12 has no package of Valkey."""


class RedisServer:
    """A server without a disk, on a free port; it can be killed and started again."""

    def __init__(self, directory: Path, program: str | None = None) -> None:
        if not PROGRAMS:
            pytest.skip("redis-server is not here: apt-get install redis-server")
        self._program = program or PROGRAMS[0]
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "dir": self._directory}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            [self._program, *words, "--enable-debug-command", "yes"], stdout=subprocess.DEVNULL
        )
        for _ in range(1000):
            with contextlib.suppress(OSError):
                if self.ask("PING") == b"+PONG\r\n":
                    return
            time.sleep(0.01)
        raise RuntimeError("redis-server does not start")

    def kill(self) -> None:
        """End the server at once, with all its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, *words: str) -> bytes:
        """Send one command, and return the start of the response."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            connection.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
            return connection.recv(65_536)

    def keys(self, pattern: str) -> list[str]:
        """The names of the keys that match a pattern."""
        return self.ask("KEYS", pattern).decode().split("\r\n")[2::2]

    def scripts(self) -> int:
        """The number of scripts that ran since the start."""
        found = [
            int(line.split("calls=")[1].split(",")[0])
            for line in self.ask("INFO", "commandstats").decode().splitlines()
            if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:"))
        ]
        return sum(found)


@contextmanager
def redis_server(directory: Path, program: str | None = None) -> Iterator[RedisServer]:
    server = RedisServer(directory, program)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class RedisProxy:
    """A TCP proxy; `delay` slows responses, in seconds, and `refusing` refuses connections."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.delay = 0.0
        self.refusing = False
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """Hold everything back, without closing a connection."""
        self._flows.clear()

    def flow(self) -> None:
        """End that."""
        self._flows.set()

    def reset(self) -> None:
        """Break every connection with a reset."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(up_writer)
            await asyncio.gather(
                self._pump(reader, up_writer, 0.0), self._pump(up_reader, writer, None)
            )
        writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float | None
    ) -> None:
        while data := await reader.read(65_536):
            await asyncio.sleep(self.delay if delay is None else delay)
            await self._flows.wait()
            writer.write(data)
        writer.transport.abort()


@asynccontextmanager
async def redis_proxy(server: RedisServer) -> AsyncIterator[RedisProxy]:
    async with RedisProxy(server.port) as proxy:
        yield proxy
