"""The aiohttp transport: one request, one response, one translation of exceptions."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NoReturn

from aiohttp.hdrs import CONTENT_ENCODING

from railhttp.model import errors
from railhttp.model.clock import Clock
from railhttp.model.request import Request, SendOptions
from railhttp.model.response import HttpResponse
from railhttp.model.response_draft import received_response
from railhttp.model.stage import ANSWERED, QUEUED, AttemptState, call_info
from railhttp.policy.egress import Egress, without_address
from railhttp.policy.redirect import leads_on
from railhttp.transport.dispatch import Dispatcher, Received
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.incoming import Incoming, too_large
from railhttp.transport.pool import ConnectionPool
from railhttp.wire.response_head import ResponseHead


@dataclass(slots=True, eq=False)
class AiohttpExchange:
    """Sends requests over the connections of a pool.

    `watch` returns a context that raises `TimeoutError` after the given number of seconds. Every
    connection must pass the gate `egress`.
    """

    _pool: ConnectionPool
    clock: Clock
    watch: Callable[[float], AbstractContextManager[object]]
    egress: Egress | None = None

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Send a request and read the whole response; see `Exchange.send`."""
        attempt.stage = QUEUED
        try:
            dispatcher = self._pool.dispatcher_for(self.egress)
            received = await dispatcher.dispatch(request, attempt, self.clock)
            attempt.stage = ANSWERED
            if (whole := self._whole(received, dispatcher, request, attempt)) is not None:
                return whole
            incoming = Incoming(received, self, dispatcher, request, attempt)
            status = incoming.status
            if status >= 300 and leads_on(request, status, incoming.headers):
                incoming.close()  # nothing reads this body, so its faults do not matter
                return incoming.answer()
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            self.fail(error, request, attempt)
        timer = attempt.timer
        since = 0.0 if timer is None else timer.now()
        try:
            body = await incoming.read()
        finally:
            incoming.close()
            if timer is not None:
                timer.ended("body", since)
        return incoming.answer(body)

    def _whole(
        self, received: Received, dispatcher: Dispatcher, request: Request, attempt: AttemptState
    ) -> HttpResponse | None:
        """Return a response that came whole; None if there is more to read, decode or send."""
        head, content, connection, upload = received
        headers = head.headers
        if type(content) is not bytes or upload is not None or CONTENT_ENCODING in headers:
            return None
        dispatcher.connector.take_back(connection, reusable=True)
        if head.status >= 300 and leads_on(request, head.status, headers):
            content = b""
        limit = request.options.max_response_bytes
        if len(content) > limit:
            raise too_large(limit, self.call_info(request, attempt))
        if content and (timer := attempt.timer) is not None:
            timer.ended("body", timer.now())
        return received_response(head, content, request, attempt, self.clock.monotonic())

    def answer(
        self, head: ResponseHead, body: bytes, request: Request, attempt: AttemptState
    ) -> HttpResponse:
        """Return a response as a value."""
        return received_response(head, body, request, attempt, self.clock.monotonic())

    async def open(self, request: Request, attempt: AttemptState) -> Incoming:
        """Send a request and wait for the head of its response; see `Exchange.open`."""
        attempt.stage = QUEUED
        try:
            dispatcher = self._pool.dispatcher_for(self.egress)
            received = await dispatcher.dispatch(request, attempt, self.clock)
            attempt.stage = ANSWERED
            return Incoming(received, self, dispatcher, request, attempt)
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            self.fail(error, request, attempt)

    def fail(self, error: BaseException, request: Request, attempt: AttemptState) -> NoReturn:
        """Raise the failure that stands for an exception, or the exception if it must pass.

        A `CancelledError` passes only if the task is being cancelled: `ClientSession.close`
        raises one too, in tasks that wait for DNS or for a place in the pool.
        """
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise error
        elif not isinstance(error, Exception):
            raise error
        call = self.call_info(request, attempt)
        match error:
            case errors.HTTPValidationError(message=message, field=field):
                raise errors.HTTPInvalidRequestError(message, field=field, **call) from None
            case errors.HTTPConnectionError(kind="rejected", message=message):
                # The refused request was not sent. But a POST before its redirect was, and must not
                # be repeated.
                if attempt.repeatable:
                    call["delivery"] = errors.Delivery.NOT_SENT
                call["url"] = without_address(request.url)
                raise errors.HTTPConnectionError(message, kind="rejected", **call) from None
            case errors.HTTPConnectionError(kind="closed" | "proxy" as kind, message=message):
                raise errors.HTTPConnectionError(message, kind=kind, **call) from None
            case errors.HTTPClientError():
                raise error
            case _:
                failure = to_failure(error, attempt.stage, call)
                if isinstance(failure, errors.HTTPTimeoutError):
                    failure = _limited(failure, request.options, call)
                try:
                    raise failure from safe_cause(error)
                finally:
                    failure.__context__ = None  # aiohttp's exceptions hold header fields and URLs

    def call_info(self, request: Request, attempt: AttemptState) -> errors.CallInfo:
        """Return the details that a failure of this request carries."""
        return call_info(request.method, request.url_text, attempt, self.clock.monotonic())


def _limited(
    failure: errors.HTTPTimeoutError, options: SendOptions, call: errors.CallInfo
) -> errors.HTTPTimeoutError:
    """Add the limit that ran out; None if it is one of the system."""
    connecting = failure.phase in {"pool", "connect"}
    limit = options.connect_timeout if connecting else options.read_timeout
    return errors.HTTPTimeoutError(failure.message, phase=failure.phase, limit=limit, **call)
