"""Turns a request into the context that interceptors see, and their changes into a request."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from multidict import CIMultiDict

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.context import RequestContext, SideClient
from railhttp.model.errors import HTTPValidationError
from railhttp.model.field_lines import NO_LINES, FieldLines
from railhttp.model.headers import require_headers
from railhttp.model.memo import Memo
from railhttp.model.request import Request, require_framing, require_method
from railhttp.model.target import parse_target
from railhttp.model.validation import require_str
from railhttp.pipeline.http_call import HTTPCall


class Contexts:
    """Makes the contexts of a client's attempts.

    Args:
        read_body: Reads a streamed body, for interceptors that sign it.
        service_name: See `RequestContext`, as for `base_origin` and `client`.
    """

    __slots__ = ("_base_origin", "_client", "_read_body", "_service_name")

    def __init__(
        self,
        read_body: Callable[[StreamBody], AsyncIterator[bytes]],
        service_name: str | None = None,
        base_origin: str = "",
        client: SideClient | None = None,
    ) -> None:
        self._read_body = read_body
        self._service_name = service_name
        self._base_origin = base_origin
        self._client = client

    def of(self, call: HTTPCall, request: Request) -> RequestContext:
        """Return the context of an attempt, a copy that interceptors may change."""
        # Without `__init__`, which would be passed twelve arguments: 8 thousand instructions less,
        # those of a `datetime` aside (benchmarks/README.md).
        context = RequestContext.__new__(RequestContext)
        context.method = request.method
        context.url = request.url_text
        context.headers = {} if request.lines is None else _fields(request.lines)
        context.service_name = self._service_name
        context.attempt = call.attempts
        context._wall = call.clock.wall()
        context.call_id = call.identified()
        context.base_origin = self._base_origin
        context.notes = {}
        context.client = self._client
        if request.body is not None:
            self._give_body(context, request.body)
        return context

    def _give_body(self, context: RequestContext, body: Body) -> None:
        if isinstance(body, BytesBody):
            context.body = body.content
        else:
            context.body = None
            context.chunks = partial(self._read_body, body) if body.replayable else None


def taken_over(
    request: Request, context: RequestContext, before: Mapping[str, str] | None = None
) -> Request:
    """Apply the changes of interceptors to a request, with the same checks as for the caller's.

    Args:
        before: The fields that the first context had, if they are known.
    """
    if before is None:
        before = {} if request.lines is None else _fields(request.lines)
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
    lines = FieldLines.of(headers)
    return replace(request, method=require_method(context.method), target=target, lines=lines)


def same_fields(first: Request, second: Request) -> bool:
    """Whether two requests have the same method, URL and header fields."""
    if first is second:
        return True
    heads = (first.method, first.target) == (second.method, second.target)
    return heads and _fields(first.lines or NO_LINES) == _fields(second.lines or NO_LINES)


def _repeats(names: tuple[str, ...]) -> bool:
    """Whether two names are equal, or differ only in case."""
    return len(set(map(str.lower, names))) < len(names)


# Programs use few sets of names (benchmarks: everything on).
_REPEATS: Final = Memo(_repeats, size=256)


def _fields(lines: FieldLines) -> dict[str, str]:
    """Return the fields, with the lines of one name joined (RFC 9110, section 5.3)."""
    if not _REPEATS[lines.names]:
        return dict(zip(*lines, strict=True))
    names: CIMultiDict[str] = CIMultiDict()
    fields: dict[str, str] = {}
    for name, line in zip(*lines, strict=True):
        known = names.setdefault(name, name)
        fields[known] = f"{fields[known]}, {line}" if known in fields else line
    return fields


def _changed(
    request: Request, before: Mapping[str, str], after: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the original lines of unchanged fields, and one line for each changed field."""
    if request.lines is None:
        return after
    kept = {name.lower() for name, text in before.items() if after.get(name) == text}
    new = {name.lower(): (name, text) for name, text in after.items() if before.get(name) != text}
    old = zip(*request.lines, strict=True)
    lines = [line for line in old if line[0].lower() in kept - new.keys()]
    return CIMultiDict([*lines, *new.values()])
