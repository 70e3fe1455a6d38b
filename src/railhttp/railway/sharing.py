"""One call that several wait for at the same time."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Generic, TypeVar

from returns.future import FutureResult

from railhttp.railway.outcome import run

T = TypeVar("T")
E = TypeVar("E")


def shared(call: FutureResult[T, E]) -> FutureResult[T, E]:
    """Let any number of others go on from one call, at the same time.

    A future may be awaited again once it is done, but only by one until then. A shared one does its
    work in a task of its own, which costs some 25 µs that most calls have no need to pay.

    Args:
        call: Any call, with the steps that are to be made once.

    Returns:
        The same call. It begins when it is first awaited, with the context variables of that
        place. One who is cancelled leaves the others their call; the last one takes it along, and
        waits for its end; who awaits it after that gets a `RuntimeError`.

    Example:
        >>> from returns.result import Success
        >>> from railhttp.railway.concurrency import gather
        >>> async def ask() -> Success[int]:
        ...     await asyncio.sleep(0)
        ...     return Success(7)
        >>> async def main() -> object:
        ...     seven = shared(FutureResult(ask()))
        ...     return await run(gather(seven.map(str), seven.map(float)))
        >>> asyncio.run(main())
        <Success: ('7', 7.0)>
    """
    return FutureResult(SharedWork(run(call)))


class SharedWork(Generic[T]):
    """Does something once, for all who wait for it.

    The first one who waits starts the work in a task, with the context variables that it has; the
    others join. One who is cancelled leaves; the last one takes the work along, and waits until it
    has cleaned up. So no task outlives those who wait for it.

    Args:
        work: What is done; it begins when it is first awaited.
    """

    __slots__ = ("_is_abandoned", "_task", "_waiting", "work")

    def __init__(self, work: Coroutine[object, object, T]) -> None:
        self.work = work
        self._task: asyncio.Task[T] | None = None
        self._waiting = 0
        self._is_abandoned = False

    def __await__(self) -> Generator[object, None, T]:
        return self._wait().__await__()

    async def _wait(self) -> T:
        if self._is_abandoned:
            raise RuntimeError("this call was cancelled and gives no outcome: make a new one")
        if self._task is None:
            self._task = asyncio.ensure_future(self.work)
        task = self._task
        self._waiting += 1
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done() or self._waiting > 1:
                raise
            self._is_abandoned = True
            task.cancel()
            return await task  # as if it had been awaited alone: its clean-up may have a say
        finally:
            self._waiting -= 1
