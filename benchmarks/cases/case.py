"""What a case is."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

Send: TypeAlias = Callable[[str], Awaitable[object]]
"""Gets a URL, and gives the JSON document there; a stream gives the number of its bytes."""

Case: TypeAlias = Callable[[], AbstractAsyncContextManager[Send]]
"""Opens a client for as long as a block lasts."""

CONNECTIONS: Final = 1024
"""How many connections each client may open, and keep."""
