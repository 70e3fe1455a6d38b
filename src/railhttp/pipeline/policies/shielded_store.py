"""The way of a policy to its store, which may wait and may fail where a call must not."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final, Generic, TypeVar

from railhttp.model.errors import CallInfo
from railhttp.pipeline.policies.foreign import policy_failed
from railhttp.pipeline.policies.store import Decide, MemoryStore
from railhttp.protocols import Clock, StateStore

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

_LOG: Final = logging.getLogger("railhttp")


def is_waitless(store: StateStore[S] | None) -> bool:
    """Whether a store decides at once, as the one in this process does that None stands for.

    Example:
        >>> is_waitless(None), is_waitless(MemoryStore[int]())
        (True, True)
    """
    return store is None or _local(store) is not None


def _local(store: StateStore[S]) -> MemoryStore[S] | None:
    # A subclass with an `apply` of its own may wait in it.
    if isinstance(store, MemoryStore) and type(store).apply is MemoryStore.apply:
        return store
    return None


class ShieldedStore(Generic[S]):
    """A policy's way to its store, which may take its time and may fail.

    A caller that is cancelled does not wait for a store, and yet each decision is made to its end:
    no probe's slot and no token is left behind. Reports come after a call's outcome, so they cannot
    change it: where a store fails, that is logged.

    Args:
        store: The store, one in this process where None.
        clock: What tells that one the time.

    Attributes:
        peek: See `StateStore.peek`.

    Example:
        >>> def count(state: int | None, event: int, now: float) -> tuple[int, None]:
        ...     return (state or 0) + event, None
        >>> from railhttp.pipeline.clock import SYSTEM_CLOCK
        >>> store = ShieldedStore[int](None, SYSTEM_CLOCK)
        >>> asyncio.run(store.report("a", count, 2, 3)), store.peek("a")
        (None, 5)
    """

    __slots__ = ("_local", "_pending", "_store", "peek")

    def __init__(self, store: StateStore[S] | None, clock: Clock) -> None:
        self._store = MemoryStore[S](clock=clock) if store is None else store
        self._local = _local(self._store)
        self._pending: set[asyncio.Task[object]] = set()
        self.peek = self._store.peek

    @property
    def is_waitless(self) -> bool:
        """Whether it decides at once."""
        return self._local is not None

    async def apply(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Let the policy decide; whatever goes wrong is the caller's, see `StateStore.apply`."""
        return await self._store.apply(key, decide, event)

    async def decide(
        self,
        key: str,
        decide: Decide[S, E, D],
        event: E,
        *,
        facts: Callable[[], CallInfo],
        undo: Callable[[D], None] | None = None,
    ) -> D:
        """Let the policy decide about a call.

        Args:
            key: Whose state it is.
            decide: See `StateStore.apply`.
            event: What has happened.
            facts: Says what a failure has to know of the call.
            undo: Takes back a decision that came too late for its call.

        Returns:
            The decision.

        Raises:
            HTTPInterceptorError: The store raised.
        """
        if self._local is not None:
            return self._local.apply_now(key, decide, event)
        try:
            return await self._awaited(self._store.apply(key, decide, event), undo)
        except Exception as error:
            raise policy_failed(error, facts()) from error

    async def report(self, key: str, decide: Decide[S, E, object], *events: E) -> None:
        """Tell the policy what has happened, one after the other; see the class."""
        if self._local is not None:
            self.report_later(key, decide, *events)
        else:
            await self._awaited(self._deliver(key, decide, events))

    def report_later(self, key: str, decide: Decide[S, E, object], *events: E) -> None:
        """Do the same without waiting for it."""
        if self._local is None:
            self._begin(self._deliver(key, decide, events))
            return
        for event in events:
            self._local.apply_now(key, decide, event)

    async def _deliver(self, key: str, decide: Decide[S, E, object], events: tuple[E, ...]) -> None:
        try:
            for event in events:
                await self._store.apply(key, decide, event)
        except Exception as error:  # noqa: BLE001  # the call is over: a store breaks it no more
            # Not its text: it may name what nobody should read.
            _LOG.warning("%s raised %s", type(self._store).__name__, type(error).__name__)

    async def _awaited(
        self, deciding: Coroutine[object, object, D], undo: Callable[[D], None] | None = None
    ) -> D:
        task = self._begin(deciding)
        try:
            await asyncio.wait([task])  # which leaves the task alone when the caller is cancelled
        except asyncio.CancelledError:
            if undo is not None:
                task.add_done_callback(lambda done: _take_back(done, undo))
            raise
        return task.result()

    def _begin(self, deciding: Coroutine[object, object, D]) -> "asyncio.Task[D]":
        task = asyncio.get_running_loop().create_task(deciding)
        self._pending.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._pending.discard)
        return task


def _take_back(done: "asyncio.Task[D]", undo: Callable[[D], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        undo(done.result())
