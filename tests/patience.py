"""Waiting for something to have happened, without sleeping longer than it takes."""

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], object]) -> None:
    """Wait until a condition is true.

    Raises:
        TimeoutError: It was not within a minute.
    """
    async with asyncio.timeout(60.0):
        while not happened():  # noqa: ASYNC110  # servers and sockets tell nobody
            await asyncio.sleep(0.001)
