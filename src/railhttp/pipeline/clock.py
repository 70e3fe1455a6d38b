"""The one door for time, chance and sleep."""

import asyncio
import random
import struct
import time
from collections.abc import Callable
from typing import Final

from railhttp.protocols import Clock, TimerHandle


class SystemClock:
    """The machine's own clock, as asyncio knows it.

    Example:
        >>> clock = SystemClock()
        >>> clock.monotonic() <= clock.monotonic(), 0 <= clock.uniform() < 1
        (True, True)
    """

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    uniform = staticmethod(random.random)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(max(0.0, seconds))

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Have `callback` called by the running loop after some seconds."""
        return asyncio.get_running_loop().call_later(seconds, callback)


SYSTEM_CLOCK: Final[Clock] = SystemClock()


def random_id(clock: Clock) -> str:
    """Draw an id that no other is likely to be: two lots of 53 bits as 32 hexadecimal digits.

    It tells calls apart and is no secret: the lots need not be unpredictable.

    Example:
        >>> len(random_id(SYSTEM_CLOCK))
        32
    """
    return _TWO_FLOATS.pack(clock.uniform(), clock.uniform()).hex()


_TWO_FLOATS: Final = struct.Struct("<dd")  # a third of the time that formatting numbers takes
