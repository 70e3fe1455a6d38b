"""A call and its attempts: what each stage proves, and what several of them prove together."""

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest
from yarl import URL

from railhttp import (
    Delivery,
    HTTPClientError,
    HTTPConnectionError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    InterceptorChain,
)
from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import AttemptState, Stage
from railhttp.pipeline.call import Call, Layers
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.observation.instruments import Instruments
from railhttp.pipeline.timeouts import Watchdog
from railhttp.protocols import IncomingResponse
from railhttp.transport.request_body import read_stream

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


def call_of(
    exchange: ScriptedExchange,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: Body | None = None,
    attempt_timeout: float | None = None,
) -> Call:
    layers = Layers(
        exchange,
        SYSTEM_CLOCK,
        Watchdog(SYSTEM_CLOCK),
        InterceptorChain(),
        None,
        frozenset(),
        Instruments(),
        read_stream,
    )
    request = Request(method, URL_OF_ALL, headers, body, None, SendOptions())
    return Call(request, "http://h", layers, None, attempt_timeout)


@pytest.mark.parametrize("stage", Stage)
async def test_each_stage_proves_something(stage: Stage) -> None:
    call = call_of(ScriptedExchange((stage, None)))
    assert (call.delivery, call.attempts, call.sends) == (Delivery.NOT_SENT, 0, 0)
    with pytest.raises(HTTPConnectionError) as caught:
        await call()
    assert (caught.value.delivery, call.attempts, call.sends) == (stage.delivery, 1, 1)
    assert call.failures == (caught.value,)


async def test_what_one_attempt_proves_the_next_does_not_undo() -> None:
    stages = (Stage.QUEUED, Stage.SENDING, Stage.CONNECTING, Stage.ANSWERED, Stage.QUEUED)
    call = call_of(ScriptedExchange(*((stage, None) for stage in stages)))
    for _ in stages:
        with pytest.raises(HTTPConnectionError):
            await call()
    not_sent, maybe, answered = Delivery
    assert [one.delivery for one in call.failures] == [not_sent, maybe, maybe, answered, answered]
    assert [one.attempts for one in call.failures] == [1, 2, 3, 4, 5]
    with pytest.raises(HTTPRetryExhaustedError) as exhausted:
        call.given_up(KeyError())
    assert exhausted.value.failures == call.failures


@pytest.mark.parametrize(
    ("stage", "phase"),
    [
        (Stage.QUEUED, "pool"),
        (Stage.CONNECTING, "connect"),
        (Stage.SENDING, "read"),
        (Stage.ANSWERED, "read"),
    ],
)
async def test_an_attempt_that_takes_too_long_says_where_it_stood(stage: Stage, phase: str) -> None:
    call = call_of(ScriptedExchange((stage, 0)), attempt_timeout=0.01)
    with pytest.raises(HTTPTimeoutError) as caught:
        await call()
    assert (caught.value.phase, caught.value.delivery) == (phase, stage.delivery)
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
    call = call_of(ScriptedExchange(), method=method, headers=headers, body=body)
    assert (call.repeatable, call.replayable) == (repeatable, replayable)


@pytest.mark.parametrize(
    ("script", "label"),
    [((), "HTTPCircuitOpenError"), (((Stage.ANSWERED, 200),), "HTTPInterceptorError")],
)
async def test_what_a_policy_means_by_an_exception_of_its_own(
    script: tuple[tuple[Stage, int | None], ...], label: str
) -> None:
    call = call_of(ScriptedExchange(*script))
    for _ in script:
        assert (await call()).status == 200
    with pytest.raises(HTTPClientError) as caught:
        call.given_up(KeyError())
    assert type(caught.value).__name__ == label


async def test_a_policy_that_gives_up_on_a_bad_answer_leaves_it() -> None:
    call = call_of(ScriptedExchange((Stage.ANSWERED, 503)))
    answer = await call()
    assert call.given_up(KeyError()) is answer
