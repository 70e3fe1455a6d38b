"""A process that measures one case, as it is told on its standard input.

python -m benchmarks.worker CASE LOOP CORE
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.cases import CASES, Send
from benchmarks.server import pin

_STATUS: Final = Path("/proc/self/status")

COLD: Final = "COLD_ALLOCATOR"
"""The variable in whose environment a worker does not call `warm_allocator`."""


class Task(NamedTuple):
    """What a worker is asked to do.

    Attributes:
        urls: Where the requests go, in turn.
        requests: How many in all.
        concurrency: How many at a time.
        expected: What each one has to come to.
    """

    urls: Sequence[str]
    requests: int
    concurrency: int
    expected: object


class Sample(NamedTuple):
    """What it took.

    Attributes:
        requests: How many requests were made.
        cpu: Seconds of CPU, of all threads.
        wall: Seconds on the clock.
        resident: Bytes of memory that are in use after it.
    """

    requests: int
    cpu: float
    wall: float
    resident: int


def warm_allocator() -> None:
    """Free one large block, as any large program has done at some time.

    asyncio receives into blocks of 256 KiB. As long as nothing larger was ever freed, glibc gives
    each such block its own mmap and munmap, a fifth of raw aiohttp's CPU; a program that imported
    enough does not pay that. So that imports do not decide the race, all have it behind them.
    """
    bytes(16 * 1024 * 1024)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Give what makes an event loop of some kind."""
    if name == "uvloop":
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
        return factory
    return asyncio.new_event_loop


async def perform(send: Send, task: Task) -> Sample:
    """Do a task, after as many requests as it takes to have all connections open."""
    await _requests(send, task._replace(requests=max(task.concurrency, len(task.urls))))
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await _requests(send, task)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Sample(task.requests, cpu, wall, memory("VmRSS"))


async def _requests(send: Send, task: Task) -> None:
    urls = islice(cycle(task.urls), task.requests)

    async def work() -> None:
        for url in urls:
            answer = await send(url)
            if answer != task.expected:
                raise ValueError(f"{url} came to {answer!r}")

    async with asyncio.TaskGroup() as group:
        for _ in range(task.concurrency):
            group.create_task(work())


def memory(field: str) -> int:
    """Give a number of bytes from the kernel's books: `VmRSS` is in use, `VmHWM` was at most."""
    if not _STATUS.exists():  # a system that is not Linux knows only the second one
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main(case: str, loop: str, core: str) -> None:
    """Do what the lines of standard input say; answer each with a line on standard output."""
    pin(int(core) if core else None)
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        client = CASES[case]()
        send = runner.run(client.__aenter__())
        if COLD not in os.environ:
            warm_allocator()
        for line in sys.stdin:
            sample = runner.run(perform(send, Task(*json.loads(line))))
            print(json.dumps(sample), flush=True)
        runner.run(client.__aexit__(None, None, None))


if __name__ == "__main__":
    main(*sys.argv[1:])
