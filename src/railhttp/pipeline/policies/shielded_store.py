"""Protects calls from a store, which may wait and may fail when a call must not."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final, Generic, TypeGuard, TypeVar

from railhttp.model.clock import Clock
from railhttp.model.errors import CallInfo, HTTPCircuitOpenError, HTTPInterceptorError
from railhttp.pipeline.call import Call
from railhttp.pipeline.policies.store import (
    STORE_WAIT,
    Decide,
    MemoryStore,
    StateStore,
    StoreRefusal,
    StoreServerProtocol,
    StoreWait,
    server_of,
)

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

_LOG: Final = logging.getLogger("railhttp")


class ShieldedStore(Generic[S]):
    """A policy's access to its store.

    A cancelled caller does not wait for the store, and yet every decision is completed, so no
    probe's slot and no token is lost. Reports come after the outcome of a call and cannot change
    it: if the store fails then, that is logged.

    Args:
        store: The store; one in this process if None. That one uses the clock of each call.

    Attributes:
        peek: See `StateStore.peek`.
        server: The server of a shared store, if it has one.
    """

    __slots__ = ("_local", "_own_clock", "_pending", "_store", "peek", "server")

    def __init__(self, store: StateStore[S] | None) -> None:
        self._store = MemoryStore[S]() if store is None else store
        self._own_clock = store is not None
        self._local = self._store if _is_local(self._store) else None
        self._pending: set[asyncio.Task[object]] = set()
        self.peek: Callable[[str], S | None] = (
            self._store.peek if self._local is None else self._local.lookup
        )
        self.server: StoreServerProtocol | None = server_of(store)

    async def apply(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Let the policy decide; the caller handles what goes wrong, see `StateStore.apply`."""
        return await self._store.apply(key, decide, event)

    async def decide(
        self,
        key: str,
        decide: Decide[S, E, D],
        event: E,
        call: Call,
        *,
        info: Callable[[], CallInfo] | None = None,
        undo: Callable[[D], None] | None = None,
    ) -> D:
        """Let the policy decide about a call; `info` replaces the details of the call in failures.

        Raises:
            HTTPCircuitOpenError: The store refuses calls.
            HTTPInterceptorError: The store raised.
        """
        if self._local is not None:
            return self._now(self._local, key, decide, event, call.clock)
        info = info or call.call_info
        try:
            return await self._awaited(self._store.apply(key, decide, event), call, undo)
        except StoreRefusal as refusal:
            message = f"the shared state of {refusal.name} cannot be reached"
            raise HTTPCircuitOpenError(message, name=refusal.name, **info()) from None
        except Exception as error:
            message = f"a policy raised {type(error).__name__}"
            raise HTTPInterceptorError(message, **info()) from error

    async def report(self, key: str, decide: Decide[S, E, object], *events: E, call: Call) -> None:
        """Report events to the policy, in order; see the class."""
        if self._local is not None:
            self.report_later(key, decide, *events, clock=call.clock)
        else:
            await self._awaited(self._deliver(key, decide, events), call)

    def report_later(
        self, key: str, decide: Decide[S, E, object], *events: E, clock: Clock
    ) -> None:
        """Do the same without waiting for it."""
        if self._local is None:
            self._begin(self._deliver(key, decide, events))
            return
        for event in events:
            self._now(self._local, key, decide, event, clock)

    def _now(
        self, local: MemoryStore[S], key: str, decide: Decide[S, E, D], event: E, clock: Clock
    ) -> D:
        now = (local.clock if self._own_clock else clock).monotonic()
        return local.apply_now(key, decide, event, now)

    async def _deliver(self, key: str, decide: Decide[S, E, object], events: tuple[E, ...]) -> None:
        try:
            for event in events:
                await self._store.apply(key, decide, event)
        except Exception as error:  # noqa: BLE001  # the call is over: a store breaks it no more
            # Without its text, which may hold secrets.
            _LOG.warning("%s raised %s", type(self._store).__name__, type(error).__name__)

    async def _awaited(
        self,
        deciding: Coroutine[object, object, D],
        call: Call,
        undo: Callable[[D], None] | None = None,
    ) -> D:
        if call.store_wait is None:
            call.store_wait = StoreWait()
        before = STORE_WAIT.set(call.store_wait)  # the task gets a copy of the context
        task = self._begin(deciding)
        STORE_WAIT.reset(before)
        try:
            await asyncio.wait([task])  # which leaves the task alone when the caller is cancelled
        except asyncio.CancelledError:
            if undo is not None:
                task.add_done_callback(lambda done: _revert(done, undo))
            raise
        return task.result()

    def _begin(self, deciding: Coroutine[object, object, D]) -> "asyncio.Task[D]":
        task = asyncio.get_running_loop().create_task(deciding)
        self._pending.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._pending.discard)
        return task


def _is_local(store: StateStore[S]) -> TypeGuard[MemoryStore[S]]:
    # A subclass may wait in its `apply`, or know more than its own states.
    if not isinstance(store, MemoryStore):
        return False
    return type(store).apply is MemoryStore.apply and type(store).peek is MemoryStore.peek


def _revert(done: "asyncio.Task[D]", undo: Callable[[D], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        undo(done.result())
