"""A connection from its handshake to its end, with a transport that the test controls.

On a socket the order of two events depends on luck.
"""

import asyncio
import ssl
from unittest.mock import Mock, PropertyMock, call

import pytest
from aiohttp import ClientConnectionError, ClientPayloadError, StreamReader
from aiohttp import SocketTimeoutError as SilenceError
from tests.transport.expecting import expect

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL, WITHOUT_BODY, Expected
from railhttp.transport.handshake import HandshakeRefusedError
from railhttp.wire.response_head import ResponseError

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 2\r\n\r\nok"


def session_of(version: str | None, *, has_ticket: bool | None) -> Mock:
    """A TLS object; `has_ticket` is None for one without a session."""
    tls = Mock(spec=ssl.SSLObject)
    tls.version.return_value = version
    tls.session = None if has_ticket is None else Mock(has_ticket=has_ticket)
    return tls


async def connected(tls: object = None, *, buffered: int = 0) -> tuple[StrictResponseHandler, Mock]:
    connection = StrictResponseHandler(asyncio.get_running_loop(), 15.0)
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.side_effect = lambda name: tls if name == "ssl_object" else None
    transport.get_write_buffer_size.return_value = buffered
    connection.connection_made(transport)
    return connection, transport


# --- the handshake


@pytest.mark.parametrize(
    ("tls", "error", "refused"),
    [
        (None, None, False),
        (session_of("TLSv1.3", has_ticket=None), None, True),
        (session_of("TLSv1.3", has_ticket=False), None, True),
        (session_of("TLSv1.3", has_ticket=True), None, False),
        (session_of("TLSv1.3", has_ticket=True), ssl.SSLError(), True),
        (session_of("TLSv1.3", has_ticket=True), OSError(), False),
        (session_of("TLSv1.2", has_ticket=False), None, False),
        (session_of("TLSv1.2", has_ticket=None), ssl.SSLError(), False),
        (session_of(None, has_ticket=None), None, False),
    ],
)
@pytest.mark.parametrize("is_expected", [True, False])
async def test_a_new_connection_that_ends_without_a_byte_may_be_a_refused_handshake(
    tls: object, error: Exception | None, refused: bool, is_expected: bool
) -> None:
    connection, _ = await connected(tls)
    response = expect(connection, USUAL, None) if is_expected else None
    connection.connection_lost(error)
    with pytest.raises((ClientConnectionError, OSError)) as caught:
        await (expect(connection, USUAL, None) if response is None else response)
    assert isinstance(caught.value, HandshakeRefusedError) is refused


@pytest.mark.parametrize("event", ["served before", "early bytes", "bytes of the response"])
async def test_a_server_that_has_accepted_the_handshake_does_not_refuse_it_later(
    event: str,
) -> None:
    connection, _ = await connected(session_of("TLSv1.3", has_ticket=False))
    if event == "early bytes":
        connection.data_received(b"HTTP")
        connection.connection_lost(None)
        with pytest.raises(ClientConnectionError, match="the connection is closed") as closed:
            expect(connection, USUAL, None)
        assert not isinstance(closed.value, HandshakeRefusedError)
        return
    connection.has_served = event == "served before"
    response = expect(connection, USUAL, None)
    if event != "served before":
        connection.data_received(b"HTTP")
    connection.connection_lost(None)
    with pytest.raises(ClientConnectionError) as caught:
        await response
    assert not isinstance(caught.value, HandshakeRefusedError)


# --- the response


async def test_a_whole_response_that_closes_ends_the_connection() -> None:
    for fields, closes in ((b"", False), (b"Connection: close\r\n", True)):
        connection, _ = await connected()
        response = expect(connection, USUAL, None)
        connection.data_received(OK + fields + b"Content-Length: 2\r\n\r\nok")
        head, body = await response
        assert (head.status, body, connection.should_close) == (200, b"ok", closes)


