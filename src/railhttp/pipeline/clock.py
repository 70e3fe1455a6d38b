"""The machine's clock: the one source of time, sleep and randomness."""

import asyncio
import random
import struct
import time
from collections.abc import Callable
from typing import Final

from railhttp.model.clock import Clock, TimerHandle


class SystemClock:
    """The clock of the machine and of the running loop."""

    __slots__ = ()

    monotonic: "staticmethod[[], float]" = staticmethod(time.monotonic)
    wall: "staticmethod[[], float]" = staticmethod(time.time)
    uniform: "staticmethod[[], float]" = staticmethod(random.random)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(max(0.0, seconds))

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule `callback` on the running loop."""
        return asyncio.get_running_loop().call_later(seconds, callback)


SYSTEM_CLOCK: Final[Clock] = SystemClock()


def random_id(clock: Clock) -> str:
    """Return a random id: two numbers of 53 bits as 32 hexadecimal digits.

    It identifies a call and is not a secret, so it may be predictable.
    """
    return _TWO_FLOATS.pack(clock.uniform(), clock.uniform()).hex()


_TWO_FLOATS: Final = struct.Struct("<dd")  # a third of the time that formatting numbers takes
