"""Are tasks and file descriptors back where they were?"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from stat import S_ISFIFO, S_ISREG, S_ISSOCK

_PATIENCE = 30.0


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Assert that the block leaves no task and no open file descriptor behind.

    A socket's other end may live in this process too, and closes a few turns of the loop later:
    so the block has up to 30 seconds to come to rest, which costs nothing when it is at rest.
    """
    tasks, descriptors = asyncio.all_tasks(), _descriptors()
    yield
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        # Looked at once in a turn: a thread may open a file between two looks.
        left, opened = asyncio.all_tasks() - tasks, _descriptors() - descriptors
        if not (left or opened) or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.001)
    assert not left, f"tasks left behind: {left}"
    assert not opened, f"descriptors left behind: {opened}"


def _descriptors() -> set[tuple[str, int, str]]:
    """Each open socket, pipe and file, with its inode, so that a number used again is noticed.

    The name of a file, or the kind of anything else, is there for whoever reads a failure.

    Not what event loops open for themselves and keep: epoll and its kin, and with uvloop a device.
    """
    found = set()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the one that listed the directory
            status = os.fstat(int(name))
            if any(kind(status.st_mode) for kind in (S_ISSOCK, S_ISFIFO, S_ISREG)):
                found.add((name, status.st_ino, _kind(name)))
    return found


def _kind(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # not Linux, or closed by now
        return ""
