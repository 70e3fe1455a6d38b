"""A call and its attempts: what each stage proves, and what several of them prove together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from math import inf
from typing import Final, ParamSpec, TypeVar

import pytest
from tests.patience import until
from yarl import URL

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInterceptorError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    InterceptorChain,
    RetryPolicy,
)
from railhttp.events import RequestStarted
from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall, Send
from railhttp.pipeline.layers import Settings, build
from railhttp.pipeline.stack import Stack
from railhttp.pipeline.timeouts import Timeouts
from railhttp.protocols import IncomingResponse, RetryPolicyProtocol
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.transport.request_body import read_stream

T = TypeVar("T")
P = ParamSpec("P")

URL_OF_ALL: Final = URL("http://h/?token=s3cret")


class ScriptedExchange:
    """Brings each attempt to a stage, and fails there or, with a status, answers."""

    def __init__(self, *script: tuple[Stage, int | None]) -> None:
        self._script: Iterator[tuple[Stage, int | None]] = iter(script)

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        progress.stage, status = next(self._script)
        if status == 0:
            await asyncio.Event().wait()
        if status is None:
            raise HTTPConnectionError(
                "scripted",
                kind="disconnected",
                delivery=progress.delivery,
                attempts=progress.attempts,
            )
        return HttpResponse(status or 200)

    async def open(self, request: Request, progress: AttemptState) -> IncomingResponse:
        raise NotImplementedError


class Recorded:
    """A retry policy of another library: it makes some attempts, and keeps what they raised."""

    def __init__(self, attempts: int, gives_up_with: Exception | None = None) -> None:
        self._attempts = attempts
        self._error = gives_up_with
        self.failures: list[HTTPClientError] = []

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        answers: list[T] = []
        for _ in range(self._attempts):
            try:
                answers.append(await func(*args, **kwargs))
            except HTTPClientError as failure:
                self.failures.append(failure)
        if self._error is not None:
            raise self._error
        return answers[-1] if answers else await func(*args, **kwargs)


def call_of(
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: Body | None = None,
    attempt_timeout: float | None = None,
) -> HTTPCall:
    request = Request(method, URL_OF_ALL, headers, body, None, SendOptions())
    return HTTPCall(request, "http://h", SYSTEM_CLOCK, None, attempt_timeout)


def chain_of(exchange: ScriptedExchange, policy: RetryPolicyProtocol | None = None) -> Send:
    stack, timeouts = Stack(retry=policy), Timeouts(SYSTEM_CLOCK)
    settings = Settings(stack, timeouts, InterceptorChain(), frozenset(), read_stream)
    return build(exchange.send, settings)


@pytest.mark.parametrize("stage", Stage)
async def test_each_stage_proves_something(stage: Stage) -> None:
    call, send = call_of(), chain_of(ScriptedExchange((stage, None)))
    assert (call.delivery, call.attempts) == (Delivery.NOT_SENT, 0)
    with pytest.raises(HTTPConnectionError) as caught:
        await send(call)
    assert (caught.value.delivery, call.attempts) == (stage.delivery, 1)


async def test_what_one_attempt_proves_the_next_does_not_undo() -> None:
    stages = (Stage.QUEUED, Stage.SENDING, Stage.CONNECTING, Stage.ANSWERED, Stage.QUEUED)
    policy = Recorded(len(stages), KeyError())
    send = chain_of(ScriptedExchange(*((stage, None) for stage in stages)), policy)
    with pytest.raises(HTTPRetryExhaustedError) as exhausted:
        await send(call_of())
    not_sent, maybe, answered = Delivery
    deliveries = [not_sent, maybe, maybe, answered, answered]
    assert [one.delivery for one in policy.failures] == deliveries
    assert [one.attempts for one in policy.failures] == [1, 2, 3, 4, 5]
    assert list(exhausted.value.failures) == policy.failures


@pytest.mark.parametrize(
    ("stage", "phase"),
    [
        (Stage.QUEUED, "pool"),
        (Stage.CONNECTING, "connect"),
        (Stage.SENDING, "read"),
        (Stage.ANSWERED, "read"),
    ],
)
async def test_an_attempt_that_takes_too_long_names_its_stage(stage: Stage, phase: str) -> None:
    send = chain_of(ScriptedExchange((stage, 0)))
    with pytest.raises(HTTPTimeoutError) as caught:
        await send(call_of(attempt_timeout=0.01))
    assert (caught.value.phase, caught.value.delivery) == (phase, stage.delivery)
    assert caught.value.message == "not done within 0.01s"
    assert caught.value.url == "http://h/?token=***"


ONCE: Final = StreamBody((iter([b"a"]),), "")
AGAIN: Final = BytesBody(b"a", "")


@pytest.mark.parametrize(
    ("method", "headers", "body", "repeatable", "replayable"),
    [
        ("GET", None, None, True, True),
        ("PUT", None, AGAIN, True, True),
        ("PUT", None, ONCE, False, False),
        ("DELETE", None, None, True, True),
        ("POST", None, AGAIN, False, True),
        ("PATCH", {}, None, False, True),
        ("POST", {"idempotency-key": "7"}, AGAIN, True, True),
        ("POST", {"Idempotency-Key": "7"}, ONCE, False, False),
        ("CUSTOM", None, None, False, True),
    ],
)
def test_what_may_be_sent_again(
    method: str,
    headers: dict[str, str] | None,
    body: Body | None,
    repeatable: bool,
    replayable: bool,
) -> None:
    call = call_of(method=method, headers=headers, body=body)
    assert (call.repeatable, call.replayable) == (repeatable, replayable)


@pytest.mark.parametrize(
    ("script", "meaning"),
    [((), HTTPCircuitOpenError), (((Stage.ANSWERED, 200),), HTTPInterceptorError)],
)
async def test_an_exception_of_a_policy_means_what_the_call_has_seen(
    script: tuple[tuple[Stage, int | None], ...], meaning: type[HTTPClientError]
) -> None:
    send = chain_of(ScriptedExchange(*script), Recorded(len(script), KeyError()))
    with pytest.raises(meaning):
        await send(call_of())


async def test_a_policy_that_gives_up_on_a_bad_response_leaves_it() -> None:
    send = chain_of(ScriptedExchange((Stage.ANSWERED, 503)), Recorded(1, KeyError()))
    assert (await send(call_of())).status == 503


def test_another_attempt_is_no_further_send_of_the_one_before() -> None:
    """An interceptor may fail after it asked for a further send, which then never came."""
    call = call_of()
    call.resend()
    assert call.is_resend
    call.begin_again()
    assert not call.is_resend


def test_a_response_that_was_discarded_is_not_open() -> None:
    class Released:
        is_closed = False

        def close(self) -> None:
            self.is_closed = True

    call, incoming = call_of(), Released()
    call.incoming = incoming  # type: ignore[assignment]  # it is closed, and no more
    call.discard()
    assert incoming.is_closed
    with pytest.raises(HTTPInterceptorError):
        call.opened()


def test_a_plain_function_is_a_call_without_a_request() -> None:
    call = Call(SYSTEM_CLOCK, timeout=5.0)
    assert (call.method, call.origin, call.shown_url) == ("", "", "")
    assert (call.attempts, call.delivery, call.phase) == (0, Delivery.NOT_SENT, "read")
    assert (call.repeatable, call.replayable) == (True, True)
    assert call.identity() == {"method": "", "url": "", "call_id": call.call_id}
    assert len(call.call_id) == 32
    assert call.deadline == call.started + 5.0
    call.attempts = 1
    assert call.call_info() == {"delivery": Delivery.MAYBE_SENT, "attempts": 1}


@pytest.mark.parametrize(
    ("first", "second", "limit"), [(5.0, 3.0, 3.0), (3.0, 5.0, 3.0), (3.0, 3.0, 3.0)]
)
def test_a_nearer_deadline_names_its_own_limit(first: float, second: float, limit: float) -> None:
    clock = ManualClock(now=7.0)
    call = Call(clock, timeout=first)
    call.tighten(None)
    assert (call.timeout, call.deadline) == (first, 7.0 + first)
    call.tighten(second)
    assert (call.timeout, call.deadline) == (limit, 7.0 + limit)
    assert call.remaining() == limit
    failure = call.timed_out()
    assert (failure.phase, failure.limit) == ("total", limit)


def test_a_call_without_a_deadline_gets_one() -> None:
    clock = ManualClock(now=7.0)
    call = Call(clock)
    assert (call.deadline, call.remaining()) == (None, inf)
    call.tighten(4.0)
    assert (call.timeout, call.deadline) == (4.0, 11.0)


def test_the_failure_of_a_wait_for_a_connection_says_why_none_is_free() -> None:
    call = call_of(attempt_timeout=2.0)
    call.starvation = lambda: "all are busy"
    assert call.attempt_timed_out().message.endswith(": all are busy")
    assert call.timed_out().message.endswith(": all are busy")
    call.begin_again()
    assert "busy" not in call.timed_out().message


def test_a_stream_that_is_opened_again_is_one_piece_of_work() -> None:
    clock = ManualClock(now=7.0)
    request = Request("GET", URL_OF_ALL, None, None, None, SendOptions())
    earlier = HTTPCall(request, "http://h", clock, None, None)
    earlier.attempts, earlier.stage = 2, Stage.ANSWERED
    number = earlier.call_id
    later = HTTPCall(request, "http://h", clock, None, None)
    later.started = 9.0
    later.continue_from(earlier)
    assert (later.started, later.attempts, later.call_id) == (7.0, 2, number)
    assert (later.stage, later.delivery) == (Stage.QUEUED, Delivery.ANSWERED)
    assert later.call_info()["attempts"] == 2


async def test_the_beginning_of_a_call_is_no_attempt() -> None:
    class Watching:
        def __init__(self) -> None:
            self.seen: list[tuple[str, int, int]] = []

        def call_started(self, call: RequestStarted) -> None:
            self.seen.append(("call", call.attempt, call.resends))

        def attempt_started(self, attempt: RequestStarted) -> None:
            self.seen.append(("attempt", attempt.attempt, attempt.resends))

    watching, script = Watching(), ScriptedTransport()
    script.on("GET", "/").reply(503).reply(200)
    policy = RetryPolicy(2, base_delay=0)
    async with HTTPClient(exchange=script, instruments=[watching], retry_policy=policy) as client:
        (await client.get("http://h/")).unwrap()
    assert watching.seen == [("call", 0, 0), ("attempt", 0, 0), ("attempt", 1, 1)]


async def test_a_client_that_was_stopped_says_so() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").hang()
    async with HTTPClient(exchange=script) as client:
        call = asyncio.ensure_future(client.get("http://h/"))
        await until(lambda: bool(script.calls))
    failure = (await call).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.message) == ("closed", "the client was stopped")
