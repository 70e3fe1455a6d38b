"""What interceptors make of a request: fields, target, and who may repeat it."""

import asyncio
from typing import Final

import pytest
from multidict import CIMultiDict
from returns.methods import unwrap_or_failure
from tests.patience import until
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer

from railhttp import (
    CircuitBreakerRegistry,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPStatusError,
    RequestContext,
    ResiliencePipeline,
    RetryPolicy,
)
from railhttp.interceptors import BearerAuth, CorrelationId
from railhttp.resilience import BreakerRule
from railhttp.testing import ScriptedTransport

CONFIG: Final = HTTPClientConfig(trust_env=False, total=True)
EAGER: Final = RetryPolicy(base_delay=0.0)


class Requests:
    """An interceptor of requests alone."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


class Setting(Requests):
    """Sets header fields; takes out those that are empty."""

    def __init__(self, **fields: str) -> None:
        self._fields = {name.replace("_", "-"): text for name, text in fields.items()}

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.headers |= self._fields
        context.headers = {name: text for name, text in context.headers.items() if text}
        return context


TAGS: Final = (("X-Tag", "1"), ("X-Other", "o"), ("X-Tag", "2"))


@pytest.mark.parametrize(
    ("interceptor", "given", "sent"),
    [
        (CorrelationId(current=lambda: "7"), TAGS, [*TAGS, ("X-Correlation-ID", "7")]),
        (BearerAuth("t"), TAGS, [*TAGS, ("Authorization", "Bearer t")]),
        (Setting(), TAGS, TAGS),
        (Setting(X_Tag="3"), TAGS, [("X-Other", "o"), ("X-Tag", "3")]),
        (Setting(X_Tag=""), TAGS, [("X-Other", "o")]),
        (Setting(Auth="new"), [("auth", "old")], [("Auth", "new")]),
        (
            Setting(X_New="n"),
            [("x-a", "1"), ("X-A", "2")],
            [("x-a", "1"), ("X-A", "2"), ("X-New", "n")],
        ),
    ],
)
async def test_a_field_that_was_left_alone_is_sent_as_it_was_given(
    interceptor: Requests, given: list[tuple[str, str]], sent: list[tuple[str, str]]
) -> None:
    script = ScriptedTransport()
    route = script.on("GET", "/").reply(200)
    async with HTTPClient(CONFIG, exchange=script, interceptors=[interceptor]) as client:
        await client.get("http://h/", headers=CIMultiDict(given))
    (call,) = route.calls
    assert list(call.headers.items()) == list(sent)


class Seeing(Requests):
    """Notes the fields that it sees."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.seen = dict(context.headers)
        return context


async def test_an_interceptor_sees_a_repeated_field_as_one_list() -> None:
    seeing = Seeing()
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(CONFIG, exchange=script, interceptors=[seeing]) as client:
        await client.get("http://h/", headers=CIMultiDict(TAGS))
    assert seeing.seen == {"X-Tag": "1, 2", "X-Other": "o"}


class Retargeting(Requests):
    """Gives a request another method, key or host."""

    def __init__(self, method: str = "", key: str = "", host: str = "") -> None:
        self._method = method
        self._key = key
        self._host = host

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.method = self._method or context.method
        context.url = context.url.replace("http://service", self._host or "http://service")
        if self._key:
            context.headers["Idempotency-Key"] = self._key
        return context


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize(
    ("interceptor", "method", "sends"),
    [(Retargeting("POST"), "GET", 1), (Retargeting(key="7"), "POST", 3)],
)
async def test_what_is_sent_decides_whether_it_may_be_sent_again(
    faults: FaultServer, pipeline: bool, interceptor: Retargeting, method: str, sends: int
) -> None:
    client = (
        HTTPClient(CONFIG, resilience=ResiliencePipeline(EAGER), interceptors=[interceptor])
        if pipeline
        else HTTPClient(CONFIG, retry_policy=EAGER, interceptors=[interceptor])
    )
    async with client:
        with pytest.raises(HTTPClientError):
            await client.request(method, faults.url("/reset-before-head"))
    assert len(faults.received) == sends


