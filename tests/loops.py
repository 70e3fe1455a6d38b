"""Event loops whose timers do not depend on how busy the machine is.

A test with a limit of 20 ms must not fail because the process got no CPU for 50 ms. On these loops
nothing that is ready has to race against a timer, so short limits stay safe.
"""

import asyncio
import os
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, TypeAlias, TypeVarTuple

import uvloop
from typing_extensions import Buffer, override

Ts = TypeVarTuple("Ts")

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
_Address: TypeAlias = tuple[Any, ...] | str | Buffer  # as typeshed has it

_DEAREST_TURN: Final = 0.0001
"""Seconds that a turn of the loop counts at most, apart from waiting: 200 turns fit into 20 ms."""
_GRACE: Final = 100
"""Turns of the loop before a timer that is due; a TLS connection takes fewer."""


class IdleClock(selectors.DefaultSelector):
    """A selector that counts the seconds which the loop spent waiting, and hardly any others.

    Time in which the loop has work, or in which the machine runs something else, counts at most
    `_DEAREST_TURN` a turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._woke = time.monotonic()

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        asked = time.monotonic()
        events = super().select(timeout)
        self._woke, woke_before = time.monotonic(), self._woke
        waited = self._woke - asked
        self.now += min(asked - woke_before, _DEAREST_TURN)
        self.now += waited if timeout is None else min(waited, max(timeout, 0.0))
        return events


class PatientLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on an `IdleClock`: `loop.time()` stands still while the machine is busy."""

    def __init__(self) -> None:
        self._idle = IdleClock()
        super().__init__(self._idle)

    @override
    def time(self) -> float:
        return self._idle.now

    @override
    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        # asyncio looks even an IP address up in a thread, which a busy machine may start late.
        with suppress(socket.gaierror):
            numeric = flags | socket.AI_NUMERICHOST
            return socket.getaddrinfo(host, port, family, type, proto, numeric)
        return await super().getaddrinfo(
            host, port, family=family, type=type, proto=proto, flags=flags
        )


class _Timer(asyncio.TimerHandle):
    """A timer that a `PatientUvloop` keeps itself."""


class PatientUvloop(uvloop.Loop):
    """uvloop, where each timer that is due lets whatever is ready go first.

    The timers fire one after the other, and the loop makes some turns before each. The time by
    which a timer is late does not count: `loop.time()` and all other timers are put back by it.
    Unlike `PatientLoop` it cannot tell work from waiting, so it protects no chain of sleeps.
    """

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, int, _Timer]] = []
        self._numbers = count()
        self._alarm: asyncio.TimerHandle | None = None
        self._firing = False
        self._lost = 0.0

    @override
    def time(self) -> float:
        while self._due and self._due[0][2].cancelled():
            heappop(self._due)
        # libuv's own time is that of the beginning of the turn: timers would fire early.
        now = time.monotonic() - self._lost
        if self._due and now > self._due[0][0]:  # the first timer is late
            self._lost += now - self._due[0][0]
            now = self._due[0][0]
        return now

    @override
    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        heappush(self._due, (when, next(self._numbers), timer))
        self._set_alarm()
        return timer

    @override
    async def sock_connect(self, sock: socket.socket, address: _Address) -> None:
        # uvloop looks even an IP address up in a thread, for which no number of turns is enough.
        with suppress(BlockingIOError):
            sock.connect(address)
            return
        connected = asyncio.Event()
        self.add_writer(sock, connected.set)
        try:
            await connected.wait()
        finally:
            self.remove_writer(sock)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    @override
    def close(self) -> None:
        self._due.clear()
        if self._alarm is not None:
            self._alarm.cancel()  # uvloop would wait for it
        super().close()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by a handle; the timer is dropped when it is due."""

    def _set_alarm(self) -> None:
        if self._firing:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self.time()
        if self._due:
            self._alarm = super().call_later(max(0.0, self._due[0][0] - now), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._firing = True
        self.call_soon(self._turn, _GRACE)

    def _turn(self, left: int) -> None:
        if left:
            self.call_soon(self._turn, left - 1)
            return
        self._firing = False
        now = self.time()
        if self._due and self._due[0][0] <= now + 0.001:  # libuv counts whole milliseconds
            heappop(self._due)[2]._run()
        self._set_alarm()


LOOPS: Final[Mapping[str, LoopFactory]] = {"asyncio": PatientLoop, "uvloop": PatientUvloop}


def usual_loop() -> dict[str, LoopFactory]:
    """The event loop of most tests: that of the environment, see the Makefile."""
    name = "uvloop" if os.environ.get("EVENT_LOOP") == "uvloop" else "asyncio"
    return {name: LOOPS[name]}
