"""The aiohttp transport: one request, one response, one translation of exceptions."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPValidationError,
)
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState, Stage, call_info
from railhttp.policy.redirect import leads_on
from railhttp.transport.dispatch import Dispatcher, Received
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.incoming import Incoming
from railhttp.transport.pool import ConnectionPool


class AiohttpExchange:
    """Sends requests over the connections of a pool.

    Args:
        pool: The source of connections.
        clock: The source of time.
        watch: Returns a context that raises `TimeoutError` after the given number of seconds.
    """

    __slots__ = ("_clock", "_pool", "_watch")

    def __init__(
        self,
        pool: ConnectionPool,
        clock: Clock,
        watch: Callable[[float], AbstractContextManager[object]],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._watch = watch

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Send a request and read the whole response; see `Exchange.send`."""
        attempt.stage = Stage.QUEUED
        try:
            dispatcher = self._pool.dispatcher
            received = await dispatcher.dispatch(request, attempt, self._clock.wall)
            incoming = self._incoming(received, dispatcher, request, attempt)
            status = incoming.status
            if status >= 300 and leads_on(request, status, incoming.headers):
                incoming.close()  # nothing reads this body, so its faults do not matter
                return incoming.answer()
            body = incoming.gathered()
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            self.fail(error, request, attempt)
        if body is not None:
            return incoming.answer(body)
        try:
            return incoming.answer(await incoming.read())
        finally:
            incoming.close()

    async def open(self, request: Request, attempt: AttemptState) -> Incoming:
        """Send a request and wait for the head of its response; see `Exchange.open`."""
        attempt.stage = Stage.QUEUED
        try:
            dispatcher = self._pool.dispatcher
            received = await dispatcher.dispatch(request, attempt, self._clock.wall)
            return self._incoming(received, dispatcher, request, attempt)
        except BaseException as error:  # noqa: BLE001  # `fail` lets a real cancellation pass
            self.fail(error, request, attempt)

    def _incoming(
        self, received: Received, dispatcher: Dispatcher, request: Request, attempt: AttemptState
    ) -> Incoming:
        attempt.stage = Stage.ANSWERED
        return Incoming(received, self, dispatcher.session, request, attempt)

    def idle_limit(self, request: Request) -> AbstractContextManager[object] | None:
        """Return the context that limits one wait for more of a body; None if there is no limit."""
        limit = request.options.read_timeout
        return None if limit is None else self._watch(limit)

    def fail(self, error: BaseException, request: Request, attempt: AttemptState) -> NoReturn:
        """Raise the failure that stands for an exception, or the exception if it must pass.

        A `CancelledError` passes only if the task is being cancelled: `ClientSession.close`
        raises one too, in tasks that wait for DNS or for a place in the pool.
        """
        match error:
            case asyncio.CancelledError():
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise error
            case Exception():
                pass
            case _:
                raise error
        call = self.call_info(request, attempt)
        match error:
            case HTTPValidationError():
                raise HTTPInvalidRequestError(error.message, field=error.field, **call) from None
            case HTTPConnectionError(kind="closed"):
                raise HTTPConnectionError(error.message, kind="closed", **call) from None
            case HTTPClientError():
                raise error
            case _:
                failure = to_failure(error, attempt.stage, call)
                try:
                    raise failure from safe_cause(error)
                finally:
                    failure.__context__ = None  # aiohttp's exceptions hold header fields and URLs

    def call_info(self, request: Request, attempt: AttemptState) -> CallInfo:
        """Return the details that a failure of this request carries."""
        return call_info(request.method, request.url_text, attempt, self._clock.monotonic())

    def elapsed(self, attempt: AttemptState) -> float:
        """Return the seconds since the call began."""
        return self._clock.monotonic() - attempt.started
