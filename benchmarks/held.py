"""The memory of a call in flight and of an idle connection, beside raw aiohttp.

`python -m benchmarks.held [calls]` prints it alone. A server holds all responses back until the
memory has been read. Allocated is what Python objects take (`tracemalloc`). The resident set keeps
much of what the calls took for a moment, while they all connected at once.
"""

import asyncio
import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

import aiohttp

from benchmarks.goals import ALLOCATED, HELD, IDLE, IN_FLIGHT, RESIDENT
from benchmarks.report import Measurement, Topic
from benchmarks.worker import memory, warm_allocator
from railhttp import ConnectionPoolConfig, HTTPClient, HTTPClientConfig

Get: TypeAlias = Callable[[str], Awaitable[object]]
Read: TypeAlias = Callable[[], int]

CALLS: Final = 500
_RESPONSE: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)


async def _serve(calls: int) -> None:
    """Hold back responses for `/held` until `/go`; respond to `/ready` if there are `calls`."""
    held: list[asyncio.StreamWriter] = []
    are_held = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                match (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]:
                    case b"/held":
                        held.append(writer)
                        if len(held) == calls:
                            are_held.set()
                        continue
                    case b"/ready":
                        await are_held.wait()
                    case b"/go":
                        for one in held:
                            one.write(_RESPONSE)
                        held.clear()
                        are_held.clear()
                writer.write(_RESPONSE)

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2 * CALLS)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def _serving(calls: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.held", "serve", str(calls)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


async def _sizes(get: Get, base: str, calls: int, read: Read) -> dict[str, float]:
    """Return the KiB that each call, and then each connection, takes."""
    await asyncio.gather(*(get(base) for _ in range(3)))
    before = read()
    tasks = [asyncio.ensure_future(get(f"{base}/held")) for _ in range(calls)]
    await get(f"{base}/ready")
    in_flight = read() - before
    await get(f"{base}/go")
    await asyncio.gather(*tasks)
    del tasks
    idle = read() - before
    return {IN_FLIGHT: in_flight / calls / 1024, IDLE: idle / calls / 1024}


def _allocated() -> int:
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _resident() -> int:
    gc.collect()
    return memory("VmRSS")


QUANTITIES: Final[Mapping[str, Read]] = {ALLOCATED: _allocated, RESIDENT: _resident}


async def _railhttp(base: str, calls: int, read: Read) -> dict[str, float]:
    most = 2 * calls + 10  # one of several hosts would get four fifths
    limits = ConnectionPoolConfig(most, most, most)
    async with HTTPClient(config=HTTPClientConfig(limits)) as client:

        async def get(url: str) -> None:
            assert (await client.get(url, timeout=None)).unwrap().status == 200

        return await _sizes(get, base, calls, read)


async def _aiohttp(base: str, calls: int, read: Read) -> dict[str, float]:
    connector = aiohttp.TCPConnector(limit=calls + 10)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def get(url: str) -> None:
            async with session.get(url) as response:
                await response.read()
                assert response.status == 200

        return await _sizes(get, base, calls, read)


CLIENTS: Final = {"railhttp": _railhttp, "raw aiohttp": _aiohttp}


def measure(calls: int = CALLS) -> Iterator[Measurement]:
    """Measure each client in fresh processes."""
    for quantity in QUANTITIES:
        with _serving(calls) as base:
            found = {name: _run(name, quantity, base, calls) for name in CLIENTS}
        for state in (IN_FLIGHT, IDLE):
            series = {name: [sizes[state]] for name, sizes in found.items()}
            topic = Topic(HELD, f"{state}, {calls} at once", quantity, "KiB")
            for name in CLIENTS:
                yield topic.compared(series, name, "raw aiohttp")


def _run(name: str, quantity: str, base: str, calls: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.held", name, quantity, base, str(calls)]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    sizes: dict[str, float] = json.loads(shown)
    return sizes


def main(calls: int) -> None:
    """Print the measurements."""
    for one in measure(calls):
        assert one.ratio is not None
        numbers = f"{one.value.median:6.2f} KiB {one.ratio.median:6.3f}"
        print(f"{one.setting:36} {one.case:12} {one.quantity:28} {numbers}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", calls]:
            asyncio.run(_serve(int(calls)))
        case [name, quantity, base, calls]:
            warm_allocator()
            sizes = CLIENTS[name](base, int(calls), QUANTITIES[quantity])
            print(json.dumps(asyncio.run(sizes)))
        case arguments:
            main(int(arguments[0]) if arguments else CALLS)
