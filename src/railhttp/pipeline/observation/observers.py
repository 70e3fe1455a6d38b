"""Tells observers what happens; `railhttp.pipeline.observation.firing` has the moments."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from railhttp.model.observation import RequestStarted
from railhttp.pipeline.observation.mailbox import Mailbox, Observer
from railhttp.protocols import Clock

if TYPE_CHECKING:
    from railhttp.model.events import HTTPEvent
    from railhttp.pipeline.observation.firing import AttemptEvents, CallEvents

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
        >>> from railhttp.model.request import Request, SendOptions
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/?token=abc"), None, None, None, SendOptions())
        >>> publisher = EventPublisher([print], SYSTEM_CLOCK)
        >>> observation = publisher.attempt_started(RequestStarted(request))
        HTTPRequestSentHook(method='GET', url='http://h/?token=***')
    """

    def __init__(self, observers: Iterable[Observer], clock: Clock) -> None:
        self._mailboxes = tuple(Mailbox(observer) for observer in observers)
        self._clock = clock
        # Most clients have one observer, and each call has three events.
        self._publish = self._mailboxes[0].post if len(self._mailboxes) == 1 else self.publish
        if self._mailboxes:
            # Every client has a publisher, and few have observers: payloads are loaded for those.
            from railhttp.pipeline.observation.firing import AttemptEvents, CallEvents  # noqa: PLC0415

            self._of_call, self._of_attempt = CallEvents, AttemptEvents

    def __bool__(self) -> bool:
        return bool(self._mailboxes)

    def call_started(self, call: RequestStarted) -> "CallEvents":
        """Remember a call until it ends."""
        return self._of_call(self._publish, call)

    def attempt_started(self, attempt: RequestStarted) -> "AttemptEvents":
        """Fire that an attempt is dispatched."""
        return self._of_attempt(self._publish, attempt)

    def publish(self, event: "HTTPEvent") -> None:
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
