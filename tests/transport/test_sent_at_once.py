"""Small requests are written at once; an upload sends any other body."""

import asyncio
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectionError
from multidict import CIMultiDict
from tests.transport.expecting import expect
from yarl import URL

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions, WireOptions
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.expected import USUAL, WITHOUT_BODY, Expected, expected_by
from railhttp.transport.request_body import RequestBodyError
from railhttp.transport.sending import interim_came, start_sending, time_wait
from railhttp.transport.upload import Upload
from railhttp.transport.waiter import Turn

HEAD = b"PUT / HTTP/1.1\r\n\r\n"
MOST = 64 * 1024
GO_AHEAD = {"Expect": "100-continue"}


class Watched:
    """A connection, and what was written to it."""

    def __init__(self) -> None:
        self.connection = StrictResponseHandler(asyncio.get_running_loop())
        self.transport = Mock(spec=asyncio.Transport)
        self.transport.is_closing.return_value = False
        self.transport.get_extra_info.return_value = None
        self.transport.get_write_buffer_size.return_value = 0
        self.connection.connection_made(self.transport)

    @property
    def written(self) -> list[bytes]:
        calls = [(name, args) for name, args, _ in self.transport.method_calls]
        return [
            args[0] if name == "write" else b"".join(args[0])
            for name, args in calls
            if name in {"write", "writelines"}
        ]


def request_of(
    body: Body | None,
    headers: dict[str, str] | None = None,
    method: str = "PUT",
    options: SendOptions | None = None,
) -> Request:
    fields = None if headers is None else CIMultiDict(headers)
    return Request(method, URL("http://h/"), fields, body, None, options or SendOptions())


def send(
    connection: StrictResponseHandler, request: Request, head: bytes, timer: PhaseTimer | None
) -> Upload | None:
    """Send a request whose response nobody waits for."""
    call = HTTPCall(request, "http://h", SYSTEM_CLOCK, None, None)
    call.timer = timer
    response: Turn = asyncio.get_running_loop().create_future()
    return start_sending(request, head, call, connection, response)


def progress(sent: int, length: int | None) -> None:
    """Follow an upload."""


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (None, [HEAD]),
        (BytesBody(b"", ""), [HEAD]),
        (BytesBody(b"abc", ""), [HEAD + b"abc"]),
        (BytesBody(b"x" * MOST, ""), [HEAD + b"x" * MOST]),
    ],
    ids=["no body", "empty", "small", "64 KiB"],
)
@pytest.mark.parametrize("headers", [None, {"X-Id": "7"}, {"Expect": "x"}])
async def test_a_small_body_is_written_with_its_head(
    body: Body | None, written: list[bytes], headers: dict[str, str] | None
) -> None:
    watched = Watched()
    assert send(watched.connection, request_of(body, headers), HEAD, None) is None
    assert watched.written == written


@pytest.mark.parametrize(
    ("body", "headers", "options"),
    [
        (BytesBody(b"x" * (MOST + 1), ""), None, SendOptions()),
        (StreamBody((b"abc",), ""), None, SendOptions()),
        (BytesBody(b"abc", ""), GO_AHEAD, SendOptions()),
        (BytesBody(b"abc", ""), {"expect": "x", "EXPECT": "100-Continue"}, SendOptions()),
        (BytesBody(b"abc", ""), None, SendOptions(upload_progress=progress)),
    ],
    ids=["large", "stream", "expecting", "expecting in any case", "followed"],
)
async def test_any_other_body_is_sent_after_its_head(
    body: Body, headers: dict[str, str] | None, options: SendOptions
) -> None:
    watched = Watched()
    request = request_of(body, headers, options=options)
    upload = send(watched.connection, request, HEAD, None)
    assert upload is not None
    assert watched.written == [HEAD]
    upload.go_ahead()
    await upload.finished()
    size = 3 if body.length is None else body.length
    assert sum(map(len, watched.written)) == len(HEAD) + size
    assert (upload.is_done, upload.is_sending) == (True, False)


@pytest.mark.parametrize(("status", "sends"), [(100, True), (101, False), (102, False)])
async def test_a_body_that_waits_is_sent_after_a_100_alone(status: int, sends: bool) -> None:
    watched = Watched()
    request = request_of(BytesBody(b"abc", ""), GO_AHEAD)
    upload = send(watched.connection, request, HEAD, None)
    assert upload is not None
    await asyncio.sleep(0)
    assert not upload.is_sending
    interim_came(watched.connection, upload, status)
    assert upload.is_sending is sends
    for _ in range(20):
        await asyncio.sleep(0)
    assert upload.is_done is sends
    assert watched.written == [HEAD, b"abc"][: 1 + sends]
    upload.cancel()


