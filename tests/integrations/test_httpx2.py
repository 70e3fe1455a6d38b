"""httpx2 over a railhttp client: the promises of its transports, and two SDKs."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import get_args

import anthropic
import httpx2
import openai
import pytest
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port

from railhttp import (
    CircuitBreaker,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.events import RequestFinished, RequestStarted
from railhttp.integrations.httpx2 import RailTransport, _decoded, to_httpx2
from railhttp.model.body import BytesBody
from railhttp.model.errors import HTTPFailure
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState
from railhttp.protocols import IncomingResponse
from railhttp.testing import ScriptedTransport
from railhttp.types import ConnectionKind, TimeoutPhase

REQUEST = httpx2.Request("GET", "http://h/")


@asynccontextmanager
async def bridged(client: HTTPClient) -> AsyncIterator[httpx2.AsyncClient]:
    async with client, httpx2.AsyncClient(transport=RailTransport(client)) as bridge:
        yield bridge


async def test_a_request_arrives_as_httpx2_built_it(echo: EchoServer) -> None:
    async with bridged(HTTPClient()) as client:
        response = await client.post(
            echo.url("/get"),
            params={"page": 1},
            headers=[("X-Id", "1"), ("X-Id", "2")],
            json={"name": "Ann"},
        )
    seen = response.json()
    fields = [(name.lower(), value) for name, value in seen["headers"]]
    assert (seen["method"], seen["query"], seen["body"]) == (
        "POST",
        [["page", "1"]],
        '{"name":"Ann"}',
    )
    assert [value for name, value in fields if name == "x-id"] == ["1", "2"]
    assert ("content-type", "application/json") in fields
    assert len([value for name, value in fields if name == "host"]) == 1
    assert response.http_version == "HTTP/1.1"


async def test_any_status_is_a_response(echo: EchoServer) -> None:
    async with bridged(HTTPClient(retry_policy=RetryPolicy(1))) as client:
        response = await client.get(echo.url("/status/503"))
    assert response.status_code == 503
    with pytest.raises(httpx2.HTTPStatusError):
        response.raise_for_status()


async def test_redirects_and_cookies_stay_with_httpx2(echo: EchoServer) -> None:
    async with bridged(HTTPClient(HTTPClientConfig(cookie_jar=False))) as client:
        first = await client.get(echo.url("/redirect/1"))
        assert (first.status_code, first.next_request is not None) == (302, True)
        followed = await client.get(echo.url("/redirect/2"), follow_redirects=True)
        assert [one.status_code for one in followed.history] == [302, 302]
        await client.get(echo.url("/cookies/set", a=1))
        assert (await client.get(echo.url("/cookies"))).json() == {"a": "1"}


async def test_authentication_and_event_hooks_stay_with_httpx2(echo: EchoServer) -> None:
    seen: list[int] = []

    async def note(response: httpx2.Response) -> None:
        seen.append(response.status_code)

    async with HTTPClient() as client:
        transport = RailTransport(client)
        hooks = {"response": [note]}
        async with httpx2.AsyncClient(
            transport=transport, auth=("ann", "s3cret"), event_hooks=hooks
        ) as bridge:
            response = await bridge.get(echo.url("/get"))
    fields = dict(response.json()["headers"])
    assert (seen, fields["Authorization"]) == ([200], "Basic YW5uOnMzY3JldA==")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_content_codings_are_undone_once(echo: EchoServer, coding: str) -> None:
    async with bridged(HTTPClient()) as client:
        response = await client.get(echo.url(f"/{coding}"))
    assert response.json()["name"] == "café"
    assert "content-encoding" not in response.headers


async def test_a_coding_that_nobody_knows_is_left_alone(faults: FaultServer) -> None:
    async with bridged(HTTPClient()) as client:
        response = await client.get(faults.url("/unknown-encoding"))
    assert "content-encoding" in response.headers


async def test_a_response_is_streamed(echo: EchoServer) -> None:
    async with bridged(HTTPClient()) as client, client.stream("GET", echo.url("/stream/3")) as got:
        assert [line async for line in got.aiter_lines()] == ["line 0", "line 1", "line 2"]


async def test_a_stream_that_is_left_early_gives_its_connection_back(echo: EchoServer) -> None:
    async with bridged(HTTPClient()) as client:
        async with client.stream("GET", echo.url("/bytes/1000000")):
            pass
        assert (await client.get(echo.url("/json"))).status_code == 200


async def test_a_request_body_is_streamed(echo: EchoServer) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with bridged(HTTPClient()) as client:
        response = await client.post(echo.url("/get"), content=chunks())
    assert response.json()["body"] == "one two"


async def test_a_multipart_form_is_sent(echo: EchoServer) -> None:
    async with bridged(HTTPClient()) as client:
        response = await client.post(echo.url("/upload"), files={"report": b"%PDF"})
    assert response.json()[0]["text"] == "%PDF"


@pytest.mark.parametrize(
    ("path", "expected", "cause"),
    [
        ("/reset-before-head", httpx2.ReadError, HTTPConnectionError),
        ("/short-body", httpx2.RemoteProtocolError, HTTPConnectionError),
        ("/garbage", httpx2.RemoteProtocolError, HTTPConnectionError),
        ("/gzip-corrupt", httpx2.DecodingError, HTTPDecodeError),
        ("/stall-before-head", httpx2.ReadTimeout, HTTPTimeoutError),
        ("/stall-in-body", httpx2.ReadTimeout, HTTPTimeoutError),
    ],
)
async def test_a_failure_is_an_exception_of_httpx2_with_ours_as_its_cause(
    faults: FaultServer,
    path: str,
    expected: type[httpx2.RequestError],
    cause: type[HTTPClientError],
) -> None:
    async with bridged(HTTPClient()) as client:
        with pytest.raises(expected) as caught:
            await client.post(faults.url(path), timeout=httpx2.Timeout(5, read=0.1))
    assert type(caught.value) is expected
    assert isinstance(caught.value.__cause__, cause)
    assert str(caught.value.request.url) == faults.url(path)


async def test_a_refused_connection_is_a_connect_error() -> None:
    with refused_port() as port:
        async with bridged(HTTPClient()) as client:
            with pytest.raises(httpx2.ConnectError) as caught:
                await client.get(f"http://127.0.0.1:{port}/")
    assert isinstance(caught.value.__cause__, HTTPConnectionError)


async def test_the_deadline_of_the_client_holds(faults: FaultServer) -> None:
    async with bridged(HTTPClient(HTTPClientConfig(timeout=0.1))) as client:
        with pytest.raises(httpx2.TimeoutException):
            await client.post(faults.url("/stall-before-head"), timeout=None)


async def test_the_breaker_of_the_client_refuses(echo: EchoServer) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    client = HTTPClient(retry_policy=RetryPolicy(1), circuit_breaker=breaker)
    async with bridged(client) as bridge:
        await bridge.get(echo.url("/status/500"))
        with pytest.raises(httpx2.ConnectError) as caught:
            await bridge.get(echo.url("/status/500"))
    assert isinstance(caught.value.__cause__, HTTPCircuitOpenError)


async def test_the_retries_of_the_client_repeat_what_httpx2_cannot(echo: EchoServer) -> None:
    async with bridged(HTTPClient()) as client:
        response = await client.get(echo.url("/flaky/bridge/2"))
    assert response.json() == {"count": 3}


class Seen:
    """An exchange that plays a script, and keeps the requests."""

    def __init__(self, script: ScriptedTransport) -> None:
        self._script = script
        self.requests: list[Request] = []

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        raise NotImplementedError

    async def open(self, request: Request, attempt: AttemptState) -> IncomingResponse:
        self.requests.append(request)
        return await self._script.open(request, attempt)


async def sent_by(
    request: httpx2.Request, config: HTTPClientConfig | None = None, *, timeout: object = None
) -> Request:
    """Send a request of httpx2; return what the exchange is given."""
    script = ScriptedTransport()
    script.on(request.method, "/").reply()
    seen = Seen(script)
    if timeout is not None:
        request.extensions["timeout"] = timeout
    async with HTTPClient(config, exchange=seen) as client:
        response = await RailTransport(client).handle_async_request(request)
        await response.aclose()
    [found] = seen.requests
    return found


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ((9, 8, 100), {}, (9, 8)),
        ((9, 8, 100), {"connect": 1, "read": 2, "write": 3, "pool": 4}, (1, 2)),
        ((9, 8, 100), {"connect": 10, "read": 20}, (9, 8)),
        ((9, 8, 100), {"connect": None, "read": None}, (9, 8)),
        ((None, None, 7), {"connect": 1, "read": 20}, (1, 7)),
        ((None, None, None), {"connect": None, "read": 2}, (None, 2)),
        ((None, None, None), None, (None, None)),
    ],
)
async def test_the_shorter_limit_holds(
    ours: tuple[float | None, ...],
    theirs: dict[str, float | None] | None,
    expected: tuple[float | None, float | None],
) -> None:
    connect, read, total = ours
    config = HTTPClientConfig(connect_timeout=connect, read_timeout=read, timeout=total)
    request = await sent_by(httpx2.Request("GET", "http://h/"), config, timeout=theirs)
    assert (request.options.connect_timeout, request.options.read_timeout) == expected


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (httpx2.Request("GET", "http://h/"), None),
        (httpx2.Request("POST", "http://h/"), b""),
        (httpx2.Request("POST", "http://h/", content=b"abc"), b"abc"),
    ],
    ids=["GET", "an empty POST", "a POST"],
)
async def test_a_body_in_memory_is_sent_at_once(
    request_: httpx2.Request, body: bytes | None
) -> None:
    sent = (await sent_by(request_)).body
    assert (sent.content if isinstance(sent, BytesBody) else sent) == body


async def test_a_body_that_only_a_sync_client_can_send_is_refused() -> None:
    class Stream(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"a"

    with pytest.raises(httpx2.LocalProtocolError):
        await sent_by(httpx2.Request("POST", "http://h/", stream=Stream()))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Accept-Encoding": "gzip, deflate"}, {"accept-encoding": "gzip, deflate"}),
        ({"Accept-Encoding": "br, zstd"}, {"accept-encoding": "br, zstd"}),
        ({"Accept-Encoding": "gzip;q=0.5, x, br"}, {"accept-encoding": "gzip;q=0.5, br"}),
        ({"Accept-Encoding": "x,\tidentity"}, {"accept-encoding": "identity"}),
        ({"Accept-Encoding": "x"}, {"accept-encoding": "identity"}),
        ({"Host": "h"}, {}),
        ({"Host": "other"}, {"host": "other"}),
        ({"Connection": "close", "Transfer-Encoding": "chunked", "X-Id": "1"}, {"x-id": "1"}),
    ],
)  # fmt: skip
async def test_header_fields_of_the_connection_are_those_of_the_client(
    fields: dict[str, str], expected: dict[str, str]
) -> None:
    request = httpx2.Request("GET", "http://h/", headers=fields)
    if "Host" not in fields:
        assert request.headers["host"] == "h"  # httpx2 writes it, too
    sent = (await sent_by(request)).headers
    assert {name.lower(): value for name, value in (sent or {}).items()} == expected


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"Content-Encoding": "gzip", "Content-Length": "3"}, {"X"}),
        ({"Content-Encoding": "GZIP ,\tbr", "Content-Length": "3"}, {"X"}),
        ({"Content-Encoding": "gzip, x"}, {"X", "Content-Encoding"}),
        ({"Content-Length": "3"}, {"X", "Content-Length"}),
    ],
)
def test_the_fields_of_an_undone_coding_are_gone(fields: dict[str, str], kept: set[str]) -> None:
    headers = HttpResponse(200, {"X": "1", **fields}).headers
    assert {name for name, _ in _decoded(headers)} == kept


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (HTTPConnectionError(kind="dns"), httpx2.ConnectError),
        (HTTPConnectionError(kind="connect"), httpx2.ConnectError),
        (HTTPConnectionError(kind="proxy"), httpx2.ProxyError),
        (HTTPConnectionError(kind="tls"), httpx2.ConnectError),
        (HTTPConnectionError(kind="disconnected"), httpx2.ReadError),
        (HTTPConnectionError(kind="truncated"), httpx2.RemoteProtocolError),
        (HTTPConnectionError(kind="protocol"), httpx2.RemoteProtocolError),
        (HTTPConnectionError(kind="redirect"), httpx2.TooManyRedirects),
        (HTTPConnectionError(kind="closed"), httpx2.ConnectError),
        (HTTPConnectionError(kind="rejected"), httpx2.PoolTimeout),
        (HTTPTimeoutError(phase="pool"), httpx2.PoolTimeout),
        (HTTPTimeoutError(phase="connect"), httpx2.ConnectTimeout),
        (HTTPTimeoutError(phase="read"), httpx2.ReadTimeout),
        (HTTPTimeoutError(phase="total"), httpx2.TimeoutException),
        (HTTPInvalidRequestError("no", field="url"), httpx2.LocalProtocolError),
        (HTTPDecodeError("no"), httpx2.DecodingError),
        (HTTPResponseTooLargeError("no", limit=1), httpx2.ReadError),
        (HTTPStatusError(HttpResponse(500)), httpx2.ReadError),
        (HTTPInterceptorError("no", interceptor="x"), httpx2.TransportError),
        (HTTPCircuitOpenError(name="x"), httpx2.ConnectError),
        (HTTPRetryExhaustedError(failures=()), httpx2.TransportError),
        (HTTPRetryExhaustedError(failures=[HTTPTimeoutError(phase="read"),
            HTTPTimeoutError(phase="connect")]), httpx2.ConnectTimeout),
    ],
)  # fmt: skip
def test_a_failure_is_the_exception_that_httpx2_would_raise(
    failure: HTTPFailure, expected: type[httpx2.RequestError]
) -> None:
    found = to_httpx2(failure, REQUEST)
    assert type(found) is expected
    assert found.request is REQUEST
    assert str(found) == str(failure)


def test_every_kind_and_phase_has_an_exception() -> None:
    for kind in get_args(ConnectionKind):
        assert isinstance(to_httpx2(HTTPConnectionError(kind=kind), REQUEST), httpx2.RequestError)
    for phase in get_args(TimeoutPhase):
        assert isinstance(
            to_httpx2(HTTPTimeoutError(phase=phase), REQUEST), httpx2.TimeoutException
        )


# The SDKs, against a server that looks like theirs.


class Attempts:
    """Counts what is sent."""

    def __init__(self) -> None:
        self.statuses: list[int | None] = []

    def call_started(self, call: RequestStarted) -> None: ...

    def attempt_started(self, attempt: RequestStarted) -> "Attempts":
        return self

    def ended(self, ending: RequestFinished) -> None:
        self.statuses.append(ending.status)


@asynccontextmanager
async def open_ai(
    echo: EchoServer, attempts: Attempts, timeout: float = 30
) -> AsyncIterator[openai.AsyncOpenAI]:
    config = HTTPClientConfig(timeout=timeout)
    async with bridged(HTTPClient(config, instruments=[attempts])) as http_client:
        yield openai.AsyncOpenAI(
            api_key="s3cret", base_url=echo.url("/v1"), http_client=http_client, max_retries=0
        )


@asynccontextmanager
async def claude(
    echo: EchoServer, attempts: Attempts, timeout: float = 30
) -> AsyncIterator[anthropic.AsyncAnthropic]:
    config = HTTPClientConfig(timeout=timeout)
    async with bridged(HTTPClient(config, instruments=[attempts])) as http_client:
        yield anthropic.AsyncAnthropic(
            api_key="s3cret", base_url=echo.url(""), http_client=http_client, max_retries=0
        )


async def test_openai_completes_a_chat(echo: EchoServer) -> None:
    attempts = Attempts()
    async with open_ai(echo, attempts) as sdk:
        completion = await sdk.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "hi"}]
        )
    assert (completion.choices[0].message.content, attempts.statuses) == ("Hello", [200])


async def test_openai_streams_a_chat(echo: EchoServer) -> None:
    async with open_ai(echo, Attempts()) as sdk:
        stream = await sdk.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        words = [chunk.choices[0].delta.content async for chunk in stream]
    assert words == ["Hel", "lo"]


async def test_openai_is_told_of_a_429(echo: EchoServer) -> None:
    attempts = Attempts()
    async with open_ai(echo, attempts) as sdk:
        with pytest.raises(openai.RateLimitError) as caught:
            await sdk.chat.completions.create(
                model="busy", messages=[{"role": "user", "content": "hi"}]
            )
    assert "too many requests" in json.dumps(caught.value.body)
    assert set(attempts.statuses) == {429}


async def test_openai_times_out(echo: EchoServer) -> None:
    async with open_ai(echo, Attempts(), timeout=0.1) as sdk:
        with pytest.raises(openai.APITimeoutError) as caught:
            await sdk.chat.completions.create(
                model="slow", messages=[{"role": "user", "content": "hi"}]
            )
    cause = caught.value.__cause__
    assert isinstance(cause, httpx2.TimeoutException)
    assert isinstance(cause.__cause__, HTTPTimeoutError)


async def test_anthropic_gets_a_message(echo: EchoServer) -> None:
    attempts = Attempts()
    async with claude(echo, attempts) as sdk:
        message = await sdk.messages.create(
            model="demo", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    (block,) = message.content
    assert (block.type, attempts.statuses) == ("text", [200])
    assert block.model_dump()["text"] == "Hello"


async def test_anthropic_streams_a_message(echo: EchoServer) -> None:
    async with (
        claude(echo, Attempts()) as sdk,
        sdk.messages.stream(
            model="demo", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        assert [text async for text in stream.text_stream] == ["Hel", "lo"]


async def test_anthropic_is_told_of_a_429(echo: EchoServer) -> None:
    async with claude(echo, Attempts()) as sdk:
        with pytest.raises(anthropic.RateLimitError):
            await sdk.messages.create(
                model="busy", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )


async def test_anthropic_times_out(echo: EchoServer) -> None:
    async with claude(echo, Attempts(), timeout=0.1) as sdk:
        with pytest.raises(anthropic.APITimeoutError):
            await sdk.messages.create(
                model="slow", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
