"""Looks up host names in threads of our own, and remembers their addresses."""

import asyncio
import os
import socket
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Final, NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

MAX_THREADS: Final = 32
"""How many names are looked up at the same time, in the whole process."""

_MOST_NAMES: Final = 1000
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class _Threads:
    """The executor; a forked process starts with a new one, because it has none of the threads."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.executor = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="railhttp-dns")


_THREADS: Final = _Threads()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_THREADS.renew)


class _Found(NamedTuple):
    addresses: Sequence[str]
    until: float


class NameResolver(AbstractResolver):
    """Resolves names by the operating system.

    aiohttp does this in the threads of the event loop, and a few names whose servers do not respond
    occupy all of those. Here a name occupies one thread, however many calls wait for it.

    Args:
        ttl: Seconds for which addresses are remembered; 0 remembers none.
    """

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._found: OrderedDict[tuple[str, int], _Found] = OrderedDict()
        self._running: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        name = (host, int(family))
        found = self._found.get(name)
        if found is None or found.until < monotonic():
            addresses = await asyncio.shield(self._look_up(name))
        else:
            addresses = found.addresses
            # The next connection is made to the next address.
            self._found[name] = found._replace(addresses=(*addresses[1:], addresses[0]))
            self._found.move_to_end(name)
        return [resolved(host, address, port) for address in addresses]

    def _look_up(self, name: tuple[str, int]) -> asyncio.Future[Sequence[str]]:
        if name not in self._running:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(_THREADS.executor, _addresses, *name)
            self._running[name] = work
            work.add_done_callback(lambda work: self._looked_up(name, work))
        return self._running[name]

    def _looked_up(self, name: tuple[str, int], work: asyncio.Future[Sequence[str]]) -> None:
        del self._running[name]
        if work.cancelled() or work.exception() is not None or not self._ttl:
            return
        self._found[name] = _Found(work.result(), monotonic() + self._ttl)
        if len(self._found) > _MOST_NAMES:
            self._found.popitem(last=False)

    def forget(self, host: str) -> None:
        """Forget the addresses of a name, because no connection to them was made."""
        for name in [name for name in self._found if name[0] == host]:
            del self._found[name]

    def stop(self) -> None:
        """End all waits for a name; its thread goes on until the operating system gives up."""
        for work in self._running.values():
            work.cancel()

    @override
    async def close(self) -> None:
        self.stop()


def resolved(host: str, address: str, port: int) -> ResolveResult:
    """Return an address in the form that aiohttp's connector expects."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=_NUMERIC
    )


def _addresses(host: str, family: int) -> Sequence[str]:
    try:
        found = _look_up(host, family, socket.AI_ADDRCONFIG)
    except socket.gaierror:
        # The flag hides names of this machine while it has no network.
        if host.rstrip(".").lower() != "localhost":
            raise
        found = _look_up(host, family, 0)
    return list(dict.fromkeys(found))


def _look_up(host: str, family: int, flags: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM, flags=flags)
    return [_with_scope(address) for *_, address in found]


def _with_scope(address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> str:
    if len(address) == 4 and address[3]:  # a link-local address of IPv6
        return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return str(address[0])
