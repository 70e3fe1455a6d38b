"""An attempt that waits for a place in the pool."""

import asyncio
from contextvars import copy_context
from time import monotonic
from typing import TypeAlias

from aiohttp.client_proto import ResponseHandler

from railhttp.model.request import Request
from railhttp.model.stage import AttemptState
from railhttp.transport.connection import Arrival, StrictResponseHandler
from railhttp.transport.sending import sends_at_once, start_sending

Turn: TypeAlias = "asyncio.Future[ResponseHandler | Arrival]"
"""What a waiting caller is given: a connection, an empty place, or the response to its request."""


class Waiter:
    """An attempt that waits for a place in the pool.

    Args:
        request: What it sends.
        head: The first bytes of that.
        attempt: The attempt.

    Attributes:
        connection: The connection on which the request has been sent.
    """

    __slots__ = ("_attempt", "_context", "_head", "_request", "_since", "connection")

    def __init__(self, request: Request, head: bytes, attempt: AttemptState) -> None:
        self._request = request
        self._head = head
        self._attempt = attempt
        self._since = monotonic()
        self._context = copy_context()
        self.connection: StrictResponseHandler | None = None

    def begin(self, connection: StrictResponseHandler, turn: Turn) -> bool:
        """Send the request on a connection that has become free, or return False.

        Whoever gives the connection back calls this. So it is in use again a turn of the loop
        earlier, and the attempt is woken once in place of twice
        (benchmarks: the default pool of 10).
        """
        request, attempt = self._request, self._attempt
        if (
            attempt.timer is not None
            or request.options.connect_timeout is not None  # ends when the request is sent
            or not (request.body is None or sends_at_once(request))
            or not connection.is_unused()
            or connection.has_unread()
        ):
            return False
        connection.is_idle = False
        self.connection = connection
        try:
            self._context.run(self.ended, admitted=True)
            start_sending(request, self._head, attempt, connection, turn)
        except Exception as error:  # noqa: BLE001  # it is the waiting attempt that failed
            if not turn.done():
                turn.set_exception(error)
        return True

    def ended(self, *, admitted: bool) -> None:
        """Report the wait, which ended with a place or without one."""
        attempt, seconds = self._attempt, monotonic() - self._since
        if admitted:
            attempt.starvation = None
        if attempt.timer is not None:
            attempt.timer.ended("queue", 0.0, seconds)
        attempt.pool_waited(seconds, admitted=admitted)
