"""The seam for instruments: what they are told, what they may add, and that they harm nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import ParamSpec, TypeVar

import pytest
import yarl

from railhttp.client.http_client import HTTPClient
from railhttp.model.config import HTTPClientConfig
from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.events import LayerEvent
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.request import Request, SendOptions
from railhttp.model.response import HttpResponse
from railhttp.model.target import Target
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.interceptors.standard import RequestInterceptor
from railhttp.pipeline.observation.listeners import Instruments
from railhttp.pipeline.observation.observed import observed_redirect
from railhttp.protocols import InstrumentProtocol
from railhttp.resilience import RetryPolicy
from railhttp.testing import ManualClock, ScriptedTransport, UnmatchedRequestError

T = TypeVar("T")
P = ParamSpec("P")

URL = "https://api.example/v1?token=s3cret"


class Recorder:
    """Writes down what it is told."""

    def __init__(self, added: Mapping[str, str] | None = None) -> None:
        self.told: list[str] = []
        self._added = added or {}

    def call_started(self, call: RequestStarted) -> "Note":
        return self._note(f"call {call.method} {call.shown_url}")

    def attempt_started(self, attempt: RequestStarted) -> "Note":
        attempt.added.update(self._added)
        return self._note(f"attempt {attempt.attempt}")

    def _note(self, text: str) -> "Note":
        self.told.append(f"{text} started")
        return Note(self, text)


class Note:
    def __init__(self, recorder: Recorder, text: str) -> None:
        self.recorder = recorder
        self.text = text

    def ended(self, ending: RequestFinished) -> None:
        outcome = ending.error_type or ending.status
        self.recorder.told.append(f"{self.text} ended {outcome} {ending.seconds:g} s")


async def test_calls_and_attempts_are_told_nested_and_with_their_times() -> None:
    clock = ManualClock(chances=[1.0])
    recorder = Recorder()
    transport = ScriptedTransport(clock=clock)
    route = transport.on("GET", "/v1").fail(ConnectionResetError())
    route.reply(delay=2)
    async with HTTPClient(instruments=[recorder], exchange=transport, clock=clock) as client:
        await clock.run(client.get(URL))
    assert recorder.told == [
        "call GET https://api.example/v1?token=*** started",
        "attempt 0 started",
        "attempt 0 ended HTTPConnectionError.disconnected 0 s",
        "attempt 1 started",
        "attempt 1 ended 200 2 s",
        "call GET https://api.example/v1?token=*** ended 200 2.05 s",
    ]


@pytest.mark.parametrize(
    ("config", "attempt_ended"),
    [
        ({"timeout": 3.0}, "HTTPTimeoutError.total 3 s"),
        ({"timeout": 9.0, "attempt_timeout": 3.0}, "HTTPTimeoutError.read 3 s"),
    ],
)
async def test_an_attempt_that_a_time_limit_cuts_off_timed_out(
    config: dict[str, float], attempt_ended: str
) -> None:
    clock = ManualClock()
    recorder = Recorder()
    transport = ScriptedTransport(clock=clock)
    transport.on("POST", "/v1").hang()
    async with HTTPClient(instruments=[recorder], exchange=transport, clock=clock) as client:
        call = client.post(
            URL, timeout=config["timeout"], attempt_timeout=config.get("attempt_timeout")
        )
        await clock.run(call)
    assert recorder.told[2] == f"attempt 0 ended {attempt_ended}"
    assert recorder.told[3].endswith(f"ended {attempt_ended}")


class TaskOfItsOwn:
    """A breaker of others that runs what it guards in a task, if there is time for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wait_for(func(*args, **kwargs), self._seconds)


@pytest.mark.parametrize(("seconds", "told"), [(1.0, 1), (0.0, 0)])
async def test_an_attempt_begins_and_ends_in_one_task_or_not_at_all(
    seconds: float, told: int
) -> None:
    tasks: list[asyncio.Task[object] | None] = []

    class Placed:
        def call_started(self, call: RequestStarted) -> None:
            return None

        def attempt_started(self, attempt: RequestStarted) -> "Placed":
            tasks.append(asyncio.current_task())
            return self

        def ended(self, ending: RequestFinished) -> None:
            tasks.append(asyncio.current_task())

    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    breaker = TaskOfItsOwn(seconds)
    async with HTTPClient(
        HTTPClientConfig(total=True),
        instruments=[Placed()],
        circuit_breaker=breaker,
        exchange=transport,
    ) as client:
        await client.get(URL)
    assert len(tasks) == 2 * told
    assert len(set(tasks)) == told


async def test_a_cancelled_call_ends_as_cancelled() -> None:
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").hang()
    async with HTTPClient(instruments=[recorder], exchange=transport) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(URL, attempt_timeout=60), 0.01)
    assert [line.split()[-3] for line in recorder.told[2:]] == ["cancelled", "cancelled"]


