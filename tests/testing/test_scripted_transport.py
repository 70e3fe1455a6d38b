"""The scripted transport: matching of requests, replies, and messages about misses."""

import asyncio
import copy
import io
import re
from collections.abc import AsyncIterator, Callable, Iterator
from unittest.mock import ANY

import pytest
from returns.pipeline import is_successful

from railhttp.client.http_client import HTTPClient
from railhttp.model.body import BodyData
from railhttp.model.errors import (
    FAILURES,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.resilience import RetryPolicy
from railhttp.testing import (
    ManualClock,
    ScriptedRoute,
    ScriptedTransport,
    SentRequest,
    UnmatchedRequestError,
)
from railhttp.testing.scripted.requests import BodyPattern, RequestPattern

API = "https://api.example"


async def send(
    script: ScriptedTransport, method: str, url: str, options: RequestOptions | None = None
) -> HttpResponse:
    async with HTTPClient(exchange=script) as client:
        return await client.request(method, url, **options or {})


# -- which requests a route takes -----------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/users", f"{API}/users", True),
        ("/users", "http://other.example:8080/users?page=2#top", True),
        ("/users", f"{API}/users/7", False),
        ("/", API, True),
        ("/users/*", f"{API}/users/7", True),
        ("/users/*", f"{API}/users/7/orders", False),
        ("/users/**", f"{API}/users/7/orders", True),
        ("/users/*/orders", f"{API}/users/7/orders", True),
        ("/a.b", f"{API}/aXb", False),
        (f"{API}/users", f"{API}/users", True),
        (f"{API}/users", "http://api.example/users", False),
        ("https://*.example/users", f"{API}/users", True),
        ("**", f"{API}/any/thing", True),
        ("https://api**", f"{API}/any/thing", True),
        ("*://api.example/users", f"{API}/users", True),
        ("http://h:*/users", "http://h:8080/users", True),
        ("/users/é", f"{API}/users/é", True),
        ("/a b/*", f"{API}/a%20b/c", True),
        ("/a%2fb", f"{API}/a%2Fb", True),
        ("http://H.example:80/é", "http://h.example/é", True),
        (API, f"{API}/", True),
        (f"{API}/", API, True),
        ("https://ann@api.example/", API, True),
        ("/search?q=a", f"{API}/search?q=a&page=2", True),
        ("/search?q=a", f"{API}/search?q=b", False),
        ("/search?q=a%20b", f"{API}/search?q=a+b", True),
        ("/search?q=", f"{API}/search?q=", True),
        ("/search?q=", f"{API}/search", False),
        ("/search?q=", f"{API}/search?q=a", False),
        ("/search", f"{API}/search?q=", True),
        (re.compile(r".*/users\?page=\d+"), f"{API}/users?page=12", True),
        (re.compile(r".*/users"), f"{API}/users?page=12", False),
    ],
)
async def test_urls(pattern: str | re.Pattern[str], url: str, fits: bool) -> None:
    script = ScriptedTransport()
    script.on("GET", pattern)
    if fits:
        assert (await send(script, "GET", url)).status == 200
    else:
        with pytest.raises(UnmatchedRequestError):
            await send(script, "GET", url)


def starts_with_b(body: bytes) -> bool:
    return body.startswith(b"b")