class Balancing(Requests):
    """Sends each other request to another host."""

    def __init__(self, *hosts: str) -> None:
        self._hosts = hosts
        self._turn = 0

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.url = context.url.replace("http://service", self._hosts[self._turn % 2])
        self._turn += 1
        return context


async def test_a_breaker_goes_by_the_host_that_a_request_is_sent_to() -> None:
    script = ScriptedTransport()
    script.on("GET", "http://bad/**").reply(500)
    script.on("GET", "http://good/**").reply(200)
    breakers = CircuitBreakerRegistry().per_origin(BreakerRule(failure_threshold=1))
    balancing = Balancing("http://bad", "http://good")
    async with HTTPClient(
        CONFIG,
        retry_policy=RetryPolicy(1),
        circuit_breaker=breakers,
        interceptors=[balancing],
        exchange=script,
    ) as client:
        results = [await client.get("http://service/x") for _ in range(4)]
    kinds = [type(unwrap_or_failure(one)) for one in results]
    assert kinds == [HTTPStatusError, HttpResponse, HTTPCircuitOpenError, HttpResponse]


class Noting(Requests):
    """Notes what it sees."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.noted.append("request")
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        self.noted.append("response")
        return response


async def test_one_that_comes_or_goes_meanwhile_counts_from_the_next_attempt_on(
    faults: FaultServer,
) -> None:
    leaving, coming = Noting(), Noting()
    async with HTTPClient(CONFIG, interceptors=[leaving]) as client:
        call = asyncio.create_task(client.get(faults.url("/slow-answer", interval=0.1)))
        await until(lambda: faults.received)
        client.interceptors.remove_interceptor(leaving)
        client.interceptors.add_interceptor(coming)
        assert (await call).unwrap().status == 200
    assert (leaving.noted, coming.noted) == (["request", "response"], [])


class Interceptor:
    """Notes its name on the way out and back, or fails there."""

    def __init__(self, name: str, log: list[str], *, fails: str = "") -> None:
        self._name = name
        self._log = log
        self._fails = fails

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self._log.append(f"{self._name} out {context.attempt}")
        context.headers[f"X-{self._name}"] = "was here"
        self._fail_in("request")
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        self._log.append(f"{self._name} back {response.status}")
        self._fail_in("response")
        return response

    def _fail_in(self, place: str) -> None:
        if self._fails == place:
            raise KeyError(place)


async def test_interceptors_see_every_attempt_in_order_and_back(echo: EchoServer) -> None:
    log: list[str] = []
    policy = RetryPolicy(base_delay=0.001)
    chain = [Interceptor("A", log), Interceptor("B", log)]
    async with HTTPClient(CONFIG, retry_policy=policy, interceptors=chain) as client:
        assert (await client.get(echo.url("/flaky/k/1"))).unwrap().attempts == 2
        seen = (await client.get(echo.url("/get"))).unwrap().json()
    assert log[:8] == [
        *("A out 0", "B out 0", "B back 503", "A back 503"),
        *("A out 1", "B out 1", "B back 200", "A back 200"),
    ]
    assert isinstance(seen, dict)
    assert ["X-A", "was here"] in (seen["headers"] or [])  # type: ignore[operator]  # it is a list


@pytest.mark.parametrize(
    ("fails", "delivery", "sent"),
    [("request", Delivery.NOT_SENT, 0), ("response", Delivery.ANSWERED, 1)],
)
async def test_an_interceptor_that_fails_is_named(
    faults: FaultServer, fails: str, delivery: Delivery, sent: int
) -> None:
    chain = [Interceptor("A", [], fails=fails)]
    async with HTTPClient(CONFIG, interceptors=chain) as client:
        failure = (await client.get(faults.url())).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, failure.delivery) == ("Interceptor", delivery)
    assert failure.message == "Interceptor raised KeyError"
    assert isinstance(failure.__cause__, KeyError)
    assert (len(faults.received), failure.attempts) == (sent, 1)


class Rewriting:
    """Makes another request of the caller's."""

    def __init__(self, **changes: str) -> None:
        self._changes = changes

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        headers = {name[2:]: text for name, text in self._changes.items() if name[:2] == "X_"}
        return RequestContext(
            self._changes.get("method", context.method),
            self._changes.get("url", context.url),
            {**context.headers, **{name.replace("_", "-"): text for name, text in headers.items()}},
        )

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return HttpResponse(299, body=response.body + b"!")


