"""How much memory grows while a large body is streamed, uploaded and downloaded.

`python -m benchmarks.memory [MiB]` prints it for bodies of so many MiB (256).
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from benchmarks.report import Measurement, Topic
from benchmarks.worker import memory, warm_allocator
from railhttp import HTTPClient

MIB: Final = 2**20
ACTS: Final = ("stream", "upload an iterator", "upload a file", "download")

_PIECE: Final = 64 * 1024
_LENGTH: Final = re.compile(r"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


async def _respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Respond to one request, and return whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, target, _ = head.split(" ", 2)
    size = int(target.removeprefix("/"))
    length = _LENGTH.search(head)
    is_kept = method == "GET" or length is not None
    if method == "POST":
        left = size if length is None else int(length[1])
        while left > 0:  # a chunked body is longer than that by its framing
            left -= len(await reader.read(_PIECE))
        size = 0
    end = "" if is_kept else "Connection: close\r\n"
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{end}\r\n".encode())
    for _ in range(0, size, _PIECE):
        writer.write(b"a" * _PIECE)
        await writer.drain()
    return is_kept


async def _serve() -> None:
    """Send as many bytes as the path says, or take in what comes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the client closed the connection
            while await _respond(reader, writer):
                pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _body(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, _PIECE):
        yield b"a" * _PIECE


async def _act(act: str, client: HTTPClient, url: str, folder: Path, size: int) -> None:
    target = folder / "file"
    match act:
        case "stream":
            async with client.stream("GET", url) as chunks:
                assert sum([len(chunk) async for chunk in chunks]) == size
        case "upload an iterator":
            (await client.post(url, data=_body(size), timeout=None)).unwrap()
        case "upload a file":
            with target.open("wb") as file:
                file.truncate(size)
            with target.open("rb") as file:
                (await client.post_multipart(url, {"file": file}, timeout=None)).unwrap()
        case "download":
            download = (await client.download(url, target)).unwrap()
            assert download.size == size
            target.unlink()


async def _growth(act: str, port: str, size: int) -> float:
    """Give the growth in MiB, over what a small body takes."""
    with tempfile.TemporaryDirectory() as folder:
        async with HTTPClient() as client:
            url = f"http://127.0.0.1:{port}"
            await _act(act, client, f"{url}/{_PIECE}", Path(folder), _PIECE)
            before = memory("VmRSS")
            await _act(act, client, f"{url}/{size}", Path(folder), size)
            return (memory("VmHWM") - before) / MIB


@contextmanager
def serving() -> Iterator[str]:
    """Run the server, and return its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.memory", "serve"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def measure(size: int) -> Iterator[Measurement]:
    """Measure each way in a process of its own."""
    topic = Topic("memory growth", f"{size / MIB:g} MiB", "growth of memory", "MiB")
    with serving() as port:
        for act in ACTS:
            command = [sys.executable, "-m", __spec__.name, act, port, str(size)]
            grown = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            yield topic.of(act, [float(grown)])


def main(size: int) -> None:
    """Print the measurements."""
    for one in measure(size):
        print(f"{one.case:20} {one.setting}: grew by {one.value.median:.2f} MiB")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            asyncio.run(_serve())
        case [act, port, size]:
            warm_allocator()
            print(asyncio.run(_growth(act, port, int(size))))
        case arguments:
            main(int(arguments[0] if arguments else 256) * MIB)
