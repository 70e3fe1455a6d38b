"""Bytes that a server sends before it has the request, given to a connection by hand.

On a socket it depends on luck whether they come before the client expects a response.
"""

import asyncio
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from tests.transport.expecting import expect

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def fresh() -> StrictResponseHandler:
    connection = StrictResponseHandler(asyncio.get_running_loop())
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    connection.connection_made(transport)
    return connection


@pytest.mark.parametrize("place", [0, 1, 20, len(RESPONSE) - 1, len(RESPONSE)])
async def test_a_server_may_be_faster_than_the_first_request(place: int) -> None:
    connection = await fresh()
    for early in (RESPONSE[:place][:5], RESPONSE[:place][5:]):
        if early:
            connection.data_received(early)
    response = expect(connection, USUAL, None)
    if late := RESPONSE[place:]:
        connection.data_received(late)
    head, _ = await response
    assert head.status == 200


async def test_early_bytes_are_read_once() -> None:
    connection = await fresh()
    connection.data_received(RESPONSE)
    await expect(connection, USUAL, None)
    for _ in range(2):
        response = expect(connection, USUAL, None)
        assert not response.done()
        connection.data_received(RESPONSE)
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
    response = expect(connection, USUAL, None)
    connection.data_received(RESPONSE)
    await response
    closes = [connection.should_close]
    connection.data_received(RESPONSE)
    closes.append(connection.should_close)
    assert closes == [False, True]


def surplus(connection: StrictResponseHandler) -> None:
    connection.data_received(RESPONSE)


def error(connection: StrictResponseHandler) -> None:
    connection.set_exception(OSError("the upload failed"))


def bytes_at_rest(connection: StrictResponseHandler) -> None:
    connection.rest()
    connection.data_received(b"x")


@pytest.mark.parametrize("event", [surplus, error, bytes_at_rest])
async def test_a_connection_is_used_again_only_if_nothing_has_happened_to_it(
    event: Callable[[StrictResponseHandler], None],
) -> None:
    """Each is seen at once, before the loop reports that the connection is lost."""
    connection = await fresh()
    assert connection.is_unused()
    response = expect(connection, USUAL, None)
    connection.data_received(RESPONSE)
    await response
    assert connection.is_unused()
    event(connection)
    assert not connection.is_unused()
