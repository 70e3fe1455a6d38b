"""A call and its attempts: what each stage proves, and what several of them prove together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, ParamSpec, TypeVar

import pytest
from yarl import URL

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInterceptorError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    InterceptorChain,
)
from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.call import HTTPCall, Send
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.layers import Settings, build
from railhttp.pipeline.stack import Stack
from railhttp.pipeline.timeouts import Timeouts
from railhttp.protocols import IncomingResponse, RetryPolicyProtocol
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
