"""A process in callgrind that makes the calls of some cases, each in its own fork.

python -m benchmarks.instructions.worker LOOP CALLS CONCURRENCY CASE URL [CASE URL]...

It prints the process id of each case. Forks share one import of everything, and leave nothing to
each other: a case has the same figure alone and among others.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from itertools import repeat

from benchmarks.cases import CASES, Send
from benchmarks.instructions.callgrind import Counter
from benchmarks.worker import loop_factory, warm_allocator
from railhttp.pipeline.observation import metrics


async def count(case: str, url: str, calls: int, concurrency: int) -> None:
    """Make some calls, then twice as many, and dump the instructions of each series.

    The difference is the cost of the calls alone, without the start and end of a series.
    """
    counter = Counter()
    async with CASES[case]() as send:
        await _calls(send, url, max(calls, 3 * concurrency), concurrency)
        gc.collect()
        gc.disable()  # a collection would hit one series or the other
        counter.start()
        await _calls(send, url, calls, concurrency)
        counter.dump()
        await _calls(send, url, 2 * calls, concurrency)
        counter.dump()
        counter.stop()


async def _calls(send: Send, url: str, calls: int, concurrency: int) -> None:
    urls = iter(repeat(url, calls))
    await asyncio.gather(*(_work(send, urls) for _ in range(concurrency)))


async def _work(send: Send, urls: Iterator[str]) -> None:
    for url in urls:
        await send(url)


def main(loop: str, calls: str, concurrency: str, *cases: str) -> None:
    """Count one case after the other."""
    warm_allocator()
    # A program in callgrind is fifty times as slow. What is done ten times a second, whatever the
    # number of calls, would be counted fifty times as often: 7 thousand instructions in each call.
    setattr(metrics, "_GAUGE_SECONDS", 50 * metrics._GAUGE_SECONDS)  # noqa: B010  # it is final
    gc.freeze()
    for case, url in zip(cases[::2], cases[1::2], strict=True):
        process = os.fork()
        if not process:
            with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
                runner.run(count(case, url, int(calls), int(concurrency)))
            return
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        if status:
            raise SystemExit(f"{case!r} has failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
