"""Fires the documented payloads, each at its moment; see `railhttp.model.events`."""

from collections.abc import Callable

from railhttp.model.errors import HTTPRetryExhaustedError, HTTPTimeoutError
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.observation import RequestFinished, RequestStarted


class CallEvents:
    """Fires what a call ends with.

    Args:
        publish: Tells the observers.
        call: The call.
    """

    __slots__ = ("_call", "_publish")

    def __init__(self, publish: Callable[[HTTPEvent], None], call: RequestStarted) -> None:
        self._publish = publish
        self._call = call

    def ended(self, ending: RequestFinished) -> None:
        """Fire it."""
        event = _last_event(self._call, ending)
        if event is not None:
            self._publish(event)


class AttemptEvents:
    """Fires that an attempt is dispatched, and the answer that it ends with.

    Args:
        publish: Tells the observers.
        attempt: The attempt.
    """

    __slots__ = ("_attempt", "_publish")

    def __init__(self, publish: Callable[[HTTPEvent], None], attempt: RequestStarted) -> None:
        self._publish = publish
        self._attempt = attempt
        publish(HTTPRequestSentHook(method=attempt.method, url=attempt.shown_url))

    def ended(self, ending: RequestFinished) -> None:
        """Fire it."""
        if ending.answer is not None:
            attempt, status = self._attempt, ending.answer.status
            self._publish(
                HTTPResponseReceivedHook(
                    method=attempt.method, url=attempt.shown_url, status_code=status
                )
            )


def _last_event(call: RequestStarted, ending: RequestFinished) -> HTTPEvent | None:
    url, method = call.shown_url, call.method
    if ending.answer is not None:
        return RequestCompletedEvent(url=url, method=method, status_code=ending.answer.status)
    match ending.failure:
        case None:
            return None
        case HTTPTimeoutError(phase=phase, limit=limit):
            limit = call.limit(phase) if limit is None else limit
            seconds = ending.seconds if limit is None else limit
            return RequestTimeoutEvent(url=url, method=method, timeout_seconds=seconds)
        case failure if ending.attempts > 1 or isinstance(failure, HTTPRetryExhaustedError):
            return RequestRetryExhaustedEvent(url=url, method=method, attempt_count=ending.attempts)
        case _:
            return None
