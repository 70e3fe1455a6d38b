"""Fires the documented payloads, each at its moment; see `railhttp.model.events`."""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Final, TypeAlias

from railhttp.model.errors import HTTPRetryExhaustedError, HTTPTimeoutError
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.observation import Dispatch, Ending
from railhttp.protocols import Clock

Observer: TypeAlias = Callable[[HTTPEvent], object]
"""Receives events. Where it returns an awaitable, as an `async def` does, that is awaited."""

MAX_PENDING: Final = 1000  # events that wait for one slow observer: about a megabyte
DRAIN_SECONDS: Final = 1.0  # how long a client that stops waits for slow observers

_LOG: Final = logging.getLogger("railhttp")


class EventPublisher:
    """The instrument that tells observers.

    Each attempt fires `HTTPRequestSentHook`, and `HTTPResponseReceivedHook` where an answer came.
    Each call ends with at most one of `RequestCompletedEvent` (an answer of any status),
    `RequestTimeoutEvent` (its failure is an `HTTPTimeoutError`) and `RequestRetryExhaustedEvent`
    (several attempts failed and the last one in another way); a single failed attempt, a refusal
    and a cancellation fire none of them.

    A plain function is called on the spot, so it must be quick. What an async one does is awaited
    apart from the request, for each observer one event after the other. One that falls behind by
    1000 events misses those that follow until it has caught up.

    Args:
        observers: They are told in this order.
        clock: What tells the time.

    Example:
        >>> from railhttp.pipeline.clock import SYSTEM_CLOCK
        >>> from railhttp.model.request import Request, Route
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/?token=abc"), None, None, None, Route())
        >>> publisher = EventPublisher([print], SYSTEM_CLOCK)
        >>> observation = publisher.attempt_started(Dispatch(request))
        HTTPRequestSentHook(method='GET', url='http://h/?token=***')
    """

    def __init__(self, observers: Iterable[Observer], clock: Clock) -> None:
        self._mailboxes = tuple(Mailbox(observer) for observer in observers)
        self._clock = clock

    def __bool__(self) -> bool:
        return bool(self._mailboxes)

    def call_started(self, call: Dispatch) -> "CallEvents":
        """Remember a call until it ends."""
        return CallEvents(self, call)

    def attempt_started(self, attempt: Dispatch) -> "AttemptEvents":
        """Fire that an attempt is dispatched."""
        self.publish(HTTPRequestSentHook(method=attempt.method, url=attempt.shown_url))
        return AttemptEvents(self, attempt)

    def publish(self, event: HTTPEvent) -> None:
        """Tell all observers of an event."""
        for mailbox in self._mailboxes:
            mailbox.post(event)

    async def drain(self) -> None:
        """Wait a moment for what async observers still do, then cancel it."""
        tasks = [box.task for box in self._mailboxes if box.task is not None and box.is_busy]
        if not tasks:
            return
        timer = asyncio.create_task(self._clock.sleep(DRAIN_SECONDS))
        done = asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait((timer, done), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for mailbox in self._mailboxes:
                mailbox.discard()
            # One turn delivers the cancellation; an observer that ignores it is left behind.
            await asyncio.sleep(0)


class CallEvents:
    """Fires what a call ends with.

    Args:
        publisher: Who tells the observers.
        call: The call.
    """

    __slots__ = ("_call", "_publisher")

    def __init__(self, publisher: EventPublisher, call: Dispatch) -> None:
        self._publisher = publisher
        self._call = call

    def ended(self, ending: Ending) -> None:
        """Fire it."""
        event = _last_event(self._call, ending)
        if event is not None:
            self._publisher.publish(event)


class AttemptEvents:
    """Fires what an attempt ends with.

    Args:
        publisher: Who tells the observers.
        attempt: The attempt.
    """

    __slots__ = ("_attempt", "_publisher")

    def __init__(self, publisher: EventPublisher, attempt: Dispatch) -> None:
        self._publisher = publisher
        self._attempt = attempt

    def ended(self, ending: Ending) -> None:
        """Fire it."""
        if ending.answer is not None:
            attempt, status = self._attempt, ending.answer.status
            self._publisher.publish(
                HTTPResponseReceivedHook(
                    method=attempt.method, url=attempt.shown_url, status_code=status
                )
            )


def _last_event(call: Dispatch, ending: Ending) -> HTTPEvent | None:
    url, method = call.shown_url, call.method
    if ending.answer is not None:
        return RequestCompletedEvent(url=url, method=method, status_code=ending.answer.status)
    match ending.failure:
        case None:
            return None
        case HTTPTimeoutError(phase=phase):
            limit = call.limit(phase)
            seconds = ending.seconds if limit is None else limit
            return RequestTimeoutEvent(url=url, method=method, timeout_seconds=seconds)
        case failure if ending.attempts > 1 or isinstance(failure, HTTPRetryExhaustedError):
            return RequestRetryExhaustedEvent(
                url=url, method=method, attempt_count=ending.attempts
            )
        case _:
            return None


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

    def post(self, event: HTTPEvent) -> None:
        """Tell the observer, now or as soon as it is ready for it; whatever it does."""
        if self._is_full():
            return
        try:
            result = self._observer(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # never breaks a call
            self._complain(error)
            return
        if inspect.isawaitable(result):
            self._pending.append(result)
            if not self.is_busy:
                self.task = asyncio.get_running_loop().create_task(self._work())

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return self.task is not None and not self.task.done()

    def discard(self) -> None:
        """Cancel what is under way and forget the rest."""
        if self.task is not None:
            self.task.cancel()
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
