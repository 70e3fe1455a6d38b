"""Fires the documented payloads, each at its moment; see `railhttp.model.events`."""

import asyncio
from collections.abc import Iterable
from typing import Final

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
from railhttp.pipeline.mailbox import Mailbox, Observer
from railhttp.protocols import Clock

DRAIN_SECONDS: Final = 1.0  # how long a client that stops waits for slow observers


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
        current = asyncio.current_task()  # an observer may be what stops the client
        busy = [box for box in self._mailboxes if box.is_busy and box.task is not current]
        tasks = [box.task for box in busy if box.task is not None]
        if not tasks:
            return
        timer = asyncio.create_task(self._clock.sleep(DRAIN_SECONDS))
        done = asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait((timer, done), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for mailbox, task in zip(busy, tasks, strict=True):
                mailbox.forget()
                task.cancel()
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
            return RequestRetryExhaustedEvent(url=url, method=method, attempt_count=ending.attempts)
        case _:
            return None
