"""A request as interceptors see it, and what they made of it."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import assert_never

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import check_headers
from railhttp.model.request import Request, check_framing, check_method
from railhttp.model.url import request_url
from railhttp.model.validation import or_raise


def context_of(
    request: Request,
    *,
    attempt: int,
    wall: float,
    call_id: str,
    read_body: Callable[[StreamBody], AsyncIterator[bytes]],
) -> RequestContext:
    """Make the context of an attempt, a value of the interceptors' own.

    Args:
        request: What is about to be sent.
        attempt: Which attempt this is, counted from 0.
        wall: The time, in seconds since 1970-01-01 UTC.
        call_id: An id that all attempts of the call have in common.
        read_body: Reads a streamed body.

    Example:
        >>> from railhttp.model.request import Route
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, Route())
        >>> context_of(request, attempt=0, wall=0.0, call_id="7", read_body=print).url
        'http://h/'
    """
    return RequestContext(
        request.method,
        request.url_text,
        _fields(request),
        attempt=attempt,
        start_time=datetime.fromtimestamp(wall, UTC),
        body=b"" if request.body is None else _in_memory(request.body),
        chunks=None if request.body is None else _chunks(request.body, read_body),
        call_id=call_id,
    )


def taken_over(request: Request, context: RequestContext) -> Request:
    """Take over what interceptors made of a request, checked like the caller's own.

    Args:
        request: What they were given.
        context: What they gave back.

    Returns:
        The request itself where they changed nothing, so that its repeated fields stay and
        nothing is checked twice.

    Raises:
        HTTPValidationError: It cannot be sent any more.

    Example:
        >>> from railhttp.model.request import Route
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, Route())
        >>> context = context_of(request, attempt=0, wall=0.0, call_id="7", read_body=print)
        >>> taken_over(request, context) is request
        True
    """
    if context.method == request.method and context.url == request.url_text:
        if context.headers == _fields(request):
            return request
        target = request.url
    else:
        target = request_url(context.url)
        if target.raw_user is not None:
            raise HTTPValidationError("has user-info: set Authorization instead", field="url")
    headers = or_raise(check_headers(context.headers))
    check_framing(headers, request.body)
    return replace(request, method=check_method(context.method), url=target, headers=headers)


def _fields(request: Request) -> dict[str, str]:
    headers: Mapping[str, str] | None = request.headers
    return {} if headers is None else dict(headers)


def _chunks(
    body: Body, read_body: Callable[[StreamBody], AsyncIterator[bytes]]
) -> Callable[[], AsyncIterator[bytes]] | None:
    if isinstance(body, StreamBody) and body.replayable:
        return partial(read_body, body)
    return None


def _in_memory(body: Body) -> bytes | None:
    match body:
        case BytesBody():
            return body.content
        case StreamBody():
            return None
        case _:
            assert_never(body)
