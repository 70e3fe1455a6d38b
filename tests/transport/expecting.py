"""Expects a response on a connection, without a request."""

import asyncio

from railhttp.transport.connection import Arrival, StrictResponseHandler
from railhttp.transport.expected import Expected


def expect(
    connection: StrictResponseHandler, expected: Expected, read_timeout: float | None
) -> asyncio.Future[Arrival]:
    """Prepare for a response, and return its future."""
    response: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()
    connection.expect(response, expected, read_timeout)
    return response
