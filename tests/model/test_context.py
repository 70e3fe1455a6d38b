"""The request as interceptors see it: defaults, equality, and the time of its start."""

from collections.abc import AsyncIterator, Callable
from copy import copy
from dataclasses import asdict, replace
from datetime import UTC, datetime
from inspect import signature
from typing import Final

import pytest

from railhttp import HTTPClient
from railhttp.interceptors import RequestInterceptor
from railhttp.model.context import RequestContext
from railhttp.testing import ManualClock, ScriptedTransport

build: Callable[..., RequestContext] = RequestContext

DEFAULTS: Final[dict[str, object]] = {
    "headers": {},
    "service_name": None,
    "attempt": 0,
    "start_time": None,
    "body": b"",
    "chunks": None,
    "call_id": "",
    "base_origin": "",
    "notes": {},
    "client": None,
}
OTHERS: Final[dict[str, object]] = {
    "headers": {"Accept": "a/b"},
    "service_name": "stock",
    "attempt": 1,
    "start_time": datetime(2024, 2, 29, tzinfo=UTC),
    "body": b"abc",
    "call_id": "call-1",
    "base_origin": "http://h",
}
"""Other values of what two contexts are compared by."""


async def chunks() -> AsyncIterator[bytes]:
    yield b"a"


def test_a_context_needs_no_more_than_a_method_and_a_url() -> None:
    context = RequestContext("get", "http://h/")
    assert (context.method, context.url) == ("GET", "http://h/")
    assert {name: getattr(context, name) for name in DEFAULTS} == DEFAULTS
    assert [*signature(RequestContext).parameters] == ["method", "url", *DEFAULTS]


def test_a_context_can_be_copied_and_made_a_dict() -> None:
    context = build("GET", "http://h/", **OTHERS)
    assert replace(context) == copy(context) == context
    assert {name: asdict(context)[name] for name in OTHERS} == OTHERS


def test_contexts_do_not_share_their_headers_and_notes() -> None:
    first, second = RequestContext("GET", "http://h/"), RequestContext("GET", "http://h/")
    first.headers["Accept"] = "a/b"
    first.notes["key"] = 7
    assert (second.headers, second.notes) == ({}, {})


@pytest.mark.parametrize("name", OTHERS)
def test_contexts_differ_by_what_is_sent_and_by_the_call(name: str) -> None:
    plain = build("GET", "http://h/")
    assert build("GET", "http://h/", **{name: OTHERS[name]}) != plain
    assert build("GET", "http://h/", **OTHERS) == build("GET", "http://h/", **OTHERS)
    assert build("PUT", "http://h/") != plain != build("GET", "http://h/x")


def test_contexts_do_not_differ_by_what_belongs_to_interceptors_and_the_client() -> None:
    plain = RequestContext("GET", "http://h/")
    assert RequestContext("GET", "http://h/", notes={"key": 7}) == plain
    assert RequestContext("GET", "http://h/", chunks=chunks) == plain
    assert build("GET", "http://h/", client=object()) == plain


def test_a_context_shows_no_secret_and_nothing_that_it_only_carries() -> None:
    given: dict[str, object] = {"notes": {"s3cret": 1}, "client": "s3cret", "chunks": chunks}
    context = build("GET", "http://h/?k=s3cret", **{**OTHERS, **given, "body": b"s3cret"})
    context.headers = {"Cookie": "s3cret", "Accept": "a/b"}
    assert repr(context) == (
        "RequestContext(method='GET', url='http://h/?k=***', "
        "headers={'Cookie': '***', 'Accept': 'a/b'}, service_name='stock', attempt=1, "
        f"start_time={OTHERS['start_time']!r}, call_id='call-1', base_origin='http://h')"
    )


class Looking(RequestInterceptor):
    def __init__(self) -> None:
        self.seen: list[RequestContext] = []

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.seen.append(context)
        return context


async def test_a_call_begins_at_the_time_of_the_clock() -> None:
    clock, looking, transport = ManualClock(wall=86_400.5), Looking(), ScriptedTransport()
    transport.on("GET", "/").reply()
    async with HTTPClient(interceptors=[looking], exchange=transport, clock=clock) as client:
        await client.get("http://h/")
    [context] = looking.seen
    began = context.start_time
    assert began == datetime(1970, 1, 2, 0, 0, 0, 500_000, UTC)
    assert context.start_time is began
    assert replace(context) == context
    context.start_time = None
    assert context.start_time is None
