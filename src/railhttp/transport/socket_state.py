"""The state of a connection in the kernel, which is ahead of the event loop."""

import select
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, runtime_checkable

_TCP_INFO: Final = struct.Struct("=120xQ")
"""The start of Linux's `struct tcp_info`, up to `tcpi_bytes_acked` (since Linux 4.1)."""


@runtime_checkable
class SocketLike(Protocol):
    """The sockets that transports show: those of asyncio and of uvloop have no common class."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes:
        """Return the bytes of an option."""
        ...


def watch_for_bytes(sock: SocketLike) -> Callable[[], object]:
    """Return a function whose result is true if the socket has bytes to read, or has ended."""
    if sys.platform == "win32":
        return lambda: select.select([sock], [], [], 0)[0]
    # With its own poll object a look takes 0.3 µs. `select` takes twice as long, and refuses
    # descriptors above 1023.
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return partial(poll.poll, 0)


def watch_acknowledged(sock: SocketLike) -> Callable[[], int]:
    """Return a function that returns how many of the sent bytes the peer's TCP has confirmed.

    It always returns 0 on systems other than Linux.
    """
    if sys.platform != "linux":
        return int

    # asyncio's own object passes its calls on by `*args, **kwargs`, which takes longer than them.
    inner: SocketLike = getattr(sock, "_sock", sock)
    ask, unpack = inner.getsockopt, _TCP_INFO.unpack
    level, option, size = socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size

    def acknowledged() -> int:
        try:
            count: int = unpack(ask(level, option, size))[0]
        except (OSError, struct.error):  # no TCP, as for a Unix socket; or an old kernel
            return 0
        return count

    return acknowledged
