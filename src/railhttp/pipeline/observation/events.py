"""Publishes the events of `railhttp.events` to observers, each at its moment."""

import asyncio
from collections.abc import Iterable
from typing import Final

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPRetryExhaustedError, HTTPTimeoutError
from railhttp.model.event_drafts import request_sent, response_came
from railhttp.model.events import (
    HTTPEvent,
    HTTPResponseReceivedHook,
    LayerEvent,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
    StreamFailedEvent,
)
from railhttp.model.observation import RequestFinished
from railhttp.model.response import HttpResponse
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.observation.listeners import CallListener
from railhttp.pipeline.observation.observer_queue import Observer, ObserverQueue

DRAIN_SECONDS: Final = 1.0  # how long a client that stops waits for slow observers


class EventPublisher(CallListener):
    """The instrument that calls observers.

    Each attempt publishes `HTTPRequestSentHook`, and `HTTPResponseReceivedHook` when its response
    came. Each call ends with at most one event: `RequestCompletedEvent` (a response of any
    status), `RequestTimeoutEvent` (its failure is an `HTTPTimeoutError`) or
    `RequestRetryExhaustedEvent` (several attempts failed, the last one in another way). A single
    failed attempt, a refused call and a cancelled call publish none of them. A stream whose body
    breaks off publishes `StreamFailedEvent`, and layers publish the events of `LayerEvent`.

    A plain function is called synchronously, so it must be quick. An async one is awaited
    in another task, for each observer one event after the other. An observer with 1000
    pending events misses the following events until it has caught up.
    """

    def __init__(self, observers: Iterable[Observer], clock: Clock) -> None:
        self._queues = tuple(ObserverQueue(observer) for observer in observers)
        self._clock = clock
        # Most clients have one observer, and each call has three events.
        self._publish = self._queues[0].put if len(self._queues) == 1 else self.publish

    @override
    def attempt_sent(self, call: HTTPCall) -> None:
        """Publish that an attempt is sent."""
        publish = self._publish  # a function, which `self._publish()` would look for as a method
        publish(request_sent(call.request, call.identified()))

    @override
    def attempt_answered(self, call: HTTPCall, answer: HttpResponse) -> None:
        """Publish the response of an attempt."""
        call_id, publish = call.identified(), self._publish
        publish(response_came(HTTPResponseReceivedHook, call.request, answer.status, call_id))

    @override
    def call_answered(self, call: HTTPCall, answer: HttpResponse, seconds: float) -> None:
        """Publish the end of a call that received a response."""
        call_id, publish = call.identified(), self._publish
        publish(response_came(RequestCompletedEvent, call.original, answer.status, call_id))

    @override
    def call_failed(self, call: HTTPCall, finished: RequestFinished) -> None:
        """Publish the end of a call that failed, if it is an event."""
        event = _last_event(call, finished)
        if event is not None:
            self._publish(event)

    @override
    def body_ended(self, call: HTTPCall, finished: RequestFinished, until_head: float) -> None:
        """Publish that a body broke off."""
        if finished.failure is not None:
            self._publish(
                StreamFailedEvent(
                    url=call.original.shown_url,
                    method=call.method,
                    error_type=finished.error_type or "",
                    call_id=call.call_id,
                )
            )

    @override
    def event_occurred(self, event: LayerEvent) -> None:
        """Publish the event of a layer."""
        self._publish(event)

    def publish(self, event: HTTPEvent) -> None:
        """Call all observers with an event."""
        for queue in self._queues:
            queue.put(event)

    async def drain(self) -> None:
        """Wait a moment for async observers, then cancel them."""
        if not any(queue.is_busy for queue in self._queues):
            return
        current = asyncio.current_task()  # an observer may stop the client
        timer = asyncio.create_task(self._clock.sleep(DRAIN_SECONDS))
        queues = [queue for queue in self._queues if queue.task is not current]
        try:
            while not timer.done() and (
                tasks := [queue.task for queue in queues if queue.is_busy and queue.task]
            ):
                await asyncio.wait((timer, *tasks), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for queue in queues:
                queue.stop()
            # One turn delivers the cancellation; an observer that ignores it is left alone.
            await asyncio.sleep(0)


def _last_event(call: HTTPCall, finished: RequestFinished) -> HTTPEvent | None:
    """Return the event of a call that ended without a response."""
    url, method, number = call.original.shown_url, call.method, call.call_id
    match finished.failure:
        case None:
            return None
        case HTTPTimeoutError(phase=phase, limit=limit):
            limit = call.started_event().limit(phase) if limit is None else limit
            seconds = finished.seconds if limit is None else limit
            return RequestTimeoutEvent(
                url=url, method=method, timeout_seconds=seconds, call_id=number
            )
        case failure if finished.attempts > 1 or isinstance(failure, HTTPRetryExhaustedError):
            count = finished.attempts
            return RequestRetryExhaustedEvent(
                url=url, method=method, attempt_count=count, call_id=number
            )
        case _:
            return None
