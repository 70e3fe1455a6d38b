"""Hands events to one observer, in order, whatever it does with them."""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Coroutine
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
        """Hear of an event.

        Args:
            event: What has happened, see `railhttp.model.events`.

        Returns:
            Anything; where it is an awaitable, as of an `async def`, it is awaited.
        """
        ...


class Mailbox:
    """What one observer still has to do, in order.

    Args:
        observer: Whom to tell.

    Attributes:
        task: What works it off, or did so last; None where there never was anything to do.
    """

    __slots__ = ("_observer", "_overflowing", "_pending", "task")

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._pending: deque[Awaitable[object]] = deque()
        self._overflowing = False
        self.task: asyncio.Task[None] | None = None

    def post(self, event: "HTTPEvent") -> None:
        """Tell the observer, now or as soon as it is ready for it; whatever it does."""
        if (self._pending or self._overflowing) and self._is_full():
            return
        try:
            result = self._observer(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # never breaks a call
            self._complain(error)
            return
        if result is not None and inspect.isawaitable(result):  # most give None, which is cheap
            self._pending.append(result)
            if not self.is_busy:
                self.task = asyncio.get_running_loop().create_task(self._work())

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return self.task is not None and not self.task.done()

    def forget(self) -> None:
        """Forget what has not begun."""
        while self._pending:
            awaitable = self._pending.popleft()
            if isinstance(awaitable, Coroutine):
                awaitable.close()  # or Python warns that it was never awaited

    async def _work(self) -> None:
        while self._pending:
            try:
                await self._pending.popleft()
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
        # Neither its text nor its traceback: they may hold what the event holds.
        _LOG.warning("observer %s raised %s", self._name, type(error).__name__)

    @property
    def _name(self) -> str:
        return getattr(self._observer, "__qualname__", type(self._observer).__qualname__)
