"""Delivers events to one observer, in order."""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Coroutine
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from railhttp.model.events import HTTPEvent

MAX_PENDING: Final = 1000  # events that wait for one slow observer: about a megabyte

_LOG: Final = logging.getLogger("railhttp")


class Observer(Protocol):
    """A function that receives events, async or not.

    Example:
        >>> from railhttp import HTTPClient
        >>> client = HTTPClient(observers=[print])
    """

    def __call__(self, event: "HTTPEvent", /) -> object:
        """Handle an event of `railhttp.events`.

        Returns:
            Anything; an awaitable, as of an `async def`, is awaited.
        """
        ...


class ObserverQueue:
    """The events that one observer has not handled yet.

    Attributes:
        task: Awaits what an async observer returns; None if there never was anything to await.
    """

    __slots__ = ("_observer", "_overflowing", "_pending", "task")

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._pending: deque[tuple[Awaitable[object], Context]] = deque()
        self._overflowing = False
        self.task: asyncio.Task[None] | None = None

    def put(self, event: "HTTPEvent") -> None:
        """Call the observer; the result of an async one is awaited later, in order."""
        if (self._pending or self._overflowing) and self._is_full():
            return
        try:
            observer = self._observer  # a function, see `EventPublisher.attempt_sent`
            result = observer(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # never breaks a call
            self._complain(error)
            return
        if result is not None and inspect.isawaitable(result):  # most return None, which is cheap
            was_busy = self.is_busy
            self._pending.append((result, copy_context()))
            if not was_busy:
                self._handle_next()

    @property
    def is_busy(self) -> bool:
        """Whether the observer still has an event to handle."""
        return bool(self._pending) or (self.task is not None and not self.task.done())

    def stop(self) -> None:
        """Cancel the observer, and drop the events that it has not begun to handle."""
        while self._pending:
            awaitable, _ = self._pending.popleft()
            if isinstance(awaitable, Coroutine):
                awaitable.close()  # or Python warns that it was never awaited
        if self.task is not None:
            self.task.cancel()

    def _handle_next(self, _: object = None) -> None:
        if self._pending:
            awaitable, context = self._pending.popleft()
            # In the context of its own call, not of the call that made the observer busy.
            loop = asyncio.get_running_loop()
            self.task = loop.create_task(self._handle(awaitable), context=context)
            self.task.add_done_callback(self._handle_next)

    async def _handle(self, awaitable: Awaitable[object]) -> None:
        try:
            await awaitable
        except asyncio.CancelledError as error:
            if self.task is not None and self.task.cancelling():
                raise
            self._complain(error)
        except Exception as error:  # noqa: BLE001  # an observer never breaks a call
            self._complain(error)

    def _is_full(self) -> bool:
        full = len(self._pending) >= MAX_PENDING
        if full and not self._overflowing:
            _LOG.warning("observer %s is too slow and misses events", self._name)
        self._overflowing = full
        return full

    def _complain(self, error: BaseException) -> None:
        # Without its text and traceback, which may hold what the event holds.
        _LOG.warning("observer %s raised %s", self._name, type(error).__name__)

    @property
    def _name(self) -> str:
        return getattr(self._observer, "__qualname__", type(self._observer).__qualname__)
