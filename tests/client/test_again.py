"""One more send of an attempt, which an interceptor asks for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from returns.result import Failure, Result, Success

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInterceptorError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
    InterceptorProtocol,
    RequestContext,
    RetryPolicy,
)
from railhttp.auth import Again
from railhttp.events import RequestFinished, RequestStarted
from railhttp.interceptors import BearerAuth, CorrelationId
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.interceptors.chain import Interceptor
from railhttp.protocols import IncomingResponse
from railhttp.testing import ScriptedTransport

URL: Final = "https://api.example/orders"
CONFIG: Final = HTTPClientConfig(trust_env=False)


def guarded(token: str, method: str = "GET") -> ScriptedTransport:
    """A service that knows one token."""
    script = ScriptedTransport()
    script.on(method, "/orders").reply(401).reply(200, json={"token": token})
    return script


class Bare:
    """Keeps the context, and sets the field of the next send itself."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.context = context
        context.headers["Authorization"] = "Bearer old"
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse | Again:
        if response.status != 401:
            return response
        self.context.headers["Authorization"] = "Bearer new"
        return Again(self.context)


class Refreshing:
    """Sets the field in one place, and leaves the context alone."""

    token = "old"

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.headers.setdefault("Authorization", f"Bearer {self.token}")
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse | Again:
        if response.status != 401 or context.headers["Authorization"] != "Bearer old":
            return response
        self.token = "new"
        return Again(context)


class Counting:
    """Counts what it sees."""

    requests = responses = 0

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.requests += 1
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        self.responses += 1
        return response


@pytest.mark.parametrize("auth", [Bare, Refreshing])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_request_is_sent_once_more_in_the_same_attempt(
    auth: Callable[[], Bare | Refreshing], method: str
) -> None:
    script = guarded("new", method)
    policy = RetryPolicy(1)
    async with HTTPClient(
        CONFIG, exchange=script, interceptors=[auth()], retry_policy=policy
    ) as client:
        response = await client.request(method, URL)
    assert (response.status, response.attempts) == (200, 1)
    assert [call.headers["Authorization"] for call in script.calls] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("auth", [Bare, Refreshing])
async def test_interceptors_inside_see_each_send_and_those_outside_the_attempt(
    auth: Callable[[], Bare | Refreshing],
) -> None:
    outside, inside, innermost = Counting(), Counting(), Counting()
    interceptors: list[Interceptor] = [outside, auth(), inside, innermost]
    async with HTTPClient(CONFIG, exchange=guarded("new"), interceptors=interceptors) as client:
        assert (await client.request("GET", URL)).status == 200
    assert (outside.requests, outside.responses) == (1, 1)
    assert (inside.requests, inside.responses) == (2, 2)
    assert (innermost.requests, innermost.responses) == (2, 2)


async def test_a_stream_is_opened_once_more() -> None:
    async with (
        HTTPClient(CONFIG, exchange=guarded("new"), interceptors=[Refreshing()]) as client,
        client.stream("GET", URL) as answer,
    ):
        assert answer.status == 200
        assert b"".join([chunk async for chunk in answer]) == b'{"token":"new"}'


async def once() -> AsyncIterator[bytes]:
    yield b"x"


async def test_a_body_that_can_be_read_once_is_not_sent_twice() -> None:
    script = guarded("new", "POST")
    outside, inside = Counting(), Counting()
    interceptors: list[InterceptorProtocol] = [outside, Refreshing(), inside]
    async with HTTPClient(CONFIG, exchange=script, interceptors=interceptors) as client:
        match await client.post(URL, data=once()):
            case Failure(HTTPStatusError(401)):
                assert (len(script.calls), outside.responses, inside.responses) == (1, 1, 1)
            case other:
                pytest.fail(f"unexpected {other}")


class Endless(Counting):
    """Never has enough."""

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse | Again:
        return Again(context)


async def test_an_interceptor_that_never_has_enough_is_stopped_and_named() -> None:
    script = ScriptedTransport()
    script.on("GET", "/orders").reply(200)
    async with HTTPClient(CONFIG, exchange=script, interceptors=[Endless()]) as client:
        failure = (await client.get(URL)).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, failure.delivery) == ("Endless", Delivery.ANSWERED)
    assert len(script.calls) == 5


