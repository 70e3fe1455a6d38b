"""Times the name, TCP and TLS of a new connection, for the requests that ask for it."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import ContextVar
from typing import Final, TypeVar

from aiohttp import ClientConnectorError, ClientRequest, ClientTimeout
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import AddrInfoType
from aiohttp.tracing import Trace
from typing_extensions import override

from railhttp.model.timings import PhaseTimer
from railhttp.transport.tls_connector import TLSConnector

T = TypeVar("T")

# aiohttp makes the request to a proxy itself, so the timer cannot travel in the request.
_TIMER: Final[ContextVar[PhaseTimer | None]] = ContextVar("_TIMER", default=None)


async def timed(opening: Coroutine[object, None, T], timer: PhaseTimer) -> T:
    """Time the connection that `opening` opens."""
    token = _TIMER.set(timer)
    try:
        return await opening
    finally:
        _TIMER.reset(token)


class TimedConnector(TLSConnector):
    """A connector that times what it does."""

    __slots__ = ()

    @override
    async def _resolve_host(
        self, host: str, port: int, traces: Sequence[Trace] | None = None
    ) -> list[ResolveResult]:
        timer = _TIMER.get()
        if timer is None:
            return await super()._resolve_host(host, port, traces)
        since, waits = timer.now(), asyncio.Event()
        # An address and a cached name are returned before the loop has another turn.
        turn = self._loop.call_soon(waits.set)
        try:
            return await super()._resolve_host(host, port, traces)
        finally:
            turn.cancel()
            if waits.is_set():
                timer.ended("dns", since)

    @override
    # Pyright knows of one kind of coroutines only; aiohttp awaits any.
    def _wrap_create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *args: object,
        addr_infos: list[AddrInfoType],
        req: ClientRequest,
        timeout: ClientTimeout,
        client_error: type[Exception] = ClientConnectorError,
        **kwargs: object,
    ) -> Coroutine[object, None, tuple[asyncio.Transport, ResponseHandler]]:
        timer = _TIMER.get()
        since, ends = 0.0 if timer is None else timer.now(), list[float]()
        if timer is not None:

            def connected() -> ResponseHandler:
                # asyncio and uvloop build the protocol between TCP and TLS.
                ends.append(timer.ended("tcp", since))
                return self._factory()

            args = (connected, *args[1:])
        connecting = super()._wrap_create_connection(
            *args,
            addr_infos=addr_infos,
            req=req,
            timeout=timeout,
            client_error=client_error,
            **kwargs,
        )
        if timer is None:
            return connecting
        return _connected(connecting, timer, since, ends, with_tls=bool(kwargs.get("ssl")))

    @override
    async def _start_tls_connection(
        self,
        underlying_transport: asyncio.Transport,
        req: ClientRequest,
        timeout: ClientTimeout,
        client_error: type[Exception] = ClientConnectorError,
    ) -> tuple[asyncio.BaseTransport, ResponseHandler]:
        timer = _TIMER.get()
        since = 0.0 if timer is None else timer.now()
        try:
            return await super()._start_tls_connection(
                underlying_transport, req, timeout, client_error
            )
        finally:
            if timer is not None:
                timer.ended("tls", since)


async def _connected(
    connecting: Coroutine[object, None, T],
    timer: PhaseTimer,
    since: float,
    ends: list[float],
    *,
    with_tls: bool,
) -> T:
    """Time TCP, which ends with the first of `ends` or fails, and TLS after it."""
    try:
        return await connecting
    finally:
        if not ends:
            timer.ended("tcp", since)
        elif with_tls:
            timer.ended("tls", ends[0])
