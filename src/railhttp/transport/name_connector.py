"""Connects to names, and forgets the addresses to which it could not connect."""

import asyncio
from collections.abc import Awaitable, Sequence

from aiohttp import ClientConnectorError, ClientRequest, ClientTimeout
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace
from typing_extensions import override

from railhttp.transport.idle_connector import IdleConnector
from railhttp.transport.names import NameResolver


class NameConnector(IdleConnector):
    """A connector that looks a name up again after a failure, because its host may have moved."""

    __slots__ = ("names",)

    names: NameResolver

    @override
    async def _create_direct_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,
        *,
        client_error: type[Exception] = ClientConnectorError,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        try:
            return await super()._create_direct_connection(
                req, traces, timeout, client_error=client_error
            )
        except BaseException:  # a timeout is a cancellation here
            self.names.forget(req.url.raw_host or "")
            raise

    @override
    async def _resolve_host(
        self, host: str, port: int, traces: Sequence[Trace] | None = None
    ) -> list[ResolveResult]:
        addresses = await super()._resolve_host(host, port, traces)
        if not addresses:  # aiohttp would fail an assertion
            raise OSError("the name has no address")
        return addresses

    @override
    def _close(self, *, abort_ssl: bool = False) -> list[Awaitable[object]]:
        if not self._loop.is_closed():
            self.names.stop()
        return super()._close(abort_ssl=abort_ssl)
