"""Sends a request over a connection."""

from typing import Final

from aiohttp import ClientConnectionError
from multidict import CIMultiDict

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.request import Request
from railhttp.model.timings import PhaseTimer
from railhttp.transport.connection import USUAL, WITHOUT_BODY, Expected, StrictResponseHandler
from railhttp.transport.upload import Upload
from railhttp.wire.request_head import content_length

_AT_ONCE: Final = 64 * 1024  # the write buffer's size above which a transport pauses us


def expected_by(request: Request) -> Expected:
    """Return how the response to a request is read."""
    with_body = request.method != "HEAD"
    if (wire := request.options.wire) is not None:
        return Expected.of(wire, with_body=with_body)
    return USUAL if with_body else WITHOUT_BODY


def interim_came(protocol: StrictResponseHandler, upload: Upload, status: int) -> None:
    """Go on with an upload after an interim response."""
    if status == 100:
        upload.go_ahead()
    if upload.is_done:
        protocol.expect_more()


def start_sending(
    protocol: StrictResponseHandler, request: Request, head: bytes, timer: PhaseTimer | None
) -> Upload | None:
    """Write the head and a small body; return the upload of any other body."""
    transport = protocol.transport
    if transport is None:
        raise ClientConnectionError("the connection is closed")
    since = 0.0 if timer is None else timer.now()
    body, progress = request.body, request.options.upload_progress
    headers = request.headers
    waits = body is not None and headers is not None and _expects_go_ahead(headers)
    match body:
        case None:
            transport.write(head)
        case BytesBody(content) if len(content) <= _AT_ONCE and progress is None and not waits:
            transport.write(head + content)
        case _:
            transport.write(head)
            rest = StreamBody((body.content,), "") if isinstance(body, BytesBody) else body
            now = None if timer is None else timer.now
            length = content_length(request)
            patience = request.options.expect_continue_timeout
            return Upload(protocol, rest, length, progress, waits=waits, patience=patience, now=now)
    if timer is not None:
        timer.ended("send", since)
    if request.options.read_timeout is not None:
        protocol.start_timeout()
    return None


def time_wait(timer: PhaseTimer, upload: Upload | None, since: float) -> None:
    """Time the wait for a head, and the upload before it, which may go on beyond it."""
    if upload is not None:
        timer.ended("send", since, upload.ended_at)
    timer.ended("wait", since + (timer.timings.send or 0.0))


def _expects_go_ahead(headers: CIMultiDict[str]) -> bool:
    return "expect" in headers and "100-continue" in map(str.lower, headers.getall("expect"))
