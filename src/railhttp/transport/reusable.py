"""A connection that several requests use, one after the other, and its state between them."""

import asyncio
import math
from collections.abc import Callable, Sequence

from aiohttp import ClientConnectionError
from aiohttp.client_proto import ResponseHandler

from railhttp.transport.socket_state import SocketLike, watch_acknowledged, watch_for_bytes
from railhttp.wire.keep_alive import reuse_limit


class ReusableHandler(ResponseHandler):
    """A connection that bytes end while it is idle, and that can be checked before its next use.

    Attributes:
        is_idle: Whether no request uses the connection.
        is_unproven: Whether the next bytes have yet to be proven to be a response.
        reuse_limit: The age in seconds up to which the idle connection is used, by our limit and
            that of the server.
    """

    # With thirty attributes in its dict, the look-ups of an object are general ones
    # (benchmarks/README.md). aiohttp's class has eighteen.
    __slots__ = (
        *("_acknowledged", "_confirmed", "_own_limit", "_unread"),
        *("is_idle", "is_unproven", "reuse_limit"),
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, keepalive_timeout: float = math.inf
    ) -> None:
        super().__init__(loop)
        self._own_limit = keepalive_timeout
        self.reuse_limit: float = keepalive_timeout
        self.is_idle: bool = False
        self.is_unproven: bool = False
        self._unread: Callable[[], object] | None = None
        self._acknowledged: Callable[[], int] = int
        self._confirmed: int = 0

    def obey(self, keep_alive: Sequence[str]) -> None:
        """Heed the `Keep-Alive` fields of a response."""
        limit = reuse_limit(keep_alive)
        if limit is not None:
            self.reuse_limit = min(limit, self._own_limit)
            if not limit:
                self.force_close()

    def rest(self) -> None:
        """Become idle."""
        self.is_idle = self.is_unproven = True
        if self._unread is None and self.transport is not None:
            sock = self.transport.get_extra_info("socket")
            if isinstance(sock, SocketLike):
                self._unread = watch_for_bytes(sock)
                self._acknowledged = watch_acknowledged(sock)
                self._confirmed = self._acknowledged()

    def has_unread(self) -> bool:
        """Whether the kernel holds bytes, or the end of the connection, that the loop has not read.

        The loop reads them in its next turn at the earliest. A request that is sent before that
        is lost, or gets them as its response (tests/transport/test_idle.py).
        """
        unread = self._unread  # a function, which `self._unread()` would look for as a method
        return unread is None or bool(unread())

    def refuses(self, data: bytes) -> bool:
        """Whether bytes are no part of a response, which ends the connection."""
        if not data:
            return False
        if self.is_idle:
            self.abort()  # closing a TLS connection would first read more of them
            return True
        self.is_unproven = False
        if self._request_arrived():
            return False
        self.set_exception(ClientConnectionError("unasked bytes"))
        if self.transport is not None:
            self.transport.abort()
        return True

    def _request_arrived(self) -> bool:
        """Whether the peer has confirmed any byte since its previous response.

        A response confirms its request in the same TCP segment at the latest. So if nothing is
        confirmed, the bytes crossed the request on its way: they are a late 408, or worse
        (tests/transport/test_idle.py::test_bytes_that_cross_the_request_are_not_its_response).
        """
        acknowledged, before = self._acknowledged, self._confirmed
        self._confirmed = now = acknowledged()
        # Some container networks bypass TCP, and count the SYN only.
        return now != before or before <= 1