@pytest.mark.parametrize(
    ("start", "closes"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (OK + b"Content-Length: 0\r\n\r\n", False),
        (OK + b"\r\n", True),
    ],
)
async def test_which_heads_end_the_connection_with_the_response(start: bytes, closes: bool) -> None:
    connection, _ = await connected()
    response = expect(connection, Expected(read_bufsize=99), None)
    connection.data_received(start)
    await response
    connection._payload = None  # aiohttp's `should_close` looks at an unread body, too
    assert connection.should_close is closes


async def test_a_response_without_a_body_has_none_however_it_is_announced() -> None:
    connection, _ = await connected()
    response = expect(connection, WITHOUT_BODY, None)
    connection.data_received(WHOLE[:-2])
    _, body = await response
    assert isinstance(body, StreamReader)
    assert body.is_eof()


async def test_each_interim_response_is_reported_and_none_is_the_response() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, None)
    seen: list[int] = []
    connection.on_interim = seen.append
    connection.data_received(b"HTTP/1.1 100 \r\n\r\nHTTP/1.1 103 \r\n\r\n")
    assert (seen, response.done()) == ([100, 103], False)
    connection.data_received(WHOLE)
    assert (await response)[0].status == 200
    expect(connection, USUAL, None)
    assert connection.on_interim is None


async def test_nobody_has_to_wait_for_interim_responses() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(b"HTTP/1.1 103 \r\n\r\n" + WHOLE)
    assert (await response)[0].status == 200


async def test_bytes_that_follow_a_response_are_neither_kept_nor_read_on() -> None:
    connection, transport = await connected()
    response = expect(connection, Expected(read_bufsize=99), None)
    connection.data_received(WHOLE + b"x")
    head, body = await response
    assert isinstance(body, StreamReader)
    assert (head.status, await body.read()) == (200, b"ok")
    assert connection.should_close
    transport.pause_reading.assert_called()


async def test_a_malformed_response_is_raised_and_closes_the_connection() -> None:
    connection, transport = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(b"nonsense\r\n\r\n")
    with pytest.raises(ResponseError):
        await response
    transport.close.assert_called()


async def test_what_came_before_a_fault_in_the_body_is_read_first() -> None:
    connection, transport = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\nx\r\n")
    _, body = await response
    assert isinstance(body, StreamReader)
    assert body._read_nowait(-1) == b"abcd"
    with pytest.raises(ResponseError):
        await body.read()
    transport.close.assert_called()


async def test_tiny_chunks_that_came_together_are_one_piece() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 999)
    _, body = await response
    assert isinstance(body, StreamReader)
    assert await body.readany() == b"a" * 999


# --- the end of the connection


@pytest.mark.parametrize(
    ("fields", "error", "raised"),
    [
        (b"Content-Length: 9\r\n", None, ClientPayloadError),
        (b"Content-Length: 9\r\n", OSError("reset"), ClientPayloadError),
        (b"Transfer-Encoding: chunked\r\n", None, ClientPayloadError),
        (b"", None, None),
        (b"", OSError("reset"), ClientPayloadError),
    ],
)
async def test_the_end_of_a_connection_ends_a_body_only_if_nothing_else_does(
    fields: bytes, error: Exception | None, raised: type[Exception] | None
) -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(OK + fields + b"\r\n")
    _, body = await response
    assert isinstance(body, StreamReader)
    reading = asyncio.create_task(body.read())
    await asyncio.sleep(0)
    connection.connection_lost(error)
    if raised is None:
        assert await reading == b""
    else:
        with pytest.raises(raised) as caught:
            await reading
        assert caught.value.__cause__ is error


async def test_an_error_of_the_connection_is_that_of_its_body() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(OK + b"Content-Length: 9\r\n\r\n")
    _, body = await response
    assert isinstance(body, StreamReader)
    error = OSError("the upload failed")
    connection.set_exception(error)
    connection.connection_lost(None)
    with pytest.raises(OSError, match="the upload failed"):
        await body.read()


