"""Turns a request into the context that interceptors see, and their changes into a request."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from multidict import CIMultiDict

from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.context import RequestContext, SideClient
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.request import Request, require_framing, require_method
from railhttp.model.target import parse_target
from railhttp.model.validation import require_str


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
    """Return the context of an attempt, a copy that interceptors may change."""
    in_memory: bytes | None = b""
    chunks: Callable[[], AsyncIterator[bytes]] | None = None
    match request.body:
        case BytesBody(content=in_memory):
            pass
        case StreamBody() as body:
            in_memory = None
            chunks = partial(read_body, body) if body.replayable else None
    return RequestContext(
        request.method,
        request.url_text,
        _fields(request),
        service_name,
        attempt=attempt,
        start_time=datetime.fromtimestamp(wall, UTC),
        body=in_memory,
        chunks=chunks,
        call_id=call_id,
        base_origin=base_origin,
        client=client,
    )


def taken_over(request: Request, context: RequestContext) -> Request:
    """Apply the changes of interceptors to a request, with the same checks as for the caller's."""
    before = _fields(request)
    if context.method == request.method and context.url == request.url_text:
        if context.headers == before:
            return request
        target = request.target
    else:
        target, credentials = parse_target(require_str(context.url, "url"))
        if credentials is not None:
            raise HTTPValidationError("has user-info: set Authorization instead", field="url")
    headers = require_headers(_changed(request, before, context.headers))
    require_framing(headers, request.body)
    return replace(request, method=require_method(context.method), target=target, headers=headers)


def same_fields(first: Request, second: Request) -> bool:
    """Whether two requests have the same method, URL and header fields."""
    if first is second:
        return True
    heads = (first.method, first.target) == (second.method, second.target)
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
    new = {name.lower(): (name, text) for name, text in after.items() if before.get(name) != text}
    lines = [line for line in request.headers.items() if line[0].lower() in kept - new.keys()]
    return CIMultiDict([*lines, *new.values()])
