"""The client for code that does not await: scripts, notebooks and threads.

Example:
    >>> from railhttp.sync import HTTPClient
    >>> with HTTPClient() as client:
    ...     result = client.get("http://127.0.0.1:1/")
    >>> result.failure().label
    'connect'
"""

from railhttp.sync.client import HTTPClient
from railhttp.sync.stream_context import StreamContext

__all__ = ["HTTPClient", "StreamContext"]
