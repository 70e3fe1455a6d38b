"""A connection uses the state of its socket in the kernel, which is ahead of the event loop."""

import asyncio
import select
import socket
import sys
from collections.abc import Iterator
from unittest.mock import Mock, create_autospec, patch

import pytest
from aiohttp import ClientConnectionError
from tests.patience import until
from tests.transport.expecting import expect

from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL
from railhttp.transport.socket_state import watch_acknowledged, watch_for_bytes

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("platform", [sys.platform, "win32"])
async def test_bytes_and_the_end_are_seen_before_they_are_read(
    pair: tuple[socket.socket, socket.socket], platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    monkeypatch.setattr(sys, "platform", platform)
    has_bytes = watch_for_bytes(ours)
    assert not has_bytes()
    theirs.send(b"x")
    await until(has_bytes)
    assert ours.recv(9) == b"x"
    assert not has_bytes()
    theirs.shutdown(socket.SHUT_WR)
    await until(has_bytes)


def test_a_look_at_a_socket_does_not_wait(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with patch.object(select, "select", return_value=([], [], [])) as look:
        assert not watch_for_bytes(pair[0])()
    assert look.call_args.args == ([pair[0]], [], [], 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no poll")
def test_a_poll_of_a_socket_does_not_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    with patch.object(select, "poll") as make:
        make.return_value.poll.return_value = []
        assert not watch_for_bytes(pair[0])()
    make.return_value.register.assert_called_once_with(pair[0].fileno(), select.POLLIN)
    make.return_value.poll.assert_called_once_with(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the peer confirmed")
async def test_linux_counts_the_bytes_that_the_peer_has_confirmed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    acknowledged = watch_acknowledged(pair[0])
    before = acknowledged()
    pair[0].send(b"x" * 300)
    await until(lambda: acknowledged() == before + 300)


async def test_elsewhere_nothing_is_counted(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    unix, other = socket.socketpair()
    with unix, other:
        assert watch_acknowledged(unix)() == 0
    monkeypatch.setattr(sys, "platform", "darwin")
    pair[0].send(b"x")
    assert watch_acknowledged(pair[0])() == 0


def test_an_old_kernel_that_does_not_count_confirms_nothing() -> None:
    old = create_autospec(socket.socket, instance=True)
    old.getsockopt.return_value = bytes(104)  # as before Linux 4.1
    assert watch_acknowledged(old)() == 0


# --- a connection


class Kernel:
    """A socket whose state the test decides."""

    family = socket.AF_UNIX  # aiohttp sets options of TCP on others

    def __init__(self) -> None:
        self.confirmed = 0
        self._end, self._other = socket.socketpair()

    def fileno(self) -> int:
        return self._end.fileno()

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes:
        assert (level, name, size) == (socket.IPPROTO_TCP, socket.TCP_INFO, 128)
        return bytes(120) + self.confirmed.to_bytes(8, "little")

    def close(self) -> None:
        self._end.close()
        self._other.close()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


async def connected(sock: object) -> StrictResponseHandler:
    connection = StrictResponseHandler(asyncio.get_running_loop(), 15.0)
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.side_effect = lambda name: sock if name == "socket" else None
    transport.get_write_buffer_size.return_value = 0
    connection.connection_made(transport)
    return connection


async def used(connection: StrictResponseHandler) -> None:
    """Serve a request."""
    response = expect(connection, USUAL, None)
    connection.data_received(RESPONSE)
    await response


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is confirmed")


@linux
@pytest.mark.parametrize(
    ("before", "after", "is_response"),
    [(0, 0, True), (1, 1, True), (2, 2, False), (2, 3, True), (500, 500, False), (500, 501, True)],
)
async def test_bytes_are_a_response_only_if_the_peer_has_confirmed_something(
    kernel: Kernel, before: int, after: int, is_response: bool
) -> None:
    connection = await connected(kernel)
    await used(connection)
    kernel.confirmed = before
    connection.rest()
    connection.is_idle = False
    transport = connection.transport
    assert isinstance(transport, Mock)
    response = expect(connection, USUAL, None)
    kernel.confirmed = after
    connection.data_received(RESPONSE)
    if is_response:
        assert (await response)[0].status == 200
    else:
        with pytest.raises(ClientConnectionError, match="unasked"):
            await response
    assert transport.abort.called is not is_response
    assert connection.should_close is not is_response


async def test_no_bytes_are_no_reason_to_refuse_a_connection(kernel: Kernel) -> None:
    connection = await connected(kernel)
    connection.rest()
    assert not connection.refuses(b"")
    assert connection.refuses(b"x")


@linux
async def test_only_the_first_bytes_after_a_rest_are_judged(kernel: Kernel) -> None:
    connection = await connected(kernel)
    await used(connection)
    kernel.confirmed = 5
    connection.rest()
    connection.is_idle = False
    response = expect(connection, USUAL, None)
    kernel.confirmed = 9
    connection.data_received(RESPONSE[:10])
    connection.data_received(RESPONSE[10:])  # nothing more is confirmed meanwhile
    assert (await response)[0].status == 200


@linux
async def test_what_was_confirmed_before_the_second_rest_counts_no_more(kernel: Kernel) -> None:
    connection = await connected(kernel)
    kernel.confirmed = 5
    for _ in range(2):
        connection.rest()
        connection.is_idle = False
        response = expect(connection, USUAL, None)
        kernel.confirmed += 9
        connection.data_received(RESPONSE)
        await response
    connection.rest()
    connection.is_idle = False
    response = expect(connection, USUAL, None)
    connection.data_received(RESPONSE)
    with pytest.raises(ClientConnectionError):
        await response


async def test_bytes_at_rest_end_the_connection_at_once(kernel: Kernel) -> None:
    connection = await connected(kernel)
    await used(connection)
    transport = connection.transport
    assert isinstance(transport, Mock)
    connection.rest()
    assert (connection.is_idle, connection.is_unproven) == (True, True)
    connection.data_received(b"")
    transport.abort.assert_not_called()
    connection.data_received(b"x")
    transport.abort.assert_called_once_with()
    assert not connection.is_connected()


async def test_a_connection_whose_socket_cannot_be_watched_is_never_used_again() -> None:
    for sock in (None, Mock(spec=["family"])):
        connection = await connected(sock)
        connection.rest()
        assert connection.has_unread()


async def test_a_connection_sees_what_its_socket_has(kernel: Kernel) -> None:
    connection = await connected(kernel)
    assert connection.has_unread()  # its socket is only watched from the first rest on
    connection.rest()
    assert not connection.has_unread()
    kernel._other.send(b"x")
    await until(connection.has_unread)


@pytest.mark.parametrize(
    ("fields", "limit", "closes"),
    [
        ([], 15.0, False),
        (["max=5"], 15.0, False),
        (["timeout=5"], 4.0, False),
        (["timeout=100"], 15.0, False),
        (["timeout=0"], 0.0, True),
    ],
)
async def test_a_server_may_shorten_the_time_at_rest(
    fields: list[str], limit: float, closes: bool
) -> None:
    connection = await connected(None)
    assert connection.reuse_limit == 15.0
    connection.obey(fields)
    assert (connection.reuse_limit, connection.should_close) == (limit, closes)


async def test_the_last_word_of_a_server_counts() -> None:
    connection = await connected(None)
    for fields, limit in ((["timeout=3"], 2.0), (["timeout=9"], 8.0), ([], 8.0)):
        connection.obey(fields)
        assert connection.reuse_limit == limit
