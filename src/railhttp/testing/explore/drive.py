"""Runs a program to its end on a manual clock, or finds out that it has none."""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from selectors import BaseSelector
from typing import Final, ParamSpec

from typing_extensions import TypeVar, override

from railhttp.client.disk import disk_threads
from railhttp.testing.clock import ManualClock
from railhttp.testing.explore.injection import MOST_SENDS, InjectingExchange

T = TypeVar("T")
P = ParamSpec("P")

_MOST_TURNS: Final = 10_000
"""Limit of loop turns without time passing: tasks can wake each other forever."""

_BLIND_TURNS: Final = 250
"""Turns of a loop such as uvloop, which does not show whether callbacks are ready."""

_MOST_TIMERS: Final = 10_000
"""Limit of timers in one run: a program that reaches it is taken to be endless."""

_INTERVAL: Final = 0.002
"""Seconds of real time between two checks of a program that waits for threads or sockets."""

_MOST_IDLE_CHECKS: Final = 50
"""Limit of checks without a thread, a timer or a socket that could wake the program."""

_DISK_GRACE: Final = 60.0
"""Seconds for which a download that breaks off waits for its disk, so that what it keeps, and thus
the calls of the program, never depend on how busy the machine is."""


class RunClock(ManualClock):
    """The clock of a run; it settles in few turns of the loop because no sockets are involved."""

    @override
    async def settle(self) -> None:
        # Private, as in ManualClock.settle: asyncio has no public equivalent.
        ready: Sized | None = getattr(asyncio.get_running_loop(), "_ready", None)
        for _ in range(_BLIND_TURNS if ready is None else _MOST_TURNS):
            await asyncio.sleep(0)
            if ready is not None and not ready:
                break


class NoProgressError(Exception):
    """A program waits for something that will never come, or never stops making requests."""


class CountingExecutor(ThreadPoolExecutor):
    """Runs work in threads and counts it, because the clock must wait for it.

    Work counts until the callbacks of its future have run, which wake the loop. A thread may get no
    CPU for long between the end of the work and them.
    """

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="explore")
        self._under_way: Final[set[object]] = set()
        self.submitted: int = 0

    @property
    def is_working(self) -> bool:
        """Whether work is under way."""
        return bool(self._under_way)

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        promised: Future[T] = Future()
        self.submitted += 1

        def work() -> None:
            if not promised.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # raised again where it is awaited
                promised.set_exception(error)
            else:
                promised.set_result(result)

        done = super().submit(work)
        self._under_way.add(done)
        done.add_done_callback(self._under_way.discard)
        return promised


@contextmanager
def counted_threads() -> Generator[CountingExecutor, None, None]:
    """Count the work in threads of the running loop and of downloads, for the length of a block."""
    loop = asyncio.get_running_loop()
    # asyncio has no public getter; a loop without the attribute gets a new executor afterwards.
    before: ThreadPoolExecutor | None = getattr(loop, "_default_executor", None)
    executor = CountingExecutor()
    loop.set_default_executor(executor)
    try:
        with disk_threads(executor, _DISK_GRACE):
            yield executor
    finally:
        loop.set_default_executor(before or ThreadPoolExecutor())
        executor.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class Driver:
    """Advances a manual clock from timer to timer until a program is done.

    Args:
        clock: The clock.
        exchange: The exchange of the program's client.
        threads: The executor of its work in threads.
        patience: Seconds of real time that it may wait for something other than the clock.
    """

    clock: ManualClock
    exchange: InjectingExchange
    threads: CountingExecutor
    patience: float

    async def run(self, program: Awaitable[T]) -> T:
        """Await a program.

        Raises:
            NoProgressError: The program hangs, or makes requests forever.
        """
        task = asyncio.ensure_future(program)
        try:
            await self.clock.settle()
            timers = 0
            while not task.done():
                timers += 1
                if self.exchange.endless:
                    raise NoProgressError(f"it made more than {MOST_SENDS} requests")
                if timers > _MOST_TIMERS:
                    raise NoProgressError(f"it waited for more than {_MOST_TIMERS} timers")
                await self._step(task)
            return task.result()
        finally:
            await cancelled(task)

    async def _step(self, task: asyncio.Future[T]) -> None:
        """Wait for work in a thread, ring the next timer, or wait for anything else."""
        # Checks are counted, not seconds: a process that gets no CPU does not run out of patience.
        checks = idle = 0
        while True:
            is_working = await self._has_work()
            if task.done():
                return
            if not is_working and (due := self.clock.next_timer) is not None:
                break
            if checks * _INTERVAL >= self.patience or idle > _MOST_IDLE_CHECKS:
                raise NoProgressError("it waits for something that never comes")
            checks += 1
            idle = 0 if is_working or _may_be_woken() else idle + 1
            await asyncio.wait({task}, timeout=_INTERVAL)
        now = self.clock.monotonic()
        seconds = due - now
        while now + seconds < due:  # a rounding error would leave the timer in the future
            seconds = math.nextafter(seconds, math.inf)
        await self.clock.advance(seconds)

    async def _has_work(self) -> bool:
        """Whether a thread works, after everything that its end woke has run."""
        while not self.threads.is_working:
            submitted = self.threads.submitted
            if submitted:
                await self.clock.settle()
            if self.threads.submitted == submitted:
                return False
        return True


def _may_be_woken() -> bool:
    """Whether a timer of the loop, a socket or a thread of the program may wake somebody."""
    return _has_timers() or _has_sockets() or any(map(_is_foreign, threading.enumerate()))


def _has_timers() -> bool:
    # asyncio has no public getter; a loop without the attribute may have timers.
    scheduled: Iterable[asyncio.TimerHandle] | None = getattr(
        asyncio.get_running_loop(), "_scheduled", None
    )
    return scheduled is None or any(not timer.cancelled() for timer in scheduled)


def _has_sockets() -> bool:
    # The same; one socket is the loop's own, by which threads wake it.
    selector: BaseSelector | None = getattr(asyncio.get_running_loop(), "_selector", None)
    return selector is None or len(selector.get_map()) > 1


def _is_foreign(thread: threading.Thread) -> bool:
    """Whether a thread is neither this one nor one of an executor whose work is counted."""
    known = thread is threading.current_thread() or thread is threading.main_thread()
    return not (known or thread.name.startswith(("explore", "railhttp-disk", "asyncio_")))


async def cancelled(*tasks: asyncio.Future[T]) -> None:
    """Cancel tasks that are not done, and wait for their end."""
    under_way = [task for task in tasks if not task.done()]
    for task in under_way:
        task.cancel()
    if under_way:
        await asyncio.wait(under_way, timeout=1.0)
