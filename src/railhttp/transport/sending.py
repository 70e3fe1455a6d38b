"""Sends a request over a connection."""

from typing import Final

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.field_lines import FieldLines
from railhttp.model.memo import Memo
from railhttp.model.request import Request
from railhttp.model.stage import SENDING, AttemptState
from railhttp.model.timings import PhaseTimer
from railhttp.transport.connection import Awaited, StrictResponseHandler
from railhttp.transport.expected import expected_by
from railhttp.transport.upload import Upload
from railhttp.wire.request_head import content_length

_AT_ONCE: Final = 64 * 1024  # the write buffer's size above which a transport pauses us


def interim_came(protocol: StrictResponseHandler, upload: Upload, status: int) -> None:
    """Go on with an upload after an interim response."""
    if status == 100:
        upload.go_ahead()
    if upload.is_done:
        protocol.expect_more()


def sends_at_once(request: Request) -> bool:
    """Whether `start_sending` writes the body of a request together with the head."""
    body = request.body
    return (
        isinstance(body, BytesBody) and len(body.content) <= _AT_ONCE and not _is_attended(request)
    )


def start_sending(
    request: Request,
    head: bytes,
    attempt: AttemptState,
    protocol: StrictResponseHandler,
    response: Awaited,
) -> Upload | None:
    """Write the head and a small body; return the upload of any other body."""
    timer = attempt.timer
    attempt.stage = SENDING
    read_timeout = request.options.read_timeout
    transport = protocol.expect(response, expected_by(request), read_timeout)
    since = 0.0 if timer is None else timer.now()
    match request.body:
        case None:
            transport.write(head)
        case BytesBody(content) if len(content) <= _AT_ONCE and not _is_attended(request):
            transport.write(head + content)
        case BytesBody(content):
            transport.write(head)
            return _upload(protocol, request, StreamBody((content,), ""), timer)
        case body:
            transport.write(head)
            return _upload(protocol, request, body, timer)
    if timer is not None:
        timer.ended("send", since)
    if read_timeout is not None:
        protocol.start_timeout()
    return None


def time_wait(timer: PhaseTimer, upload: Upload | None, since: float) -> None:
    """Time the wait for a head, and the upload before it, which may go on beyond it."""
    if upload is not None:
        timer.ended("send", since, upload.ended_at)
    timer.ended("wait", since + (timer.timings.send or 0.0))


def _upload(
    protocol: StrictResponseHandler, request: Request, body: StreamBody, timer: PhaseTimer | None
) -> Upload:
    return Upload(
        protocol,
        body,
        content_length(request),
        request.options.upload_progress,
        waits=_expects_go_ahead(request.lines),
        patience=request.options.expect_continue_timeout,
        now=None if timer is None else timer.now,
    )


def _is_attended(request: Request) -> bool:
    """Whether the caller follows the upload, or the server decides on it first."""
    return request.options.upload_progress is not None or _expects_go_ahead(request.lines)


def _have_expect(names: tuple[str, ...]) -> bool:
    return "expect" in map(str.lower, names)


_HAVE_EXPECT: Final = Memo(_have_expect, size=256)  # programs use few sets of names


def _expects_go_ahead(lines: FieldLines | None) -> bool:
    if lines is None or not _HAVE_EXPECT[lines.names]:
        return False
    return "100-continue" in map(str.lower, lines.fields.getall("expect"))