async def test_an_interceptor_may_change_request_and_response(faults: FaultServer) -> None:
    chain = [Rewriting(method="put", url=faults.url("/no-content-type"), X_Mine="1")]
    async with HTTPClient(CONFIG, interceptors=chain) as client:
        response = (await client.get(faults.url())).unwrap()
    (seen,) = faults.received
    assert (seen.method, seen.path, seen.header("mine")) == ("PUT", "/no-content-type", "1")
    assert (response.status, response.body) == (299, b'{"a": 1}!')


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://h/"}, "url"),
        ({"X_Mine": "a\r\nb"}, "headers"),
        ({"X_Transfer_Encoding": "x"}, "headers"),
    ],
)
async def test_what_an_interceptor_makes_is_checked_too(
    faults: FaultServer, changes: dict[str, str], field: str
) -> None:
    async with HTTPClient(CONFIG, interceptors=[Rewriting(**changes)]) as client:
        failure = (await client.get(faults.url())).failure()
    assert (failure.label, failure.delivery) == (field, Delivery.NOT_SENT)
    assert "an interceptor made it invalid" in failure.message
    assert faults.received == []


async def test_a_request_that_an_interceptor_made_a_post_is_sent_once(faults: FaultServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[Rewriting(method="post")]) as client:
        await client.get(faults.url("/reset-before-head"))
    assert [received.method for received in faults.received] == ["POST"]


@pytest.mark.parametrize("method", ["", "CONNECT", "GET / HTTP/1.1\r\nX: y"])
async def test_a_method_that_an_interceptor_made_up_is_checked(
    faults: FaultServer, method: str
) -> None:
    async with HTTPClient(CONFIG, interceptors=[Rewriting(method=method)]) as client:
        failure = (await client.get(faults.url())).failure()
    assert (type(failure), failure.label) == (HTTPInvalidRequestError, "method")
    assert "\n" not in str(failure)


async def test_an_interceptor_cannot_put_credentials_into_the_url(faults: FaultServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[Rewriting(url="http://a:b@h/")]) as client:
        failure = (await client.get(faults.url())).failure()
    assert (type(failure), failure.label) == (HTTPInvalidRequestError, "url")


class Altering(Requests):
    """Keeps the fields that it sees, and may set an attribute of the context."""

    def __init__(self, **attributes: object) -> None:
        self._attributes = attributes
        self.fields: dict[str, str] = {}

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.fields = dict(context.headers)
        for name, value in self._attributes.items():
            setattr(context, name, value)
        return context


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ([("X-Three", "1"), ("X-THREE", "2"), ("x-three", "3")], {"X-Three": "1, 2, 3"}),
        ([("X-Two", "1"), ("X-Two", "2"), ("X-Other", "o")], {"X-Two": "1, 2", "X-Other": "o"}),
        ([("x-a-one", "1"), ("X-B-One", "2")], {"x-a-one": "1", "X-B-One": "2"}),
    ],
)
async def test_an_interceptor_sees_the_lines_of_one_field_joined(
    lines: list[tuple[str, str]], fields: dict[str, str]
) -> None:
    altering, script = Altering(), ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(CONFIG, exchange=script, interceptors=[altering]) as client:
        (await client.get("http://h/", headers=lines)).unwrap()
    assert altering.fields == fields
    assert [line for line in script.calls[0].headers.items() if line in lines] == lines


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("url", 7),
        ("url", "ftp://h/"),
        ("url", "http://ann:s3cret@h/"),
        ("method", "G T"),
        ("headers", {"a b": "1"}),
        ("headers", {"A": "1\n"}),
    ],
)
async def test_what_an_interceptor_made_invalid_is_named(attribute: str, value: object) -> None:
    script = ScriptedTransport()
    interceptors = [Altering(**{attribute: value})]
    async with HTTPClient(CONFIG, exchange=script, interceptors=interceptors) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.url, failure.attempts) == (attribute, "http://h/", 1)
    assert "s3cret" not in f"{failure!r}"
    assert not script.calls
