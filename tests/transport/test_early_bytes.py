"""Bytes that a server sends before it has the request, given to a connection by hand.

On a socket it depends on luck whether they come before the client expects a response.
"""

import asyncio
from unittest.mock import Mock

import pytest

from railhttp.transport.connection import USUAL, StrictResponseHandler

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def fresh() -> StrictResponseHandler:
    connection = StrictResponseHandler(asyncio.get_running_loop())
    connection.connection_made(Mock(spec=asyncio.Transport))
    return connection


@pytest.mark.parametrize("place", [0, 1, 20, len(RESPONSE) - 1, len(RESPONSE)])
async def test_a_server_may_be_faster_than_the_first_request(place: int) -> None:
    connection = await fresh()
    for early in (RESPONSE[:place][:5], RESPONSE[:place][5:]):
        if early:
            connection.data_received(early)
    response = connection.expect(USUAL, None)
    if late := RESPONSE[place:]:
        connection.data_received(late)
    head, _ = await response
    assert head.status == 200


async def test_a_flood_before_the_first_request_is_neither_kept_nor_read_on() -> None:
    connection = await fresh()
    transport = connection.transport
    assert isinstance(transport, Mock)
    connection.data_received(b"x" * 65536)
    transport.pause_reading.assert_not_called()
    for _ in range(9):
        connection.data_received(b"x" * 65536)
    assert connection.should_close
    transport.pause_reading.assert_called()


async def test_bytes_between_two_requests_are_not_kept_for_the_next_response() -> None:
    connection = await fresh()
    response = connection.expect(USUAL, None)
    connection.data_received(RESPONSE)
    await response
    closes = [connection.should_close]
    connection.data_received(RESPONSE)
    closes.append(connection.should_close)
    assert closes == [False, True]
    assert not connection.is_unused()