@pytest.mark.parametrize("way", ["close", "abort"])
@pytest.mark.parametrize("buffered", [0, 1])
async def test_closing_wakes_a_reader_and_sends_nothing_more(way: str, buffered: int) -> None:
    connection, transport = await connected(buffered=buffered)
    response = expect(connection, USUAL, None)
    connection.data_received(OK + b"Content-Length: 9\r\n\r\n")
    _, body = await response
    assert isinstance(body, StreamReader)
    reading = asyncio.create_task(body.read())
    await asyncio.sleep(0)
    getattr(connection, way)()
    with pytest.raises(ClientConnectionError, match="the connection was closed"):
        await reading
    aborted = way == "abort" or bool(buffered)
    assert (transport.abort.called, transport.close.called) == (aborted, not aborted)


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_closing_leaves_a_body_that_is_whole_as_it_is(way: str) -> None:
    connection, _ = await connected()
    response = expect(connection, Expected(read_bufsize=99), None)
    connection.data_received(WHOLE)
    _, body = await response
    assert isinstance(body, StreamReader)
    getattr(connection, way)()
    assert await body.read() == b"ok"


async def test_nothing_can_be_asked_of_a_connection_that_was_lost() -> None:
    connection, _ = await connected()
    connection.connection_lost(None)
    with pytest.raises(ClientConnectionError, match="the connection is closed"):
        expect(connection, USUAL, None)
    assert not connection.is_unused()


async def test_a_connection_that_its_transport_closes_is_not_used_again() -> None:
    connection, transport = await connected()
    response = expect(connection, USUAL, None)
    connection.data_received(WHOLE)
    await response
    assert connection.is_unused()
    transport.is_closing.return_value = True
    assert not connection.is_unused()


# --- the read timeout


def is_timed(connection: StrictResponseHandler) -> bool:
    return connection._read_timeout_handle is not None


async def test_a_read_timeout_runs_until_the_response_is_there() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, 60.0)
    assert connection.read_timeout == 60.0
    connection.start_timeout()
    assert is_timed(connection)
    connection.data_received(WHOLE)
    await response
    assert not is_timed(connection)
    connection.expect_more()  # the response is there
    assert not is_timed(connection)
    connection.close()


async def test_silence_is_raised_in_the_task_that_waits() -> None:
    connection, _ = await connected()
    response = expect(connection, USUAL, 0.001)
    connection.expect_more()
    with pytest.raises(SilenceError):
        async with asyncio.timeout(60):
            await response
    connection.close()


@pytest.mark.parametrize("in_pieces", [True, False])
async def test_a_body_that_came_whole_has_no_read_timeout(in_pieces: bool) -> None:
    connection, _ = await connected()
    response = expect(connection, Expected(read_bufsize=99), 60.0)
    connection.start_timeout()
    connection.data_received(WHOLE[:-1] if in_pieces else WHOLE)
    _, body = await response
    assert isinstance(body, StreamReader)
    if in_pieces:
        connection.data_received(WHOLE[-1:])
    assert not is_timed(connection)
    assert await body.read() == b"ok"


async def test_the_next_request_has_its_own_read_timeout() -> None:
    connection, _ = await connected()
    for seconds in (5.0, None, 7.0):
        response = expect(connection, USUAL, seconds)
        assert connection.read_timeout == seconds
        connection.data_received(WHOLE)
        await response


async def test_a_transport_of_asyncio_reads_64_kib_at_once() -> None:
    connection = StrictResponseHandler(asyncio.get_running_loop())
    transport = Mock(spec=[*dir(asyncio.Transport), "max_size"])
    transport.get_extra_info.return_value = None
    type(transport).max_size = size = PropertyMock(return_value=262_144)
    connection.connection_made(transport)
    assert size.mock_calls[-1] == call(64 * 1024)
    other = Mock(spec=asyncio.Transport)
    other.get_extra_info.return_value = None
    connection.connection_made(other)
    assert not hasattr(other, "max_size")
