"""Keeps an injected exchange to the life of its client."""

from collections.abc import Callable
from typing import Final

from railhttp.model.errors import HTTPConnectionError
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState, call_info
from railhttp.protocols import Clock, Exchange, IncomingResponse
from railhttp.transport.pool import NOT_STARTED


class GatedExchange:
    """An exchange that is open only while its client is started.

    Args:
        exchange: What sends requests.
        is_open: Whether the client is started.
        clock: What tells the time.
    """

    __slots__ = ("_clock", "_exchange", "_is_open")

    def __init__(self, exchange: Exchange, is_open: Callable[[], bool], clock: Clock) -> None:
        self._exchange: Final = exchange
        self._is_open: Final = is_open
        self._clock: Final = clock

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        """Send a request; see `Exchange`."""
        self._check(request, progress)
        return await self._exchange.send(request, progress)

    async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        """Send a request and wait for the head of its response; see `Exchange`."""
        self._check(request, progress)
        return await self._exchange.open(request, progress)

    def _check(self, request: Request, progress: AttemptState) -> None:
        if not self._is_open():
            call = call_info(request.method, request.url_text, progress, self._clock.monotonic())
            raise HTTPConnectionError(NOT_STARTED, kind="closed", **call)
