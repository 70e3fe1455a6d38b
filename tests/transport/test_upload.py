"""How an upload is cut into writes, seen by the transport that takes them.

On a socket the buffers of the system would take megabytes at once.
"""

import asyncio
from unittest.mock import Mock

import pytest
from tests.transport.expecting import expect

from railhttp.model.body import StreamBody
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL
from railhttp.transport.upload import Upload

PIECE = 64 * 1024
CHUNK = bytes(3 * PIECE + 1)


@pytest.mark.parametrize(
    ("read_timeout", "sizes", "buffered"),
    [(60.0, [PIECE, PIECE, PIECE, 1], [PIECE]), (None, [len(CHUNK)], [])],
)
async def test_a_read_timeout_counts_for_each_64_kib_of_an_upload(
    read_timeout: float | None, sizes: list[int], buffered: list[int]
) -> None:
    """A server that takes a large chunk slowly is not silent, also if TLS could buffer more."""
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    connection = StrictResponseHandler(asyncio.get_running_loop())
    connection.connection_made(transport)
    expect(connection, USUAL, read_timeout)
    told: list[tuple[int, int | None]] = []
    upload = Upload(
        *(connection, StreamBody(([CHUNK],), "a/b"), len(CHUNK)),
        lambda sent, total: told.append((sent, total)),
        waits=False,
        patience=None,
    )
    await upload.finished()
    assert [len(call.args[0]) for call in transport.write.call_args_list] == sizes
    limits = [call.args[0] for call in transport.set_write_buffer_limits.call_args_list]
    assert limits == buffered
    assert told == [(len(CHUNK), len(CHUNK))]
    connection.close()
