"""Turns a request into the context that interceptors see, and their changes into a request."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import assert_never

from multidict import CIMultiDict

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.context import RequestContext, SideClient
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.request import Request, require_framing, require_method
from railhttp.model.url import request_url


def context_of(
    request: Request,
    *,
    attempt: int,
    wall: float,
    call_id: str,
    read_body: Callable[[StreamBody], AsyncIterator[bytes]],
    service_name: str | None = None,
    base_origin: str = "",
    client: SideClient | None = None,
) -> RequestContext:
    """Return the context of an attempt, a copy that interceptors may change.

    Args:
        request: The caller's request.
        attempt: The number of the attempt, counted from 0.
        wall: The time, in seconds since 1970-01-01 UTC.
        call_id: An id that all attempts of the call share.
        read_body: Reads a streamed body.
        service_name: The logical name of the service that is called, if any.
        base_origin: See `RequestContext`.
        client: See `RequestContext`.

    Example:
        >>> from railhttp.model.request import SendOptions
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
        >>> context_of(request, attempt=0, wall=0.0, call_id="7", read_body=print).url
        'http://h/'
    """
    return RequestContext(
        request.method,
        request.url_text,
        _fields(request),
        service_name,
        attempt=attempt,
        start_time=datetime.fromtimestamp(wall, UTC),
        body=b"" if request.body is None else _in_memory(request.body),
        chunks=None if request.body is None else _chunks(request.body, read_body),
        call_id=call_id,
        base_origin=base_origin,
        client=client,
    )


def taken_over(request: Request, context: RequestContext) -> Request:
    """Apply the changes of interceptors to a request, with the same checks as for the caller's.

    Args:
        request: The request that `context_of` was given.
        context: The context that the interceptors returned.

    Returns:
        The request itself if they changed nothing. A repeated field that they left alone stays
        repeated.

    Raises:
        HTTPValidationError: The changed request cannot be sent.

    Example:
        >>> from railhttp.model.request import SendOptions
        >>> from yarl import URL
        >>> request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
        >>> context = context_of(request, attempt=0, wall=0.0, call_id="7", read_body=print)
        >>> taken_over(request, context) is request
        True
    """
    before = _fields(request)
    if context.method == request.method and context.url == request.url_text:
        if context.headers == before:
            return request
        target = request.url
    else:
        target = request_url(context.url)
        if target.raw_user is not None:
            raise HTTPValidationError("has user-info: set Authorization instead", field="url")
    headers = require_headers(_changed(request, before, context.headers))
    require_framing(headers, request.body)
    return replace(request, method=require_method(context.method), url=target, headers=headers)


def same_fields(first: Request, second: Request) -> bool:
    """Whether two requests have the same method, URL and header fields."""
    if first is second:
        return True
    heads = (first.method, first.url) == (second.method, second.url)
    return heads and _fields(first) == _fields(second)


def _fields(request: Request) -> dict[str, str]:
    """Return the fields, with the lines of one name joined (RFC 9110, section 5.3)."""
    headers = request.headers
    if headers is None:
        return {}
    if len({name.lower() for name in headers}) == len(headers):
        return dict(headers)
    names: CIMultiDict[str] = CIMultiDict()
    fields: dict[str, str] = {}
    for name, line in headers.items():
        known = names.setdefault(name, name)
        fields[known] = f"{fields[known]}, {line}" if known in fields else line
    return fields


def _changed(
    request: Request, before: Mapping[str, str], after: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the original lines of unchanged fields, and one line for each changed field."""
    if request.headers is None:
        return after
    kept = {name.lower() for name, text in before.items() if after.get(name) == text}
    lines = [(name, line) for name, line in request.headers.items() if name.lower() in kept]
    new = {name.lower(): (name, text) for name, text in after.items() if before.get(name) != text}
    lines = [line for line in lines if line[0].lower() not in new]
    return CIMultiDict([*lines, *new.values()])


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