class Watching:
    """Notes each send."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def call_started(self, call: RequestStarted) -> None: ...

    def attempt_started(self, attempt: RequestStarted) -> "Watching":
        self.sent.append((attempt.attempt, attempt.resends))
        return self

    def ended(self, finished: RequestFinished) -> None: ...


async def test_telemetry_sees_each_send_and_counts_no_attempt() -> None:
    watching = Watching()
    async with HTTPClient(
        CONFIG, exchange=guarded("new"), interceptors=[Refreshing()], instruments=[watching]
    ) as client:
        await client.get(URL)
    assert watching.sent == [(0, 0), (0, 1)]


class Nested(Counting):
    """Fails as another call of its own did."""

    def __init__(self, *, late: bool) -> None:
        self._late = late

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.requests += 1
        if not self._late:
            raise self._failure()
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        raise self._failure()

    def _failure(self) -> HTTPConnectionError:
        return HTTPConnectionError(
            "refused", kind="connect", url="https://login.example/", delivery=Delivery.NOT_SENT
        )


@pytest.mark.parametrize(
    ("late", "method", "delivery", "tries"),
    [
        (False, "POST", Delivery.NOT_SENT, 3),
        (True, "POST", Delivery.ANSWERED, 1),
        (True, "GET", Delivery.ANSWERED, 3),
    ],
)
async def test_a_failure_of_a_nested_call_keeps_its_class_and_speaks_of_the_outer_call(
    late: bool, method: str, delivery: Delivery, tries: int
) -> None:
    script = ScriptedTransport()
    script.on(method, "/orders").reply(200)
    interceptor = Nested(late=late)
    policy = RetryPolicy(base_delay=0, reraise=True)
    async with HTTPClient(
        CONFIG, exchange=script, interceptors=[interceptor], retry_policy=policy
    ) as client:
        with pytest.raises(HTTPConnectionError) as caught:
            await client.request(method, URL)
    failure = caught.value
    assert (failure.kind, failure.url, failure.message) == ("connect", URL, "Nested: refused")
    assert (failure.delivery, failure.attempts, interceptor.requests) == (delivery, tries, tries)
    assert isinstance(failure.__cause__, HTTPConnectionError)
    assert failure.__cause__.url == "https://login.example/"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/orders", True),
        (URL, True),
        ("https://api.example:443/orders", True),
        ("https://other.example/orders", False),
        ("https://api.example.evil.example/orders", False),
        ("http://api.example/orders", False),
    ],
)
async def test_credentials_of_interceptors_stay_at_the_origin_of_the_base_url(
    url: str, sent: bool
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/orders").reply(200)
    async with HTTPClient(
        CONFIG,
        exchange=script,
        base_url="https://api.example",
        interceptors=[BearerAuth("t"), CorrelationId()],
    ) as client:
        result: Result[HttpResponse, object] = await client.get(url)
    assert isinstance(result, Success)
    (call,) = script.calls
    assert ("Authorization" in call.headers) is sent
    assert "X-Correlation-ID" in call.headers


class Replacing:
    """Returns another context than it is given."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        headers = {**context.headers, "X-Later": "1"}
        return RequestContext(context.method, context.url, headers)

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


class Comparing:
    """Keeps the contexts that it returns, and those that come with a response."""

    def __init__(self) -> None:
        self.returned: list[RequestContext] = []
        self.received: list[RequestContext] = []

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.returned.append(context)
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        raise AssertionError  # `intercept_exchange` takes its place

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse:
        self.received.append(context)
        return response


async def test_a_response_comes_with_the_context_that_the_interceptor_itself_returned() -> None:
    script, comparing = ScriptedTransport(), Comparing()
    script.on("GET", "/orders").reply(200)
    chain: list[InterceptorProtocol] = [comparing, Replacing()]
    async with HTTPClient(CONFIG, exchange=script, interceptors=chain) as client:
        (await client.get(URL)).unwrap()
    assert len(comparing.received) == 1
    assert comparing.received[0] is comparing.returned[0]
    assert "X-Later" not in comparing.received[0].headers


class SlowToBegin:
    """An exchange that is slow before it notes how far it has come; the first send ends at once."""

    def __init__(self, *, loses: bool) -> None:
        self._loses = loses
        self._sends = 0

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        self._sends += 1
        if self._sends > 1:
            await asyncio.Event().wait()
        progress.stage = Stage.ANSWERED
        if self._loses:
            raise HTTPConnectionError("lost", kind="disconnected", delivery=progress.delivery)
        return HttpResponse(401)

    async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        raise NotImplementedError


@pytest.mark.parametrize("loses", [True, False])
async def test_a_send_that_hangs_before_it_begins_hangs_in_the_queue(loses: bool) -> None:
    """What an earlier send proves stays proven; how far it came says nothing about the next."""
    config = HTTPClientConfig(trust_env=False, attempt_timeout=0.01)
    async with HTTPClient(
        config,
        exchange=SlowToBegin(loses=loses),
        interceptors=[Refreshing()],
        retry_policy=RetryPolicy(2, base_delay=0, reraise=True),
    ) as client:
        failure = (await client.get(URL)).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.delivery) == ("pool", Delivery.ANSWERED)
