"""A connection pauses its transport when its consumer is slow.

On a socket the buffers of the system would hide the pause.
"""

import asyncio
from unittest.mock import Mock

import pytest
from tests.transport.expecting import expect

from railhttp.model.request import WireOptions
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL, WITHOUT_BODY, Expected

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


async def fresh() -> tuple[StrictResponseHandler, Mock]:
    connection = StrictResponseHandler(asyncio.get_running_loop())
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    transport.get_write_buffer_size.return_value = 0
    connection.connection_made(transport)
    return connection, transport


def test_without_options_a_response_is_read_as_usual() -> None:
    assert Expected.of(WireOptions(), with_body=True) == USUAL
    assert Expected.of(WireOptions(), with_body=False) == WITHOUT_BODY
    assert Expected.of(WireOptions(read_until_eof=False), with_body=True) == Expected(
        read_until_eof=False
    )


@pytest.mark.parametrize(("read_bufsize", "most"), [(1024, 2048), (None, 2 * 2**18)])
async def test_reading_pauses_when_twice_the_buffer_is_unread(
    read_bufsize: int | None, most: int
) -> None:
    connection, transport = await fresh()
    wire = WireOptions(read_bufsize=read_bufsize)
    response = expect(connection, Expected.of(wire, with_body=True), None)
    connection.data_received(HEAD + b"x" * most)
    transport.pause_reading.assert_not_called()
    connection.data_received(b"x")
    transport.pause_reading.assert_called_once_with()
    _, body = await response
    assert not isinstance(body, bytes)
    assert len(await body.readany()) == most + 1
    transport.resume_reading.assert_called_once_with()
    connection.close()


@pytest.mark.parametrize("more", [0, 1])
async def test_of_the_bytes_before_the_first_request_64_kib_are_kept(more: int) -> None:
    connection, transport = await fresh()
    connection.data_received(b"H" * (64 * 1024 - 1 + more))
    transport.pause_reading.assert_not_called()
    connection.data_received(b"H")
    assert transport.pause_reading.called is bool(more)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("chunk", "number", "yields"),
    [
        (b"1\r\nx\r\n", 5462, True),  # 32 KiB and four bytes
        (b"1\r\nx\r\n", 5461, False),  # two bytes less than 32 KiB
        (b"4\r\nxxxx\r\n", 4000, True),
        (b"5\r\nxxxxx\r\n", 4000, False),  # half of the bytes are content
    ],
)
async def test_much_that_is_in_tiny_chunks_lets_other_tasks_run_before_more_is_read(
    chunk: bytes, number: int, yields: bool
) -> None:
    connection, transport = await fresh()
    transport.max_size = 0  # as asyncio's own transport
    response = expect(connection, USUAL, None)
    connection.data_received(CHUNKED)
    _, body = await response
    transport.pause_reading.assert_not_called()
    connection.data_received(chunk * number)
    assert transport.pause_reading.called is yields
    assert (transport.max_size == 32 * 1024) is yields
    transport.resume_reading.assert_not_called()
    await asyncio.sleep(0)
    assert transport.resume_reading.called is yields
    assert not isinstance(body, bytes)
    assert len(await body.readany()) == number * int(chunk[:1])


async def test_a_body_that_fills_a_read_is_read_512_kib_at_once_to_its_end() -> None:
    connection, transport = await fresh()
    transport.max_size = 0  # as asyncio's own transport
    response = expect(connection, USUAL, None)
    size = 64 * 1024
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * size))
    await response
    connection.data_received(b"x" * (size - 1))
    assert transport.max_size == 0
    connection.data_received(b"x" * size)
    assert transport.max_size == 512 * 1024
    connection.data_received(b"x")
    assert transport.max_size == size


async def test_a_consumer_that_is_slow_keeps_a_flood_of_tiny_chunks_waiting() -> None:
    connection, transport = await fresh()
    response = expect(connection, Expected(read_bufsize=1024), None)
    connection.data_received(CHUNKED)
    _, body = await response
    connection.data_received(b"1\r\nx\r\n" * 5462)
    await asyncio.sleep(0)
    transport.resume_reading.assert_not_called()
    assert not isinstance(body, bytes)
    await body.readany()
    transport.resume_reading.assert_called_once_with()
