"""Interceptors, observers and the log see the target of a redirect before it is followed."""

import logging
from dataclasses import replace
from typing import Final

import pytest
from tests.servers.faults import FaultServer
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    RequestContext,
    RetryPolicy,
)
from railhttp.events import HTTPEvent, RedirectEvent
from railhttp.headers import bearer_auth

CONFIG: Final = HTTPClientConfig(trust_env=False)


class Seeing:
    """Writes down the redirects that it sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[RequestContext, HttpResponse]] = []

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.notes[type(self)] = context.attempt
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response

    async def intercept_redirect(
        self, context: RequestContext, response: HttpResponse
    ) -> RequestContext:
        self.seen.append((context, response))
        return context


async def test_an_interceptor_sees_each_redirect_with_its_response(faults: FaultServer) -> None:
    seeing = Seeing()
    async with HTTPClient(CONFIG, interceptors=[seeing]) as client:
        last = faults.url("/ok", host="localhost")
        url = faults.url("/redirect-to", url=faults.url("/redirect-to", url=last))
        own = {**bearer_auth("s3cret"), "X-Open": "1"}
        await client.post(url, data=b"order", headers=own)
    first, second = (context for context, _ in seeing.seen)
    assert (first.method, second.method) == ("GET", "GET")
    assert second.url == last
    assert first.headers == own  # the same origin
    assert second.headers == {"X-Open": "1"}
    assert first.call_id == second.call_id
    assert first.notes == {Seeing: 0}
    assert [response.status for _, response in seeing.seen] == [302, 302]
    assert seeing.seen[1][1].headers["Location"] == last


async def test_the_body_of_a_redirect_is_neither_shown_nor_counted() -> None:
    seeing = Seeing()
    found = answer(b"elsewhere", "Location: /next", status="302 Found")
    async with (
        ScriptedServer(sends(found), sends(answer(b"ok"))) as server,
        HTTPClient(replace(CONFIG, max_response_bytes=2), interceptors=[seeing]) as client,
    ):
        assert (await client.get(server.url())).unwrap().body == b"ok"
    assert [response.body for _, response in seeing.seen] == [b""]


async def test_streams_and_downloads_show_their_redirects_too(faults: FaultServer) -> None:
    seeing = Seeing()
    async with (
        HTTPClient(CONFIG, interceptors=[seeing]) as client,
        client.stream("GET", faults.url("/redirect-to")) as response,
    ):
        assert await response.read() == b"ok"
    assert [context.url for context, _ in seeing.seen] == [faults.url("/ok")]


class Changing(Seeing):
    """Adds a field, and sends the request elsewhere."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target

    async def intercept_redirect(
        self, context: RequestContext, response: HttpResponse
    ) -> RequestContext:
        context.headers["X-Hop"] = str(response.status)
        context.url = self._target
        return context


async def test_an_interceptor_may_change_the_next_request(faults: FaultServer) -> None:
    changing = Changing(faults.url("/ok", changed="yes"))
    async with HTTPClient(CONFIG, interceptors=[changing]) as client:
        response = (await client.get(faults.url("/redirect-to", url="/other"))).unwrap()
    assert response.url == faults.url("/ok", changed="yes")
    assert [seen.target for seen in faults.received][1:] == ["/ok?changed=yes"]
    assert faults.received[1].header("x-hop") == "302"


class Raising(Seeing):
    """Refuses redirects."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def intercept_redirect(
        self, context: RequestContext, response: HttpResponse
    ) -> RequestContext:
        raise self._error


@pytest.mark.parametrize(
    ("interceptor", "kind", "words"),
    [
        (Raising(PermissionError("s3cret")), HTTPInterceptorError, "Raising raised"),
        (Raising(HTTPConnectionError("no", kind="rejected")), HTTPConnectionError, "Raising: no"),
        (Changing("ftp://h/"), HTTPInvalidRequestError, "an interceptor made it invalid"),
    ],
)
async def test_a_redirect_that_an_interceptor_refuses_is_not_followed(
    faults: FaultServer, interceptor: Seeing, kind: type[Exception], words: str
) -> None:
    policy = RetryPolicy(base_delay=0.0, reraise=True)
    async with HTTPClient(CONFIG, retry_policy=policy, interceptors=[interceptor]) as client:
        failure = (await client.get(faults.url("/redirect-to"))).failure()
    assert isinstance(failure, kind)
    assert words in failure.message
    assert "s3cret" not in str(failure)
    assert (failure.delivery, failure.attempts) == (Delivery.ANSWERED, 1)
    assert [seen.path for seen in faults.received] == ["/redirect-to"]


async def test_an_unsafe_redirect_is_refused_before_interceptors_see_it(
    faults: FaultServer,
) -> None:
    seeing = Seeing()
    async with HTTPClient(CONFIG, interceptors=[seeing]) as client:
        assert not (await client.get(faults.url("/redirect-ftp"))).map(bool).value_or(False)
    assert seeing.seen == []


async def test_an_interceptor_that_is_removed_sees_no_more(faults: FaultServer) -> None:
    seeing, kept = Seeing(), Raising(PermissionError())
    async with HTTPClient(CONFIG, interceptors=[seeing, kept]) as client:
        client.interceptors.remove_interceptor(kept)
        client.interceptors.remove_interceptor(seeing)
        assert (await client.get(faults.url("/redirect-to"))).unwrap().ok
    assert seeing.seen == []


async def test_an_event_names_the_target_without_its_secrets(
    faults: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "railhttp.request")
    events: list[HTTPEvent] = []
    target = faults.url("/ok", token="s3cret")
    start = faults.url("/redirect-to", url=target, status=307)
    async with HTTPClient(CONFIG, observers=[events.append]) as client:
        await client.post(start, data=b"order")
    redirects = [event for event in events if isinstance(event, RedirectEvent)]
    masked = faults.url("/redirect-to?url=***&status=***")
    shown = faults.url("/ok?token=***")
    assert redirects == [RedirectEvent(url=masked, method="POST", status_code=307, target=shown)]
    assert redirects[0].call_id == events[0].call_id
    (record,) = [one for one in caplog.records if "redirects to" in one.getMessage()]
    assert record.getMessage() == f"POST {masked}: 307 redirects to {shown}"
    assert (record.__dict__["target"], record.__dict__["status"]) == (shown, 307)


async def test_each_hop_has_an_event(faults: FaultServer) -> None:
    events: list[HTTPEvent] = []
    inner = faults.url("/redirect-to")
    async with HTTPClient(CONFIG, observers=[events.append]) as client:
        await client.get(faults.url("/redirect-to", url=inner))
    hops = [event for event in events if isinstance(event, RedirectEvent)]
    assert [(hop.url, hop.target) for hop in hops] == [
        (faults.url("/redirect-to?url=***"), inner),
        (inner, faults.url("/ok")),
    ]