async def test_stopping_the_client_ends_a_call_as_closed() -> None:
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").hang()
    client = HTTPClient(instruments=[recorder], exchange=transport)
    await client.start()
    call = asyncio.create_task(client.get(URL))
    await ManualClock().settle()
    await client.stop()
    assert (await call).failure().label == "closed"
    assert " HTTPConnectionError.closed " in recorder.told[-1]


async def test_a_request_that_no_route_takes_ends_its_observations_too() -> None:
    recorder = Recorder()
    async with HTTPClient(instruments=[recorder], exchange=ScriptedTransport()) as client:
        with pytest.raises(UnmatchedRequestError):
            await client.get(URL)
    assert len(recorder.told) == 4


async def test_several_instruments_are_nested_and_may_each_add_header_fields() -> None:
    order: list[str] = []

    class Ordered(Recorder):
        def __init__(self, name: str) -> None:
            super().__init__({f"X-{name}": name, "X-Mine": "theirs"})
            self.told = order
            self._name = name

        def _note(self, text: str) -> Note:
            return super()._note(f"{self._name} {text.partition(' ')[0]}")

    transport = ScriptedTransport()
    route = transport.on("GET", "/v1").reply()
    async with HTTPClient(instruments=[Ordered("a"), Ordered("b")], exchange=transport) as client:
        await client.get(URL, headers={"x-mine": "mine", "X-Other": "stays"})
    assert [" ".join(line.split()[:3]) for line in order] == [
        *("a call started", "b call started", "a attempt started", "b attempt started"),
        *("b attempt ended", "a attempt ended", "b call ended", "a call ended"),
    ]
    fields = {"X-a": "a", "X-b": "b", "X-Mine": "theirs", "X-Other": "stays"}
    assert dict(route.calls[0].headers) == fields


