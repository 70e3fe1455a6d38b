"""Reports a call, an attempt and a redirect to the instruments that listen."""

import asyncio

from railhttp.model.errors import FAILURES, HTTPFailure
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.http_call import HTTPCall, Send
from railhttp.pipeline.observation.instruments import RedirectObservationProtocol
from railhttp.pipeline.observation.listeners import Listeners, complain, with_added


async def observed(send: Send, call: HTTPCall, listeners: Listeners) -> HttpResponse:
    """Make a call, and report its beginning and its end."""
    observations = listeners.call_started(call)
    began = call.clock.monotonic()
    try:
        answer = await send(call)
    except BaseException as error:
        listeners.call_failed(call, observations, began, _failure_behind(error, call))
        raise
    listeners.call_answered(call, observations, began, answer)
    return answer


async def observed_attempt(send: Send, call: HTTPCall, listeners: Listeners) -> HttpResponse:
    """Make an attempt, and report its beginning and its end."""
    # A coroutine, so that both are reported in the same task: a foreign breaker may run it in
    # another task, or never.
    observations = listeners.attempt_started(call)
    began = call.clock.monotonic() if observations else 0.0
    try:
        answer = await send(call)
    except BaseException as error:
        if observations:
            listeners.attempt_failed(call, observations, began, _failure_behind(error, call))
        raise
    listeners.attempt_answered(call, observations, began, answer)
    return answer


def _failure_behind(error: BaseException, call: HTTPCall) -> HTTPFailure | None:
    if isinstance(error, FAILURES):
        return error
    return call.cut_off(error) if isinstance(error, asyncio.CancelledError) else None


def observed_redirect(call: HTTPCall, answer: HttpResponse, request: Request) -> Request:
    """Report a redirect, and return the next request, with the fields that instruments add."""
    call.sends += 1
    if call.timer is not None:
        call.timer = PhaseTimer(call.timer.now)
    if not call.observations:
        return request
    hop = call.started_event(call.attempts - 1, request)
    for observation in call.observations:
        if isinstance(observation, RedirectObservationProtocol):
            try:
                observation.redirected(answer, hop)
            except Exception as error:  # noqa: BLE001  # an instrument never breaks a call
                complain(observation, error)
    return with_added(request, hop.added) if hop.added else request
