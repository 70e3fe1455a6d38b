"""Which events a call fires, and that no observer ever touches a request."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeAlias

import pytest
from typing_extensions import Unpack

from railhttp.client.base_url_client import BaseURLHTTPClient
from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import HTTPTimeoutError
from railhttp.model.events import (
    CircuitChangedEvent,
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RedirectEvent,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.pipeline.interceptors.standard import RequestInterceptor
from railhttp.pipeline.observation.observer_queue import MAX_PENDING
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.testing import ManualClock, ScriptedRoute, ScriptedTransport

URL = "https://api.example/v1?token=s3cret"
SHOWN = "https://api.example/v1?token=***"

Script: TypeAlias = Callable[[ScriptedRoute], ScriptedRoute]

RESET = ConnectionResetError()


def sent(method: str = "GET") -> HTTPEvent:
    return HTTPRequestSentHook(method=method, url=SHOWN)


def received(status: int, method: str = "GET") -> HTTPEvent:
    return HTTPResponseReceivedHook(method=method, url=SHOWN, status_code=status)


def completed(status: int, method: str = "GET") -> HTTPEvent:
    return RequestCompletedEvent(method=method, url=SHOWN, status_code=status)


def exhausted(attempts: int, method: str = "GET") -> HTTPEvent:
    return RequestRetryExhaustedEvent(method=method, url=SHOWN, attempt_count=attempts)


def timed_out(seconds: float, method: str = "GET") -> HTTPEvent:
    return RequestTimeoutEvent(method=method, url=SHOWN, timeout_seconds=seconds)


async def events_of(
    script: Script, method: str = "GET", *, reraise: bool = True, **options: Unpack[RequestOptions]
) -> list[HTTPEvent]:
    """The events of one call, on a clock that is turned as far as need be."""
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    script(transport.on(method, "/v1"))
    events: list[HTTPEvent] = []
    async with HTTPClient(
        retry_policy=RetryPolicy(reraise=reraise, clock=clock),
        observers=[events.append],
        exchange=transport,
        clock=clock,
    ) as client:
        call = client.request(method, URL, **options)
        await asyncio.gather(clock.run(call), return_exceptions=True)
    return events


@pytest.mark.parametrize(
    ("script", "method", "options", "events"),
    [
        (lambda r: r.reply(200), "GET", {}, [sent(), received(200), completed(200)]),
        (lambda r: r.reply(404), "GET", {}, [sent(), received(404), completed(404)]),
        (
            lambda r: r.fail(RESET).reply(),
            "GET",
            {},
            [sent(), sent(), received(200), completed(200)],
        ),
        (
            lambda r: r.reply(503).reply(200),
            "GET",
            {},
            [sent(), received(503), sent(), received(200), completed(200)],
        ),
        (lambda r: r.reply(503), "GET", {}, [sent(), received(503)] * 3 + [completed(503)]),
        (lambda r: r.fail(RESET), "GET", {}, [sent(), sent(), sent(), exhausted(3)]),
        (lambda r: r.fail(RESET), "POST", {}, [sent("POST")]),
        (
            lambda r: r.fail(RESET, at="connect"),
            "POST",
            {},
            [sent("POST")] * 3 + [exhausted(3, "POST")],
        ),
        (lambda r: r.fail(RESET, at="body"), "POST", {}, [sent("POST")]),
        (lambda r: r.hang(), "GET", {"timeout": 5}, [sent(), timed_out(5)]),
        (lambda r: r.hang(), "POST", {"read_timeout": 2}, [sent("POST"), timed_out(2, "POST")]),
        (
            lambda r: r.hang(),
            "POST",
            {"read_timeout": 3, "attempt_timeout": 2},
            [sent("POST"), timed_out(2, "POST")],
        ),
        (
            lambda r: r.hang(at="connect"),
            "GET",
            {"connect_timeout": 1},
            [sent()] * 3 + [timed_out(1)],
        ),
        (
            lambda r: r.fail(HTTPTimeoutError(phase="read")),
            "POST",
            {},
            [sent("POST"), timed_out(0, "POST")],
        ),
        (lambda r: r.reply(), "GET", {"json": object()}, []),
    ],
)
async def test_each_call_fires_its_events_in_order(
    script: Script, method: str, options: RequestOptions, events: list[HTTPEvent]
) -> None:
    assert await events_of(script, method, **options) == events


async def test_a_policy_that_raises_exhaustion_fires_the_same_events() -> None:
    events = await events_of(lambda route: route.fail(RESET), reraise=False)
    assert events == [sent(), sent(), sent(), exhausted(3)]


async def test_exhaustion_by_timeouts_is_exhaustion() -> None:
    timeout = HTTPTimeoutError(phase="read")
    events = await events_of(lambda route: route.fail(timeout), reraise=False)
    assert events == [sent(), sent(), sent(), exhausted(3)]


async def test_redirects_belong_to_their_attempt() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(302, headers={"Location": "/v2"})
    transport.on("GET", "/v2").reply()
    async with HTTPClient(observers=[events.append], exchange=transport) as client:
        await client.get(URL)
    target = "https://api.example/v2"
    hop = RedirectEvent(method="GET", url=SHOWN, status_code=302, target=target)
    assert events == [sent(), hop, received(200), completed(200)]


async def test_a_stream_fires_the_same_events_when_its_head_has_come() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(body=b"abc")
    async with (
        HTTPClient(observers=[events.append], exchange=transport) as client,
        client.stream("GET", URL) as chunks,
    ):
        assert events == [sent(), received(200), completed(200)]
        assert b"".join([chunk async for chunk in chunks]) == b"abc"
    assert len(events) == 3


async def test_what_an_open_circuit_refuses_was_never_sent() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    breaker = CircuitBreaker()
    await breaker.force_open()
    async with HTTPClient(
        circuit_breaker=breaker, observers=[events.append], exchange=transport
    ) as client:
        with pytest.raises(Exception, match="circuit"):
            await client.request("GET", URL)
    assert [type(event) for event in events] == [CircuitChangedEvent]


async def test_an_answer_that_an_interceptor_spoils_was_received_but_completes_nothing() -> None:
    class Spoiler(RequestInterceptor):
        async def prepare(self, context: object) -> None:
            pass

        async def intercept_response(self, response: HttpResponse) -> HttpResponse:
            raise KeyError(response.status)

    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    async with HTTPClient(
        interceptors=[Spoiler()], observers=[events.append], exchange=transport
    ) as client:
        assert (await client.get(URL)).failure().label == "Spoiler"
    assert events == [sent(), received(200)]


async def test_a_cancelled_call_was_sent_and_nothing_more() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").hang()
    async with HTTPClient(observers=[events.append], exchange=transport) as client:
        task = asyncio.create_task(client.get(URL))
        await ManualClock().settle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert events == [sent()]


async def test_a_client_with_a_base_url_fires_the_same_events() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    async with BaseURLHTTPClient(
        "https://api.example", observers=[events.append], exchange=transport
    ) as client:
        await client.get("/v1", params={"token": "s3cret"})
    assert events == [sent(), received(200), completed(200)]


# -- observers ------------------------------------------------------------------------------


def answering(clock: ManualClock | None = None) -> ScriptedTransport:
    transport = ScriptedTransport() if clock is None else ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply()
    return transport


async def test_an_async_observer_gets_one_event_after_the_other() -> None:
    seen: list[str] = []

    async def observer(event: HTTPEvent) -> None:
        seen.append(f"begin {type(event).__name__}")
        await asyncio.sleep(0)
        seen.append("end")

    async with HTTPClient(observers=[observer], exchange=answering()) as client:
        (await client.get(URL)).unwrap()
    assert seen == [
        *("begin HTTPRequestSentHook", "end"),
        *("begin HTTPResponseReceivedHook", "end"),
        *("begin RequestCompletedEvent", "end"),
    ]


def raising(event: HTTPEvent) -> None:
    raise KeyError(event.url)


def cancelling(event: HTTPEvent) -> None:
    raise asyncio.CancelledError


async def raising_later(event: HTTPEvent) -> None:
    await asyncio.sleep(0)
    raise KeyError(event.url)


async def cancelling_later(event: HTTPEvent) -> None:
    await asyncio.sleep(0)
    raise asyncio.CancelledError


@pytest.mark.parametrize("observer", [raising, cancelling, raising_later, cancelling_later])
async def test_an_observer_that_raises_is_logged_and_touches_nothing(
    observer: Callable[[HTTPEvent], object], caplog: pytest.LogCaptureFixture
) -> None:
    events: list[HTTPEvent] = []
    with caplog.at_level(logging.WARNING, "railhttp"):
        async with HTTPClient(observers=[observer, events.append], exchange=answering()) as client:
            (await client.get(URL)).unwrap()
    assert len(events) == 3
    assert len(caplog.messages) == 3
    assert all(f"observer {observer.__qualname__} raised" in line for line in caplog.messages)
    assert "s3cret" not in caplog.text


async def test_an_observer_may_return_anything(caplog: pytest.LogCaptureFixture) -> None:
    events: list[HTTPEvent] = []

    def counting(event: HTTPEvent) -> int:
        events.append(event)
        return len(events)

    async with HTTPClient(observers=[counting], exchange=answering()) as client:
        (await client.get(URL)).unwrap()
    assert len(events) == 3
    assert not caplog.messages


async def test_an_observer_that_hangs_delays_no_request_and_stop_only_for_a_second() -> None:
    clock = ManualClock()
    began: list[HTTPEvent] = []

    async def hanging(event: HTTPEvent) -> None:
        began.append(event)
        await asyncio.Event().wait()

    client = HTTPClient(observers=[hanging], exchange=answering(clock), clock=clock)
    await client.start()
    (await client.get(URL)).unwrap()
    stop = asyncio.create_task(client.stop())
    await clock.advance(0.99)
    assert not stop.done()
    await clock.advance(0.01)
    assert stop.done()
    assert began == [sent()]  # the others were waiting, and are forgotten


async def test_an_observer_may_stop_the_client_itself() -> None:
    clock = ManualClock()
    stopped = asyncio.Event()

    async def stop(event: HTTPEvent) -> None:
        if isinstance(event, RequestCompletedEvent):
            await client.stop()
            stopped.set()

    client = HTTPClient(observers=[stop], exchange=answering(), clock=clock)
    await client.start()
    (await client.get(URL)).unwrap()
    await stopped.wait()
    assert clock.slept == []


async def test_an_observer_that_ignores_its_cancellation_is_left_behind() -> None:
    clock = ManualClock()
    release = asyncio.Event()

    async def stubborn(_: HTTPEvent) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    client = HTTPClient(observers=[stubborn], exchange=answering(clock), clock=clock)
    await client.start()
    (await client.get(URL)).unwrap()
    await clock.run(client.stop())
    release.set()
    await asyncio.sleep(0)


async def test_an_observer_that_falls_behind_misses_events_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    began: list[HTTPEvent] = []
    release = asyncio.Event()

    async def slow(event: HTTPEvent) -> None:
        began.append(event)
        await release.wait()

    client = HTTPClient(observers=[slow], exchange=answering(clock), clock=clock)
    await client.start()
    with caplog.at_level(logging.WARNING, "railhttp"):
        for _ in range(MAX_PENDING // 3 + 2):
            (await client.get(URL)).unwrap()
    assert caplog.messages == [
        "observer test_an_observer_that_falls_behind_misses_events_and_is_told_once."
        "<locals>.slow is too slow and misses events"
    ]
    release.set()
    await client.stop()
    assert len(began) == MAX_PENDING + 1  # and the one that was under way
    assert clock.monotonic() == 0


async def test_stopping_without_any_async_work_takes_no_time() -> None:
    clock = ManualClock()
    client = HTTPClient(observers=[lambda event: None], exchange=answering(clock), clock=clock)
    await client.start()
    await client.get(URL)
    await client.stop()
    assert clock.slept == []


async def test_events_of_a_future_are_awaited_like_those_of_a_coroutine() -> None:
    futures: list[asyncio.Future[None]] = []

    def observer(_: HTTPEvent) -> asyncio.Future[None]:
        futures.append(asyncio.get_running_loop().create_future())
        return futures[-1]

    clock = ManualClock()
    client = HTTPClient(observers=[observer], exchange=answering(clock), clock=clock)
    await client.start()
    await client.get(URL)
    await clock.run(client.stop())
    assert len(futures) == 3
    assert futures[0].cancelled()


CALLER: ContextVar[str] = ContextVar("caller")


async def test_an_async_observer_runs_in_the_context_of_its_own_call() -> None:
    seen: list[str] = []

    async def slow(event: HTTPEvent) -> None:
        await asyncio.sleep(0)
        seen.append(CALLER.get())

    async def ask(client: HTTPClient, name: str) -> None:
        CALLER.set(name)
        await client.get("https://api.example/")

    script = ScriptedTransport()
    script.on("GET", "/").reply()
    async with HTTPClient(exchange=script, observers=[slow]) as client:
        await asyncio.gather(*(ask(client, name) for name in ("a", "b")))
    assert sorted(seen) == ["a"] * 3 + ["b"] * 3


async def test_an_observer_that_is_cancelled_has_ended_when_the_client_has_stopped() -> None:
    clock = ManualClock()
    ended: list[HTTPEvent] = []

    async def hanging(event: HTTPEvent) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event)

    async def stopped() -> list[HTTPEvent]:
        await client.stop()
        return list(ended)

    client = HTTPClient(observers=[hanging], exchange=answering(clock), clock=clock)
    await client.start()
    (await client.get(URL)).unwrap()
    assert await clock.run(stopped()) == [sent()]


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ("lost", RequestRetryExhaustedEvent),
        ("silent", RequestTimeoutEvent),
        ("answered", RequestCompletedEvent),
    ],
)
async def test_all_events_of_a_call_have_its_id_and_the_last_says_how_it_ended(
    last: str, kind: type[HTTPEvent]
) -> None:
    clock, events = ManualClock(), list[HTTPEvent]()
    script = ScriptedTransport(clock=clock)
    route = script.on("GET", "/v1").fail(ConnectionResetError())
    if last == "lost":
        route.fail(ConnectionResetError())
    elif last == "silent":
        route.hang()
    else:
        route.reply(200)
    policy = RetryPolicy(2, reraise=True)
    async with HTTPClient(
        observers=[events.append], exchange=script, clock=clock, retry_policy=policy
    ) as client:
        await clock.run(client.get("https://api.example/v1"))
    assert isinstance(events[-1], kind)
    assert len({event.call_id for event in events}) == 1
    assert events[-1].call_id
    if isinstance(events[-1], RequestRetryExhaustedEvent):
        assert events[-1].attempt_count == 2
