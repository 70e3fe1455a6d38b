"""One request out, one response in: where everything that aiohttp raises becomes a failure."""

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
from railhttp.transport.dispatch import Dispatcher
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.transport.incoming import Incoming
from railhttp.transport.pool import ConnectionPool
from railhttp.transport.reply import Reply


class AiohttpExchange:
    """Sends one request over a pool's connections and takes in the response.

    Args:
        pool: Where the connections come from.
        clock: What tells the time.
        watch: Gives a context that raises `TimeoutError` after some seconds.
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

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        """Send a request and read its response to the end.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response, or not a whole one; always one of the union.
        """
        progress.stage = Stage.QUEUED
        try:
            dispatcher = self._pool.dispatcher
            reply = await dispatcher.dispatch(request, progress)
            incoming = self._incoming(reply, dispatcher, request, progress)
            if reply.status >= 300 and leads_on(request, reply.status, reply.headers):
                incoming.close()  # nobody reads it, so nothing that is wrong with it matters
                return incoming.answer()
            body = incoming.gathered()
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self.fail(error, request, progress)
        if body is not None:
            return incoming.answer(body)
        try:
            return incoming.answer(await incoming.read())
        finally:
            incoming.close()

    async def open(self, request: Request, progress: AttemptState) -> Incoming:
        """Send a request and wait for the head of its response.

        Args:
            request: What to send.
            progress: The call; its stage is kept up to date.

        Returns:
            The response with its body unread. It holds a connection until it is closed.

        Raises:
            HTTPClientError: There was no response; always one of the union.
        """
        progress.stage = Stage.QUEUED
        try:
            dispatcher = self._pool.dispatcher
            reply = await dispatcher.dispatch(request, progress)
            return self._incoming(reply, dispatcher, request, progress)
        except BaseException as error:  # noqa: BLE001  # cancellation is told apart inside
            self.fail(error, request, progress)

    def _incoming(
        self, reply: Reply, dispatcher: Dispatcher, request: Request, progress: AttemptState
    ) -> Incoming:
        progress.stage = Stage.ANSWERED
        return Incoming(reply, self, dispatcher.session, request, progress)

    def idle_limit(self, request: Request) -> AbstractContextManager[object] | None:
        """Give the context that ends a wait for more of a body, None where there is no limit."""
        limit = request.options.read_timeout
        return None if limit is None else self._watch(limit)

    def fail(self, error: BaseException, request: Request, progress: AttemptState) -> NoReturn:
        """Raise the failure that an exception means, or the exception where it must pass."""
        match error:
            case asyncio.CancelledError():
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise error
            case Exception():
                pass
            case _:
                raise error
        call = self.call_info(request, progress)
        match error:
            case HTTPValidationError():
                raise HTTPInvalidRequestError(error.message, field=error.field, **call) from None
            case HTTPConnectionError(kind="closed"):
                raise HTTPConnectionError(error.message, kind="closed", **call) from None
            case HTTPClientError():
                raise error
            case _:
                failure = to_failure(error, progress.stage, call)
                try:
                    raise failure from safe_cause(error)
                finally:
                    failure.__context__ = None  # aiohttp's exceptions hold header fields and URLs

    def call_info(self, request: Request, progress: AttemptState) -> CallInfo:
        """Say what a failure of this request has to know."""
        return call_info(request.method, request.url_text, progress, self._clock.monotonic())

    def elapsed(self, progress: AttemptState) -> float:
        """Give the seconds since a call began."""
        return self._clock.monotonic() - progress.started