async def test_a_body_waits_for_its_100_no_longer_than_the_caller_has_patience() -> None:
    watched = Watched()
    options = SendOptions(expect_continue_timeout=0.001)
    request = request_of(BytesBody(b"abc", ""), GO_AHEAD, options=options)
    upload = send(watched.connection, request, HEAD, None)
    assert upload is not None
    async with asyncio.timeout(60):
        await upload.finished()
    assert watched.written == [HEAD, b"abc"]


async def test_nothing_is_sent_over_a_connection_that_was_lost() -> None:
    watched = Watched()
    watched.connection.connection_lost(None)
    with pytest.raises(ClientConnectionError, match="the connection is closed"):
        send(watched.connection, request_of(None), HEAD, None)


@pytest.mark.parametrize("read_timeout", [None, 60.0])
async def test_the_read_timeout_starts_when_a_small_request_is_written(
    read_timeout: float | None,
) -> None:
    watched = Watched()
    request = request_of(None, options=SendOptions(read_timeout=read_timeout))
    send(watched.connection, request, HEAD, None)
    assert (watched.connection._read_timeout_handle is not None) is (read_timeout is not None)
    watched.connection.close()


# --- how the response is read


@pytest.mark.parametrize(
    ("method", "wire", "expected"),
    [
        ("GET", None, USUAL),
        ("HEAD", None, WITHOUT_BODY),
        ("GET", WireOptions(read_bufsize=5), Expected(read_bufsize=5)),
        ("HEAD", WireOptions(read_until_eof=False), Expected(False, False)),
    ],
)
def test_only_a_head_has_no_body(method: str, wire: WireOptions | None, expected: Expected) -> None:
    request = request_of(None, method=method, options=SendOptions(wire=wire))
    assert expected_by(request) == expected


# --- timings


def timer_of(*times: float) -> PhaseTimer:
    moments: Iterator[float] = iter(times)
    return PhaseTimer(lambda: next(moments))


async def test_a_request_that_is_written_at_once_is_timed_as_sent() -> None:
    watched = Watched()
    timer = timer_of(1.0, 1.5)
    send(watched.connection, request_of(None), HEAD, timer)
    assert timer.timings.send == pytest.approx(0.5)


@pytest.mark.parametrize(("ended_at", "send", "wait"), [(3.0, 2.0, 4.0), (7.0, 6.0, 0.0)])
def test_the_wait_for_a_head_begins_when_the_upload_has_ended(
    ended_at: float, send: float, wait: float
) -> None:
    upload = Mock(spec=Upload)
    upload.ended_at = ended_at
    timer = timer_of(7.0)
    time_wait(timer, upload, 1.0)
    assert (timer.timings.send, timer.timings.wait) == (send, wait)


def test_the_wait_begins_at_once_if_sending_took_no_time() -> None:
    timer = timer_of(7.0)
    timer.ended("send", 1.0, 1.0)
    time_wait(timer, None, 1.0)
    assert (timer.timings.send, timer.timings.wait) == (0.0, 6.0)


@pytest.mark.parametrize(
    ("length", "content", "message"),
    [
        (2, [b"a", b"bc"], "is longer than the 2 bytes announced"),
        (4, [b"abc"], "ended after 3 of 4 bytes"),
    ],
)
async def test_a_body_of_another_length_than_announced_breaks_its_connection(
    length: int, content: list[bytes], message: str
) -> None:
    watched = Watched()
    response = expect(watched.connection, USUAL, None)
    upload = Upload(
        *(watched.connection, StreamBody((content,), ""), length, None),
        waits=False,
        patience=None,
        now=lambda: 7.0,
    )
    ended = [upload.ended_at]
    with pytest.raises(RequestBodyError, match=f"^{message}$"):
        await upload.finished()
    with pytest.raises(RequestBodyError, match=message):
        await response
    assert [*ended, upload.ended_at] == [None, 7.0]
    assert sum(map(len, watched.written)) <= length
    watched.transport.close.assert_called()


async def test_a_body_of_unknown_length_is_written_in_chunks() -> None:
    watched = Watched()
    body = StreamBody(([b"abc", b"x" * 16],), "")
    upload = Upload(watched.connection, body, None, None, waits=False, patience=None)
    await upload.finished()
    chunks = b"3\r\nabc\r\n10\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"
    assert b"".join(watched.written) == chunks


async def test_an_error_while_sending_is_raised_in_the_task_that_waits() -> None:
    watched = Watched()
    response = expect(watched.connection, USUAL, None)
    watched.transport.is_closing.return_value = True
    upload = Upload(
        *(watched.connection, StreamBody((b"abc",), ""), 3, None), waits=False, patience=None
    )
    await upload.finished()
    with pytest.raises(ClientConnectionError):
        await response
