"""The messages between an application and its transport, one by one."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import pytest

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInterceptorError,
    HttpResponse,
    HTTPResponseTooLargeError,
    RetryPolicy,
)
from railhttp.testing import ASGITransport, ManualClock
from railhttp.testing.asgi_app import ASGIApp, Message, Receive, Send

START: dict[str, object] = {"type": "http.response.start", "status": 200}
END: Message = {"type": "http.response.body"}


def sends(*messages: Message) -> ASGIApp:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def piece(body: object, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def alone(app: ASGIApp, *, raises: bool = True) -> HTTPClient:
    """Make a client of an application that sends each request once."""
    transport = ASGITransport(app, raise_app_exceptions=raises)
    return HTTPClient(exchange=transport, retry_policy=RetryPolicy(1))


async def scope_of(url: str, *, mount: str = "", **options: dict[str, str]) -> Message:
    seen: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await sends(START, END)(scope, receive, send)

    transport = ASGITransport(app, root_path=mount, client=("10.0.0.1", 99))
    async with HTTPClient(exchange=transport) as client:
        headers, cookies = options.get("headers"), options.get("cookies")
        (await client.get(url, headers=headers, cookies=cookies)).unwrap()
    return seen[0]


async def test_the_scope_is_that_of_a_server() -> None:
    scope = await scope_of(
        "http://app:8080/a%20b?q=1&r",
        mount="/api",
        headers={"X-Id": "7", "Accept-Encoding": "br", "User-Agent": "me"},
        cookies={"a": "1", "b": "2"},
    )
    fields = sorted(scope.pop("headers"))  # type: ignore[call-overload]  # pairs of bytes
    assert fields == [
        (b"accept", b"*/*"),
        (b"accept-encoding", b"br"),
        (b"cookie", b"a=1; b=2"),
        (b"host", b"app:8080"),
        (b"user-agent", b"me"),
        (b"x-id", b"7"),
    ]
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"q=1&r",
        "root_path": "/api",
        "client": ("10.0.0.1", 99),
        "server": ("app", 8080),
    }


async def test_a_scope_has_the_default_port_and_the_fields_that_a_client_sends() -> None:
    scope = await scope_of("https://app/")
    assert (scope["scheme"], scope["server"]) == ("https", ("app", 443))
    fields = dict(scope["headers"])  # type: ignore[call-overload]  # pairs of bytes
    assert fields.keys() == {b"accept", b"accept-encoding", b"host", b"user-agent"}


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    ("data", "received", "progress"),
    [
        (None, [(b"", False)], []),
        (b"", [(b"", False)], []),
        (b"abc", [(b"abc", True), (b"", False)], [(3, 3)]),
        (
            lambda: pieces(b"ab", b"c"),
            [(b"ab", True), (b"c", True), (b"", False)],
            [(2, None), (3, None)],
        ),
    ],
)
async def test_a_body_arrives_in_pieces_and_its_progress_is_reported(
    data: bytes | Callable[[], AsyncIterator[bytes]] | None,
    received: list[tuple[bytes, bool]],
    progress: list[tuple[int, int | None]],
) -> None:
    seen: list[object] = []
    reported: list[tuple[int, int | None]] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        message: Message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            seen.append((message["body"], message["more_body"]))
        await sends(START, END)(scope, receive, send)
        seen.append((await receive())["type"])

    async with alone(app) as client:
        body = data() if callable(data) else data
        (
            await client.post(
                "http://app/",
                data=body,
                upload_progress=lambda done, total: reported.append((done, total)),
            )
        ).unwrap()
    assert seen == [*received, "http.disconnect"]
    assert reported == progress


async def test_a_response_has_the_fields_of_any_other() -> None:
    clock = ManualClock()
    tries: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        tries.append("try")
        await clock.sleep(2)
        status = 503 if len(tries) == 1 else 201
        fields = [(b"X-A", b"1"), (b"x-a", b"caf\xe9")]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await sends(piece(bytearray(b"ab")), piece("no bytes"), piece(b"c", more=False))(
            scope, receive, send
        )

    transport = ASGITransport(app, clock=clock)
    policy = RetryPolicy(2, base_delay=0)
    async with HTTPClient(exchange=transport, clock=clock, retry_policy=policy) as client:
        response = (await clock.run(client.get("http://app/a?b=1"))).unwrap()
    assert (response.status, response.body) == (201, b"abc")
    assert response.headers.getall("X-A") == ["1", "café"]
    assert (response.method, response.url) == ("GET", "http://app/a?b=1")
    assert (response.attempts, response.elapsed) == (2, 4)  # of the whole call


async def test_secret_fields_of_a_response_are_hidden() -> None:
    app = sends(START | {"headers": [(b"X-Odd", b"s3cret")]}, END)
    config = HTTPClientConfig(secret_headers=["X-Odd"])
    async with HTTPClient(config, exchange=ASGITransport(app)) as client:
        response = (await client.get("http://app/")).unwrap()
    assert response.headers["X-Odd"] == "s3cret"
    assert "s3cret" not in str(response.redacted().headers)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_a_response_without_a_body_has_none(method: str, status: int) -> None:
    fields = [(b"Content-Encoding", b"gzip")]
    app = sends(START | {"status": status, "headers": fields}, piece(b"no"), piece(b"gzip", False))
    async with alone(app) as client:
        response = await client.request(method, "http://app/")
    assert (response.status, response.body) == (status, b"")


@pytest.mark.parametrize(("limit", "fits"), [(4, True), (3, False)])
async def test_a_body_that_is_too_large_is_a_failure(limit: int, fits: bool) -> None:
    config = HTTPClientConfig(max_response_bytes=limit)
    app = sends(START, piece(b"ab"), piece(b"cd", False))
    async with HTTPClient(config, exchange=ASGITransport(app)) as client:
        result = await client.get("http://app/")
    if fits:
        assert result.unwrap().body == b"abcd"
    else:
        failure = result.failure()
        assert isinstance(failure, HTTPResponseTooLargeError)
        assert (failure.limit, failure.delivery) == (limit, Delivery.ANSWERED)
        assert (failure.method, failure.url, failure.attempts) == ("GET", "http://app/", 1)


ZIPPED = gzip.compress(b"a" * 100)


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        (b"gzip", [ZIPPED], b"a" * 100),
        (b"gzip", [ZIPPED[:4], b"", ZIPPED[4:12], ZIPPED[12:]], b"a" * 100),
        (b"gzip", [ZIPPED[:-4]], HTTPConnectionError),
        (b"gzip", [b"no gzip"], HTTPDecodeError),
        (b"identity", [b"ab"], b"ab"),
    ],
)
async def test_a_content_coding_is_undone(
    coding: bytes, body: list[bytes], expected: bytes | type[HTTPClientError]
) -> None:
    app = sends(
        START | {"headers": [(b"Content-Encoding", coding)]}, *map(piece, body), piece(b"", False)
    )
    async with alone(app) as client:
        result = await client.get("http://app/")
    if isinstance(expected, bytes):
        assert result.unwrap().body == expected
    else:
        failure = result.failure()
        assert isinstance(failure, expected)
        assert failure.delivery is Delivery.ANSWERED


async def test_an_application_is_a_few_messages_ahead_of_its_reader_and_no_more() -> None:
    sent: list[int] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START)
        for number in range(100):
            await send(piece(b"x", number < 99))
            sent.append(number)

    async with alone(app) as client, client.stream("GET", "http://app/") as stream:
        for _ in range(200):
            await asyncio.sleep(0)
        assert 8 <= len(sent) < 20
        assert len(b"".join([chunk async for chunk in stream])) == 100
    assert len(sent) == 100


async def test_a_waiting_application_is_told_when_its_client_leaves() -> None:
    ended = asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            while True:
                await send(piece(b"x"))
        except ConnectionResetError:
            ended.set()

    async with alone(app) as client:
        async with client.stream("GET", "http://app/"):
            for _ in range(200):
                await asyncio.sleep(0)
        for _ in range(200):
            await asyncio.sleep(0)
        assert ended.is_set()


async def test_an_application_has_a_tenth_of_a_second_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START)
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    later, delays = loop.call_later, list[float]()

    def call_later(delay: float, *arguments: object) -> asyncio.TimerHandle:
        delays.append(delay)
        return later(delay, *arguments)  # type: ignore[arg-type]  # handed on

    async with alone(app) as client, client.stream("GET", "http://app/"):
        monkeypatch.setattr(loop, "call_later", call_later)
    assert 0.1 in delays


@pytest.mark.parametrize(
    "messages",
    [
        [END],
        [START, START],
        [START, piece(b"a", False), piece(b"b")],
        [START, piece(b"a", False), START],
    ],
    ids=["a body first", "two heads", "a body after the end", "a head after the end"],
)
async def test_a_message_out_of_order_is_an_error_of_the_application(
    messages: list[Message],
) -> None:
    async with alone(sends(*messages)) as client:
        failure = (await client.get("http://app/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, RuntimeError)


async def test_a_message_of_an_extension_is_ignored() -> None:
    extension: Message = {"type": "http.response.debug"}
    async with alone(sends(extension, START, extension, piece(b"a", False))) as client:
        assert (await client.get("http://app/")).unwrap().body == b"a"


async def test_a_background_task_may_outlast_the_silence_that_is_allowed() -> None:
    clock = ManualClock()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await sends(START, piece(b"a", False))(scope, receive, send)
        await clock.sleep(60)

    transport = ASGITransport(app, clock=clock)
    async with HTTPClient(exchange=transport, clock=clock) as client:
        call = client.get("http://app/", read_timeout=5, timeout=None)
        assert (await clock.run(call)).unwrap().body == b"a"
    assert clock.monotonic() >= 60


def raises_after(*messages: Message) -> ASGIApp:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await sends(*messages)(scope, receive, send)
        raise LookupError

    return app


@pytest.mark.parametrize(
    ("messages", "delivery"),
    [
        ([], Delivery.MAYBE_SENT),
        ([START], Delivery.ANSWERED),
        ([START, piece(b"a")], Delivery.ANSWERED),
        ([START, piece(b"a", False)], Delivery.ANSWERED),
    ],
)
async def test_an_exception_fails_the_call_whenever_it_is_raised(
    messages: list[Message], delivery: Delivery
) -> None:
    async with alone(raises_after(*messages)) as client:
        failure = (await client.get("http://app/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, failure.delivery) == ("app", delivery)
    assert isinstance(failure.__cause__, LookupError)


async def test_or_the_call_ends_as_with_a_server() -> None:
    async def outcome(*messages: Message) -> HttpResponse | str:
        async with alone(raises_after(*messages), raises=False) as client:
            try:
                return await client.request("GET", "http://app/")
            except HTTPConnectionError as failure:
                return failure.kind

    before = await outcome()
    assert isinstance(before, HttpResponse)
    assert (before.status, before.body) == (500, b"")
    assert await outcome(START, piece(b"a")) == "truncated"
    after = await outcome(START, piece(b"a", False))
    assert isinstance(after, HttpResponse)
    assert after.body == b"a"


async def test_a_cancelled_call_is_cancelled_and_did_not_time_out() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async with alone(app) as client:
        call = asyncio.create_task(client.get("http://app/", read_timeout=60))
        for _ in range(50):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_timer_of_a_transport_ends_with_its_wait() -> None:
    clock = ManualClock()
    async with HTTPClient(exchange=ASGITransport(sends(START, END), clock=clock)) as client:
        (await client.get("http://app/", read_timeout=5)).unwrap()
    assert clock.next_timer is None


# The lifespan.


class Lifespan:
    """An application that keeps what it is sent, and replies as it is told."""

    def __init__(self, **replies: Message) -> None:
        self.scopes: list[Message] = []
        self.received: list[object] = []
        self.states: list[object] = []
        self._replies = replies

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = scope["state"]
            assert isinstance(state, dict)
            self.states.append(dict(state))
            state["own"] = True
            await sends(START, END)(scope, receive, send)
            return
        self.scopes.append(dict(scope))
        scope["state"]["shared"] = True  # type: ignore[index]  # a dict
        for name in ("startup", "shutdown"):
            self.received.append((await receive())["type"])
            await send(self._replies.get(name, {"type": f"lifespan.{name}.complete"}))


async def test_an_application_is_started_and_ended_by_the_protocol() -> None:
    app = Lifespan()
    async with ASGITransport(app) as transport, HTTPClient(exchange=transport) as client:
        assert app.received == ["lifespan.startup"]
        for _ in range(2):
            (await client.get("http://app/")).unwrap()
    assert app.received == ["lifespan.startup", "lifespan.shutdown"]
    [scope] = app.scopes
    assert (scope["type"], scope["asgi"]) == ("lifespan", {"version": "3.0", "spec_version": "2.4"})
    assert app.states == [{"shared": True}, {"shared": True}]  # each request has a copy


async def test_an_end_that_fails_is_an_error() -> None:
    app = Lifespan(shutdown={"type": "lifespan.shutdown.failed"})
    with pytest.raises(RuntimeError, match="shutdown"):
        async with ASGITransport(app):
            pass
    assert app.received == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_application_that_ends_after_its_start_is_not_asked_again() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})

    async with ASGITransport(app):
        for _ in range(3):
            await asyncio.sleep(0)


async def test_a_block_ends_after_the_application_has() -> None:
    log: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for name in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{name}.complete"})
        for _ in range(20):
            await asyncio.sleep(0)
        log.append("ended")

    async with ASGITransport(app):
        assert log == []
    assert log == ["ended"]


async def test_an_application_can_be_started_again() -> None:
    app = Lifespan()
    transport = ASGITransport(app)
    for _ in range(2):
        async with transport:
            pass
    assert app.received == ["lifespan.startup", "lifespan.shutdown"] * 2


async def test_without_a_block_there_is_no_state() -> None:
    assert "state" not in await scope_of("http://app/")
