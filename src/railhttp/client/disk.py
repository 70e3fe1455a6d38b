"""Threads for the files of downloads. A slow disk keeps nothing else waiting.

The threads of the event loop also look up names, so they are not used for files.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from railhttp.client.stream_request import StreamRequest
from railhttp.model.errors import HTTPInvalidRequestError

T = TypeVar("T")

MAX_THREADS: Final = 16
"""How many downloads use their files at the same time, in the whole process."""

GRACE: Final = 0.05
"""Seconds for which an interrupted download waits for its disk, so that its part can usually be
resumed at once."""


class _Threads:
    """The executor; a forked process starts with a new one, because it has none of the threads."""

    def __init__(self) -> None:
        self.grace = GRACE
        self.renew()

    def renew(self) -> None:
        self.executor: Executor = ThreadPoolExecutor(
            MAX_THREADS, thread_name_prefix="railhttp-disk"
        )


_THREADS: Final = _Threads()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_THREADS.renew)


@contextmanager
def disk_threads(executor: Executor, grace: float) -> Generator[None, None, None]:
    """Run the blocking work of all downloads in another executor, for the length of a block.

    Args:
        executor: It runs the work.
        grace: Replaces `GRACE`, in seconds.
    """
    before = _THREADS.executor, _THREADS.grace
    _THREADS.executor, _THREADS.grace = executor, grace
    try:
        yield
    finally:
        _THREADS.executor, _THREADS.grace = before


class Disk:
    """Runs the blocking work of one download, one function after the other.

    Args:
        request: Its time limit and its client bound each function.
    """

    def __init__(self, request: StreamRequest) -> None:
        self._request = request
        self._latest: Future[object] | None = None

    async def run(self, *acts: Callable[[], object]) -> None:
        """Run blocking functions in a thread, one after the other.

        Interrupted by the time limit or a cancellation, this ends after at most `GRACE`. A function
        that has begun then runs to its end in its thread, and those after it are not called.

        Args:
            *acts: The functions.

        Raises:
            HTTPInvalidRequestError: A function raised `OSError` or `ValueError` (field `path`).
        """
        await self._visit(deque(acts))

    async def get(self, act: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Run a blocking function in a thread, and return its result; see `run`.

        Args:
            act: The function.
            undo: Called with the result if the wait for it was interrupted.
        """
        results: list[T] = []
        try:
            await self._visit(deque([lambda: results.append(act())]))
        except BaseException:
            await self.finish(lambda: [undo(result) for result in results])
            raise
        return results[0]

    async def _visit(self, acts: deque[Callable[[], object]]) -> None:
        def work_off() -> None:
            while acts:
                acts.popleft()()

        await self.rest()
        with self._request.bound():
            work = self._submit(work_off)
            try:
                await _end(work)
            except asyncio.CancelledError:
                acts.clear()
                if not work.cancel():
                    with suppress(asyncio.CancelledError):  # raised again below
                        await asyncio.wait([_end(work)], timeout=_THREADS.grace)
                raise
        try:
            work.result()
        except BlockingIOError as error:
            raise self._failure("another download of it is under way") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error  # a NUL in the path
            raise self._failure(f"cannot be written: {reason}") from error

    def _failure(self, message: str) -> HTTPInvalidRequestError:
        return HTTPInvalidRequestError(message, field="path", **self._request.call_info())

    async def rest(self) -> None:
        """Wait until no function runs any more, within the time limit."""
        latest = self._latest
        if latest is not None and not latest.done():
            with self._request.bound():
                await _end(latest)

    async def finish(self, act: Callable[[], object]) -> None:
        """Run a blocking function after all others, whatever the time limit.

        It waits for at most `GRACE`, and not at all if an earlier function still runs.
        """

        def quietly(_: object = None) -> None:
            with suppress(OSError, ValueError):
                act()

        latest = self._latest
        if latest is None or latest.done():
            await asyncio.wait([_end(self._submit(quietly))], timeout=_THREADS.grace)
        else:
            latest.add_done_callback(quietly)  # called in the same thread

    def _submit(self, act: Callable[[], object]) -> Future[object]:
        work: Future[object] = _THREADS.executor.submit(act)
        self._latest = work
        return work


def _end(work: Future[object]) -> asyncio.Future[None]:
    """Return a future for the end of the work; to cancel it does not cancel the work."""
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not end.done():
            end.set_result(None)

    def finished(_: object) -> None:
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(wake)

    work.add_done_callback(finished)
    return end
