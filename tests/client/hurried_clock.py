"""A clock for waits that no test wants to wait for."""

import asyncio
import time
from collections.abc import Callable

from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.protocols import TimerHandle


class HurriedClock:
    """The system's clock, but sleeping takes no time, and chance is always in the middle."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def uniform(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        return SYSTEM_CLOCK.call_later(seconds, callback)