@pytest.mark.parametrize("url", ["", "users", "api.example/users", "?page=2"])
def test_a_url_that_no_request_has_is_refused(url: str) -> None:
    with pytest.raises(HTTPValidationError, match="must begin with a slash, or be a whole URL"):
        ScriptedTransport().on("GET", url)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", len, None), "url: must be a path, a whole URL .* got builtin_function_or_method"),
        (("GET", re.compile(b"/"), None), "url: must be a path, a whole URL .* got Pattern"),
        ((None, "/", None), "method: must be a str, got NoneType"),
        (("GET", "/", 7), "body: must be bytes, text, .* got 7"),
        (("GET", "/", re.compile("a")), "body: must be bytes, text, .* got Pattern"),
    ],
)
def test_a_route_of_something_else_is_refused_at_once(
    arguments: tuple[str, str, bytes], message: str
) -> None:
    method, url, body = arguments
    with pytest.raises(HTTPValidationError, match=message):
        ScriptedTransport().on(method, url, body=body)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (b"body", True),
        ("body", True),
        (re.compile(rb"b.d."), True),
        (starts_with_b, True),
        (b"bod", False),
        ("", False),
        (re.compile(rb"b.d"), False),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda: b"body",
        lambda: [b"bo", b"dy"],
        lambda: iter([b"body"]),
        lambda: io.BytesIO(b"body"),
    ],
)
async def test_bodies(pattern: BodyPattern, fits: bool, make: Callable[[], BodyData]) -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/", body=pattern)
    if fits:
        await send(script, "POST", API, {"data": make()})
        assert route.calls[0].body == b"body"
    else:
        with pytest.raises(UnmatchedRequestError):
            await send(script, "POST", API, {"data": make()})


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"json": {"b": [1, None], "a": 2}}, True),
        ({"json": {"a": 2}}, False),
        ({"data": b"no json"}, False),
        ({}, False),
    ],
)
async def test_documents(options: RequestOptions, fits: bool) -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/", json={"a": 2, "b": [1, None]})
    script.on("POST", "/").reply(404)
    status = (await send(script, "POST", API, options)).status
    assert (status, route.called) == ((200, 1) if fits else (404, 0))


@pytest.mark.parametrize(
    ("pattern", "document", "fits"),
    [
        ({"n": 1, "b": False}, b'{"n": 1, "b": false}', True),
        ({"n": 1, "b": False}, b'{"n": true, "b": false}', False),
        ({"n": 1, "b": False}, b'{"n": 1, "b": 0.0}', False),
        ([[True]], b"[[1]]", False),
        ([1, 2], b"[1]", False),
        ((1, 2), b"[1, 2]", True),
        (1, b"1.0", True),
        ({"id": ANY, "n": 1}, b'{"id": true, "n": 1}', True),
    ],
)
async def test_documents_are_the_same_in_json(pattern: object, document: bytes, fits: bool) -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/", json=pattern)
    script.on("POST", "/")
    await send(script, "POST", API, {"data": document})
    assert route.called == fits


async def test_the_document_null_is_one() -> None:
    script = ScriptedTransport()
    script.on("POST", "/", json=None)
    assert (await send(script, "POST", API, {"data": b"null"})).ok


async def test_the_first_route_that_fits_takes_a_request() -> None:
    script = ScriptedTransport()
    script.on("get", "/users", params={"page": "2"}).reply(json=["second"])
    script.on("GET", "/users").reply(json=["first"])
    async with HTTPClient(exchange=script) as client:
        assert (await client.get(f"{API}/users")).unwrap().json() == ["first"]
        pages = await client.get(f"{API}/users", params={"page": 2})
        assert pages.unwrap().json() == ["second"]


# -- replies and failures ---------------------------------------------------------------------


async def test_answers_come_in_order_and_the_last_one_is_repeated() -> None:
    script = ScriptedTransport()
    script.on("POST", "/").reply(201).reply(202)
    async with HTTPClient(exchange=script) as client:
        statuses = [(await client.post(API)).unwrap().status for _ in range(3)]
    assert statuses == [201, 202, 202]


async def test_requests_at_the_same_time_take_one_step_each() -> None:
    async def body() -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        yield b"a"

    script = ScriptedTransport()
    route = script.on("POST", "/").reply(201).reply(202).reply(203)
    async with HTTPClient(exchange=script) as client:
        answers = await asyncio.gather(*(client.post(API, data=body()) for _ in range(3)))
    assert sorted(answer.unwrap().status for answer in answers) == [201, 202, 203]
    assert [call.body for call in route.calls] == [b"a"] * 3


async def test_an_answer_has_its_body_and_its_type() -> None:
    script = ScriptedTransport()
    script.on("GET", "/json").reply(json={"name": "né"}, headers={"X-Id": "7"})
    script.on("GET", "/null").reply(json=None)
    script.on("GET", "/text").reply(text="né")
    script.on("GET", "/own").reply(text="<p>", headers={"content-type": "text/html"})
    script.on("GET", "/bytes").reply(body=[b"a", b"", b"b"])
    async with HTTPClient(exchange=script) as client:
        answers = [
            (await client.get(f"{API}/{name}")).unwrap()
            for name in ("json", "null", "text", "own", "bytes")
        ]
    assert [answer.content_type for answer in answers] == [
        *("application/json", "application/json", "text/plain", "text/html"),
        "",
    ]
    assert answers[0].headers["x-id"] == "7"
    assert answers[0].json() == {"name": "né"}
    assert answers[1].json() is None
    assert [answer.text for answer in answers[2:]] == ["né", "<p>", "ab"]


