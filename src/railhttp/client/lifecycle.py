"""The life of a client: it starts, shares and stops its pool."""

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from railhttp.client.store_watch import StoreWatch
from railhttp.pipeline.timeouts import Timeouts
from railhttp.transport.pool import ConnectionPool

if TYPE_CHECKING:
    from railhttp.pipeline.observation.events import EventPublisher


class Lifecycle(ABC):
    """Starts and stops a client; a derived client lives as long as the one that it comes from.

    Args:
        pool: The connection pool.
        timeouts: The time limits; they end all calls when the client stops.
        events: What has to be delivered before the client has stopped.
        stores: Reports outages of shared stores while the client is started.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        timeouts: Timeouts,
        events: "EventPublisher | None",
        stores: StoreWatch,
    ) -> None:
        self._pool = pool
        self._timeouts = timeouts
        self._events = events
        self._stores = stores
        self._root: Lifecycle | None = None
        self._began = False
        self._stopped = False
        self._retired: list[ConnectionPool] = []
        self._closing: asyncio.Future[None] | None = None  # held here, as a loop holds tasks weakly

    @abstractmethod
    def _compose(self) -> None: ...

    def live_with(self, client: "Lifecycle") -> None:
        """Start and stop with another client from now on."""
        self._root, self._began = client._root or client, False

    @property
    def pool(self) -> ConnectionPool:
        """The connection pool; a pool that is replaced stops with the client."""
        return self._pool

    @pool.setter
    def pool(self, value: ConnectionPool) -> None:
        if self._root is not None:
            self._root.pool = value
        else:
            self._retired.append(self._pool)
        self._pool = value
        self._compose()

    async def start(self) -> None:
        """Start the client and its pool; may be called twice, and again after `stop()`.

        Raises:
            HTTPConnectionError: It is started on another event loop (kind `closed`).
        """
        if self._root is not None:
            if self._root._stopped or not self._pool.is_started():
                self._began = True
                await self._root.start()
            return
        self._stopped = False
        await self._pool.join(self)
        self._stores.start()

    async def stop(self) -> None:
        """End all calls that are under way (kind `closed`) and close all connections.

        A pool that ran before the client stays open. Cancelling the caller leaves nothing open. A
        derived client (see `with_options`) is stopped with its client; stopping it does nothing,
        unless it was started alone.
        """
        if self._root is not None:
            if self._began:
                self._began = False
                await self._root.stop()
            return
        self._stopped = True
        self._stores.stop()
        self._timeouts.close()
        self._closing = asyncio.ensure_future(self._close_pools())
        await asyncio.shield(self._closing)
        if self._events is not None:
            await self._events.drain()

    async def close(self) -> None:
        """Do the same as `stop`."""
        await self.stop()

    async def _close_pools(self) -> None:
        for pool in (self._pool, *self._retired):
            await pool.leave(self)
        self._retired.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()