@pytest.mark.parametrize(
    "added",
    [
        {"traceparent": "a\r\nHost: evil"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Length": "7"},
    ],
)
async def test_header_fields_that_cannot_be_sent_are_left_out(added: dict[str, str]) -> None:
    transport = ScriptedTransport()
    route = transport.on("GET", "/v1").reply()
    instrument = Recorder(added)
    async with HTTPClient(instruments=[instrument], exchange=transport) as client:
        (await client.get(URL)).unwrap()
    assert not route.calls[0].headers


class Broken:
    """Raises wherever it can."""

    def call_started(self, call: RequestStarted) -> "Broken":
        raise KeyError(str(call.url))

    def attempt_started(self, attempt: RequestStarted) -> "Broken":
        return self

    def ended(self, ending: RequestFinished) -> None:
        raise KeyError(ending)


async def test_an_instrument_that_raises_is_logged_and_touches_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    instruments: list[InstrumentProtocol] = [Broken(), recorder]
    with caplog.at_level(logging.WARNING, "railhttp"):
        async with HTTPClient(instruments=instruments, exchange=transport) as client:
            (await client.get(URL)).unwrap()
    assert caplog.messages == ["Broken raised KeyError", "Broken raised KeyError"]
    assert len(recorder.told) == 4


class BrokenLater:
    """Raises for each event of a call, each redirect and each end of a body."""

    def call_started(self, call: RequestStarted) -> "BrokenLater":
        return self

    def attempt_started(self, attempt: RequestStarted) -> "BrokenLater":
        return self

    def ended(self, ending: RequestFinished) -> None:
        pass

    def redirected(self, answer: HttpResponse, hop: RequestStarted) -> None:
        raise KeyError(answer)

    def body_ended(self, ending: RequestFinished) -> None:
        raise KeyError(ending)

    def event_occurred(self, event: LayerEvent) -> None:
        raise KeyError(event)


async def test_an_instrument_that_raises_later_is_logged_and_touches_nothing_either(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(302, headers={"Location": "/v2"})
    transport.on("GET", "/v2").reply(body=b"x")
    with caplog.at_level(logging.WARNING, "railhttp"):
        async with (
            HTTPClient(instruments=[BrokenLater()], exchange=transport) as client,
            client.stream("GET", URL) as response,
        ):
            assert await response.read() == b"x"
    # The event and the redirect, and the end of the body for the attempt and for the call.
    assert caplog.messages == ["BrokenLater raised KeyError"] * 4
    assert "s3cret" not in caplog.text


def test_without_instruments_and_log_nothing_is_done() -> None:
    assert Instruments().listening() is None
    assert Instruments([Recorder()]).listening() is not None


# -- what interceptors see of a call --------------------------------------------------------


class Watching(RequestInterceptor):
    """Writes down what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[RequestContext] = []

    async def prepare(self, context: RequestContext) -> None:
        self.seen.append(context)


async def seen_of(method: str, **options: object) -> list[RequestContext]:
    transport = ScriptedTransport()
    transport.on(method, "/v1").fail(HTTPConnectionError(kind="connect"), at="connect").reply()
    watching = Watching()
    async with HTTPClient(interceptors=[watching], exchange=transport) as client:
        await client.request(method, URL, **options)  # type: ignore[arg-type]  # a row of a table
    return watching.seen


@pytest.mark.parametrize(
    ("options", "body"),
    [({}, b""), ({"json": [1]}, b"[1]"), ({"data": b"abc"}, b"abc"), ({"data": [b"abc"]}, None)],
)
async def test_an_interceptor_sees_the_body_that_is_in_memory(
    options: dict[str, object], body: bytes | None
) -> None:
    assert [context.body for context in await seen_of("POST", **options)] == [body, body]


async def test_the_attempts_of_a_call_have_one_id_and_calls_have_different_ones() -> None:
    first, second = await seen_of("GET"), await seen_of("GET")
    assert [context.attempt for context in first] == [0, 1]
    assert first[0].call_id == first[1].call_id
    assert len({first[0].call_id, second[0].call_id}) == 2


class Following:
    """Writes down when the body of a call has ended, and how long the call took."""

    def __init__(self, name: str, told: list[tuple[str, float]]) -> None:
        self._name = name
        self._told = told

    def call_started(self, call: RequestStarted) -> "Following":
        return self

    def attempt_started(self, attempt: RequestStarted) -> "Following":
        return Following(f"{self._name} attempt", self._told)

    def ended(self, finished: RequestFinished) -> None:
        self._told.append((f"{self._name} head", finished.seconds))

    def body_ended(self, finished: RequestFinished) -> None:
        self._told.append((f"{self._name} body", finished.seconds))


async def test_the_ends_of_a_stream_are_reported_to_the_last_instrument_first() -> None:
    clock = ManualClock()
    told: list[tuple[str, float]] = []
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").reply(200, body=b"ab", delay=2.0)
    instruments = [Following("first", told), Following("second", told)]

    async def read() -> None:
        async with (
            HTTPClient(instruments=instruments, exchange=transport, clock=clock) as client,
            client.stream("GET", URL) as chunks,
        ):
            await clock.sleep(3.0)
            assert [chunk async for chunk in chunks] == [b"ab"]

    await clock.run(read())
    order = ["second attempt", "first attempt", "second", "first"]
    heads, bodies = (
        [(f"{name} head", 2.0) for name in order],
        [(f"{name} body", 5.0) for name in order],
    )
    assert told == heads + bodies


class Hopping:
    """Keeps what it is passed at each redirect."""

    def __init__(self) -> None:
        self.hops: list[tuple[int, RequestStarted]] = []

    def call_started(self, call: RequestStarted) -> None: ...

    def attempt_started(self, attempt: RequestStarted) -> "Hopping":
        return self

    def ended(self, finished: RequestFinished) -> None: ...

    def redirected(self, answer: HttpResponse, hop: RequestStarted) -> None:
        hop.added["X-Hop"] = str(len(self.hops))
        self.hops.append((answer.status, hop))


async def test_a_redirect_belongs_to_its_attempt_and_is_one_more_send() -> None:
    hopping, script = Hopping(), ScriptedTransport()
    script.on("GET", "/a").reply(302, headers={"Location": "/b"})
    script.on("GET", "/b").reply(307, headers={"Location": "/c"})
    script.on("GET", "/c").reply(503).reply(200)
    policy = RetryPolicy(2, base_delay=0)
    async with HTTPClient(exchange=script, instruments=[hopping], retry_policy=policy) as client:
        (await client.get("http://h/a")).unwrap()
    seen = [(status, hop.shown_url, hop.attempt, hop.resends) for status, hop in hopping.hops]
    assert seen == [
        (302, "http://h/b", 0, 1),
        (307, "http://h/c", 0, 2),
        (302, "http://h/b", 1, 4),
        (307, "http://h/c", 1, 5),
    ]
    sent = [call.headers.get("X-Hop") for call in script.calls]
    assert sent == [None, "0", "1", None, "2", "3"]


def test_the_phases_of_a_redirect_are_not_those_of_the_next_request() -> None:
    clock = ManualClock()
    request = Request("GET", Target.of(yarl.URL("http://h/")), None, None, None, SendOptions())
    call = HTTPCall(request, "http://h", clock, None, None)
    call.timer = PhaseTimer(clock.monotonic)
    began = call.timer.now()
    call.timer.ended("tcp", began)
    assert call.timings.tcp is not None
    assert observed_redirect(call, HttpResponse(302), request) is request
    assert call.sends == 1
    assert call.timings.tcp is None


def test_a_client_without_instruments_has_none_whatever_the_log() -> None:
    assert Instruments().is_empty is True
    assert Instruments([Hopping()]).is_empty is False
