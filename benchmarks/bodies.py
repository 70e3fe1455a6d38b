"""Bodies of 1 MiB and 100 MiB, read, streamed, downloaded and uploaded: CPU and peak memory.

`python -m benchmarks.bodies [rounds]` prints them alone.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import process_time
from typing import IO, Final, NamedTuple, TypeAlias

import aiohttp

from benchmarks.goals import BODIES, CPU_OF_BODY, PEAK, SYNCED, THREADED
from benchmarks.memory import MIB, serving
from benchmarks.report import Measurement, Topic
from benchmarks.worker import memory, warm_allocator
from railhttp import HTTPClient

SIZES: Final = (MIB, 100 * MIB)
_REPEATS: Final = {MIB: 20}  # a body of 1 MiB is too short for the process clock
_PIECE: Final = 64 * 1024


class Place(NamedTuple):
    """Where a body comes from and where it goes.

    Attributes:
        url: Sends, or takes in, `size` bytes.
        source: A file of `size` bytes.
        target: A file to write.
        size: The bytes of the body.
    """

    url: str
    source: Path
    target: Path
    size: int


Act: TypeAlias = Callable[[Place], Awaitable[None]]
Client: TypeAlias = Mapping[str, Act]


@asynccontextmanager
async def _railhttp() -> AsyncIterator[Client]:
    async with HTTPClient() as client:

        async def read(place: Place) -> None:
            assert len((await client.get(place.url)).unwrap().body) == place.size

        async def stream(place: Place) -> None:
            async with client.stream("GET", place.url) as chunks:
                assert sum([len(chunk) async for chunk in chunks]) == place.size

        async def download(place: Place) -> None:
            assert (await client.download(place.url, place.target)).unwrap().size == place.size
            place.target.unlink()

        async def upload(place: Place) -> None:
            with place.source.open("rb") as file:
                (await client.post(place.url, data=file)).unwrap()

        yield {"read": read, "stream": stream, "download": download, "upload a file": upload}


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:

        async def read(place: Place) -> None:
            async with session.get(place.url) as response:
                assert len(await response.read()) == place.size

        async def stream(place: Place) -> None:
            async with session.get(place.url) as response:
                chunks = response.content.iter_any()
                assert sum([len(chunk) async for chunk in chunks]) == place.size

        async def download(place: Place) -> None:
            async with session.get(place.url) as response:
                with place.target.open("wb") as file:  # as its documentation shows
                    async for chunk in response.content.iter_chunked(_PIECE):
                        file.write(chunk)
            assert place.target.stat().st_size == place.size
            place.target.unlink()

        async def upload(place: Place) -> None:
            with place.source.open("rb") as file:
                async with session.post(place.url, data=file) as response:
                    await response.read()
                    assert response.status == 200

        yield {"read": read, "stream": stream, "download": download, "upload a file": upload}


@asynccontextmanager
async def _synced() -> AsyncIterator[Client]:
    """Raw aiohttp with the file of `download`: its name belongs to bytes that the disk has."""
    async with aiohttp.ClientSession() as session:

        async def download(place: Place) -> None:
            part = place.target.with_suffix(".part")
            async with session.get(place.url) as response:
                with part.open("wb") as file:
                    async for chunk in response.content.iter_chunked(_PIECE):
                        file.write(chunk)
                    _finish(file, place.target)
            assert place.target.stat().st_size == place.size
            place.target.unlink()

        yield {"download": download}


@asynccontextmanager
async def _threaded() -> AsyncIterator[Client]:
    """The same without blocking the event loop, as `download` does; in pieces as they arrive."""
    async with aiohttp.ClientSession() as session:

        async def download(place: Place) -> None:
            part = place.target.with_suffix(".part")
            async with session.get(place.url) as response:
                with await asyncio.to_thread(part.open, "wb", buffering=0) as file:
                    async for chunk in response.content.iter_any():
                        await asyncio.to_thread(file.write, chunk)
                    await asyncio.to_thread(_finish, file, place.target)
            assert place.target.stat().st_size == place.size
            place.target.unlink()

        yield {"download": download}


def _finish(file: IO[bytes], target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    os.rename(file.name, target)


CLIENTS: Final = {
    "railhttp": _railhttp,
    "raw aiohttp": _aiohttp,
    SYNCED: _synced,
    THREADED: _threaded,
}
ACTS: Final = ("read", "stream", "download", "upload a file")


def _place(port: str, folder: str, size: int) -> Place:
    source = Path(folder) / "source"
    with source.open("wb") as file:
        file.truncate(size)
    return Place(f"http://127.0.0.1:{port}/{size}", source, Path(folder) / "target", size)


async def _costs(act: str, port: str, size: int, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of CPU that a body takes in each client, round by round."""
    repeats = _REPEATS.get(size, 1)
    with tempfile.TemporaryDirectory() as folder:
        place = _place(port, folder, size)
        async with AsyncExitStack() as stack:
            acts = {name: await stack.enter_async_context(new()) for name, new in CLIENTS.items()}
            clients = {name: one[act] for name, one in acts.items() if act in one}
            taken: dict[str, list[float]] = {name: [] for name in clients}
            for do in clients.values():
                await do(place)
            for _ in range(rounds):
                for name, do in clients.items():
                    start = process_time()
                    for _ in range(repeats):
                        await do(place)
                    taken[name].append(1e3 * (process_time() - start) / repeats)
    return taken


async def _peak(name: str, act: str, port: str, size: int) -> float:
    """Return how far memory grows at most, in MiB, over that after a small body."""
    with tempfile.TemporaryDirectory() as folder:
        async with CLIENTS[name]() as client:
            await client[act](_place(port, folder, _PIECE))
            before = memory("VmRSS")
            await client[act](_place(port, folder, size))
            return (memory("VmHWM") - before) / MIB


def measure(rounds: int, sizes: Sequence[int] = SIZES) -> Iterator[Measurement]:
    """Measure each act with each size, both clients in turn; the peaks in fresh processes."""
    with serving() as port:
        for size in sizes:
            for act in ACTS:
                setting = f"{act}, {size / MIB:g} MiB"
                taken = _run("costs", act, port, str(size), str(rounds))
                topic = Topic(BODIES, setting, CPU_OF_BODY, "ms")
                for name in taken:
                    yield topic.compared(taken, name, "raw aiohttp")
                for name in (SYNCED, THREADED):
                    if name in taken:
                        yield topic.compared(taken, "railhttp", name)
                peaks = {name: _run("peak", name, act, port, str(size))["peak"] for name in taken}
                for name in taken:
                    yield Topic(BODIES, setting, PEAK, "MiB").of(name, peaks[name])


def _run(*arguments: str) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.bodies", *arguments]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, list[float]] = json.loads(shown)
    return found


def main(rounds: int) -> None:
    """Print the measurements."""
    for one in measure(rounds):
        ratio = f"{one.ratio.median:6.2f} ×" if one.ratio else ""
        print(f"{one.setting:24} {one.case:30} {one.quantity:16} {one.value.median:8.2f} {ratio}")


if __name__ == "__main__":
    warm_allocator()
    match sys.argv[1:]:
        case ["costs", act, port, size, rounds]:
            print(json.dumps(asyncio.run(_costs(act, port, int(size), int(rounds)))))
        case ["peak", name, act, port, size]:
            print(json.dumps({"peak": [asyncio.run(_peak(name, act, port, int(size)))]}))
        case arguments:
            main(int(arguments[0]) if arguments else 7)