@pytest.mark.parametrize("status", [99, 101, 600])
def test_a_status_that_no_answer_can_have_is_refused(status: int) -> None:
    with pytest.raises(HTTPValidationError, match="from 200 to 599"):
        ScriptedTransport().on("GET", "/").reply(status)


FACTS = {
    "url": "https://elsewhere.example/",
    "method": "PUT",
    "attempts": 9,
    "elapsed": 99.0,
    "delivery": Delivery.ANSWERED,
}

EVERY_CLASS: list[HTTPFailure] = [
    HTTPInvalidRequestError("no", field="headers"),
    HTTPConnectionError("no", kind="dns"),
    HTTPTimeoutError("no", phase="read"),
    HTTPDecodeError("no", where="$"),
    HTTPResponseTooLargeError("no", limit=1),
    HTTPInterceptorError("no", interceptor="Signing"),
    HTTPCircuitOpenError("no", name="api"),
    HTTPRetryExhaustedError("no", failures=[HTTPTimeoutError(phase="read")]),
]


def test_the_list_below_has_every_class_but_the_one_that_is_an_answer() -> None:
    assert {type(failure) for failure in EVERY_CLASS} == set(FAILURES) - {HTTPStatusError}


@pytest.mark.parametrize("failure", EVERY_CLASS, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize(
    ("at", "delivery"),
    [
        ("connect", Delivery.NOT_SENT),
        ("head", Delivery.MAYBE_SENT),
        ("body", Delivery.ANSWERED),
    ],
)
async def test_failures_of_every_class_come_with_the_facts_of_their_call(
    failure: HTTPFailure, at: str, delivery: Delivery
) -> None:
    told = copy.copy(failure)
    vars(told).update(FACTS)
    script = ScriptedTransport()
    script.on("POST", "/").fail(told, at=at)  # type: ignore[arg-type]  # a row of a table
    async with HTTPClient(exchange=script) as client:
        with pytest.raises(type(failure)) as raised:
            await client.request("POST", f"{API}/?token=s3cret", timeout=5)
    error = raised.value
    assert (error.message, error.label) == (failure.message, failure.label)
    assert (error.method, error.url) == ("POST", f"{API}/?token=***")
    assert error.delivery is delivery
    assert error.elapsed < 60
    assert vars(told)["attempts"] == 9  # the failure in the script is unchanged


async def test_a_status_error_is_an_answer() -> None:
    answer = HttpResponse(429, freeze_headers({"Retry-After": "1"}), b"slow down")
    script = ScriptedTransport()
    script.on("POST", "/").fail(HTTPStatusError(answer))
    async with HTTPClient(exchange=script) as client:
        failure = (await client.post(API)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert (failure.status, failure.response.text) == (429, "slow down")


async def test_what_a_socket_raises_becomes_what_it_would_become() -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/").fail(ConnectionRefusedError(111, "refused"), at="connect")
    route.fail(ConnectionResetError(), at="head")
    async with HTTPClient(exchange=script) as client:
        first, second = (await client.post(API)).failure(), (await client.post(API)).failure()
    # The first failure was safe to repeat, so one call met both.
    assert (first.label, first.attempts) == ("disconnected", 2)
    assert second.label == "disconnected"


async def test_a_body_that_breaks_gives_what_came_before() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").fail(ConnectionResetError(), at="body", status=206, after=b"ab")
    async with HTTPClient(exchange=script) as client, client.stream("GET", API) as chunks:
        assert await anext(chunks) == b"ab"
        with pytest.raises(HTTPConnectionError) as raised:
            await anext(chunks)
    assert raised.value.delivery is Delivery.ANSWERED


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_a_body_that_there_is_not_cannot_break(method: str, status: int) -> None:
    script = ScriptedTransport()
    script.on(method, "/").fail(ConnectionResetError(), at="body", status=status)
    assert (await send(script, method, API)).status == status


async def test_an_event_stream_may_break_and_hang() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    events = {"Content-Type": "text/event-stream"}
    ticks = script.on("GET", "/ticks")
    ticks.fail(ConnectionResetError(), at="body", headers=events, after=b"data: 1\n\n")
    ticks.hang("body", headers=events, after=b"data: 2\n\n")

    async def two() -> list[str]:
        async with (
            HTTPClient(exchange=script, clock=clock) as client,
            client.sse(f"{API}/ticks", reconnect=True) as stream,
        ):
            return [(await anext(stream)).data for _ in range(2)]

    assert await clock.run(two()) == ["1", "2"]


@pytest.mark.parametrize(
    ("at", "phase"), [("connect", "connect"), ("head", "read"), ("body", "read")]
)
async def test_silence_ends_with_the_time_limit_of_its_place(at: str, phase: str) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("POST", "/").hang(at=at)  # type: ignore[arg-type]  # a row of a table
    async with HTTPClient(exchange=script, clock=clock) as client:
        call = client.post(API, connect_timeout=2, read_timeout=3, timeout=9)
        result = await clock.run(call)
    assert not is_successful(result)
    assert result.failure().label == phase


async def test_an_answer_may_be_late_but_not_later_than_allowed() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("POST", "/").reply(delay=2)
    async with HTTPClient(exchange=script, clock=clock) as client:
        assert (await clock.run(client.post(API))).unwrap().elapsed == 2
        late = await clock.run(client.post(API, read_timeout=1))
    assert (late.failure().label, late.failure().elapsed) == ("read", 1)


# -- records of calls ------------------------------------------------------------------------


async def test_what_was_sent_is_recorded() -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/v1").reply()
    await send(
        script,
        "POST",
        f"{API}/v1?token=s3cret",
        {"json": {"a": 1}, "headers": {"X-Id": "7"}, "cookies": {"a": "b"}},
    )
    sent = route.calls[0]
    assert (sent.method, sent.url) == ("POST", f"{API}/v1?token=s3cret")
    assert dict(sent.headers) == {"X-Id": "7", "Content-Type": "application/json", "Cookie": "a=b"}
    assert sent.json() == {"a": 1}
    assert script.calls == (sent,)


async def test_a_body_that_fails_while_it_is_read_fails_the_request() -> None:
    def body() -> Iterator[bytes]:
        yield b"a"
        raise KeyError

    script = ScriptedTransport()
    script.on("POST", "/").reply()
    async with HTTPClient(exchange=script) as client:
        failure = (await client.post(API, data=body())).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.delivery) == ("data", Delivery.MAYBE_SENT)
    assert script.calls == ()


async def test_who_watches_an_upload_is_told() -> None:
    told: list[tuple[int, int | None]] = []
    script = ScriptedTransport()
    script.on("POST", "/").reply()
    async with HTTPClient(exchange=script) as client:
        await client.post(API, data=b"abc", upload_progress=lambda *sizes: told.append(sizes))
        failure = (await client.post(API, data=b"a", upload_progress=lambda *_: 1 / 0)).failure()
    assert told == [(3, 3)]
    assert failure.label == "data"


async def test_a_body_is_not_read_where_the_connection_fails() -> None:
    read: list[bytes] = []

    def body() -> Iterator[bytes]:
        read.append(b"a")
        yield b"a"

    script = ScriptedTransport()
    script.on("POST", "/").fail(ConnectionRefusedError(), at="connect")
    async with HTTPClient(exchange=script) as client:
        assert (await client.post(API, data=body())).failure().label == "connect"
    assert read == []


async def test_calls_are_asserted() -> None:
    script = ScriptedTransport()
    users = script.on("GET", "/users").reply()
    orders = script.on("GET", "/orders", params={"page": "2"})
    await send(script, "GET", f"{API}/users")
    users.assert_called()
    users.assert_called(times=1)
    orders.assert_called(times=0)
    with pytest.raises(AssertionError, match="calls of GET /users: expected 2, got 1"):
        users.assert_called(times=2)
    with pytest.raises(AssertionError, match="expected at least 1, got 0"):
        orders.assert_called()
    with pytest.raises(AssertionError, match=r"^GET /orders\?page was not called$"):
        script.assert_all_called()
    await send(script, "GET", f"{API}/orders?page=2")
    script.assert_all_called()


@pytest.mark.parametrize(
    ("method", "url", "message"),
    [
        ("GET", "/userz", "the nearest is GET /users/*, which differs in its URL"),
        ("POST", "/users/7", "the nearest is GET /users/*, which differs in its method"),
        ("GET", "/orders?page=3", "the nearest is GET /orders?page, which differs in its query"),
        ("PUT", "/orders?page=2", "the nearest is GET /orders?page, which differs in its method"),
        ("POST", "/pay", "the nearest is POST /pay, which differs in its body"),
        ("PUT", "/pay", "the nearest is POST /pay, which differs in its method and body"),
    ],
)
async def test_a_miss_names_the_nearest_route(method: str, url: str, message: str) -> None:
    script = ScriptedTransport()
    script.on("GET", "/users/*")
    script.on("GET", "/orders?page=2")
    script.on("POST", "/pay", json={"amount": 7})
    script.on("GET", re.compile(r"http://nowhere/\d+"))
    with pytest.raises(UnmatchedRequestError) as missed:
        await send(script, method, f"{API}{url}")
    assert message in str(missed.value)
    assert script.misses == [str(missed.value)]
    with pytest.raises(AssertionError, match="no route for"):
        script.assert_all_called()


async def test_a_miss_shows_no_secret() -> None:
    with pytest.raises(UnmatchedRequestError) as missed:
        await send(ScriptedTransport(), "GET", f"{API}/?token=s3cret")
    assert str(missed.value) == f"no route for GET {API}/?token=***; there are no routes"


async def test_a_miss_passes_through_policies_and_results() -> None:
    script = ScriptedTransport()
    async with HTTPClient(exchange=script) as client:
        with pytest.raises(UnmatchedRequestError):
            await client.future.get(API)
    assert len(script.misses) == 1


def test_a_request_without_a_document_says_so() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        SentRequest("POST", API).json()


async def test_other_tasks_run_while_an_answer_is_read() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(body=[b"a"] * 5)
    turns: list[int] = []

    async def count() -> None:
        for turn in range(3):
            turns.append(turn)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await send(script, "GET", API)
    assert counting.done()


@pytest.mark.parametrize(
    ("wanted", "body", "matches"),
    [
        ([1, 2], "[1, 2]", True),
        ((1, 2), "[1, 2]", True),
        ([1, 2], "[1, 3]", False),
        ([1, 2], "[3, 2]", False),
        ([1, 2], "[1]", False),
        ([], "[]", True),
        ({"a": 1, "b": 2}, '{"b": 2, "a": 1}', True),
        ({"a": 1, "b": 2}, '{"a": 1, "b": 3}', False),
        ({"a": 1}, '{"a": 1, "b": 2}', False),
        ({"a": 1, "b": 2}, '{"a": 1}', False),
        ({"a": [{"b": True}]}, '{"a": [{"b": true}]}', True),
        ({"a": [{"b": True}]}, '{"a": [{"b": 1}]}', False),
        (1, "1.0", True),
        (1, "true", False),
        (False, "0", False),
        (None, "null", True),
        (None, "0", False),
        ("a", '"a"', True),
        ("a", "a", False),
    ],
)
async def test_a_document_is_compared_part_by_part(
    wanted: object, body: str, matches: bool
) -> None:
    pattern = RequestPattern("POST", "/a", json=wanted)
    sent = SentRequest("POST", "http://h/a", body=body.encode())
    assert pattern.differences(sent) == ([] if matches else ["body"])


@pytest.mark.parametrize("pattern", [{"body": b'{"a": 1}'}, {"json": {"a": 1}}])
async def test_a_body_decides_even_about_a_connection_that_fails(
    pattern: dict[str, object],
) -> None:
    script = ScriptedTransport()
    on: Callable[..., ScriptedRoute] = script.on
    on("POST", "/a", **pattern).fail(ConnectionRefusedError(), at="connect")
    script.on("POST", "/a").reply(204)
    async with HTTPClient(exchange=script, retry_policy=RetryPolicy(1)) as client:
        refused = (await client.post("http://h/a", data=b'{"a": 1}')).failure()
        other = (await client.post("http://h/a", data=b'{"a": 2}')).unwrap()
    assert (refused.label, other.status) == ("connect", 204)
