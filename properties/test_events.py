"""Any trace of calls gives well-nested events that add up, whatever happens to the calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Result

from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import (
    HTTPCircuitOpenError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.testing import ManualClock, ScriptedRoute, ScriptedTransport
from railhttp.testing.strategies import failures

Play: TypeAlias = Callable[[ScriptedRoute], object]
Outcome: TypeAlias = Result[HttpResponse, HTTPFailure] | None

places = st.sampled_from(["connect", "head", "body"])
steps: st.SearchStrategy[Play] = st.one_of(
    st.builds(
        lambda status, delay: lambda route: route.reply(status, delay=delay),
        st.sampled_from([200, 204, 304, 404, 429, 503]),
        st.sampled_from([0.0, 0.5, 3.0]),
    ),
    st.builds(lambda error, at: lambda route: route.fail(error, at), failures(), places),
    st.builds(lambda at: lambda route: route.hang(at), places),
)


@dataclass(frozen=True)
class Plan:
    """One call: what becomes of its attempts, and what it allows them."""

    method: str
    script: tuple[Play, ...]
    timeout: float | None
    attempt_timeout: float | None
    cancelled_after: float | None


plans = st.builds(
    Plan,
    st.sampled_from(["GET", "POST"]),
    st.lists(steps, min_size=1, max_size=4).map(tuple),
    st.sampled_from([1.0, 10.0]),
    st.sampled_from([None, 0.7]),
    st.sampled_from([None, None, 0.3]),
)


class Trace:
    """An instrument that keeps who began and ended when."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, RequestFinished | None]] = []

    def call_started(self, call: RequestStarted) -> "Line":
        return Line(self, "call", call)

    def attempt_started(self, attempt: RequestStarted) -> "Line":
        return Line(self, "attempt", attempt)


class Line:
    def __init__(self, trace: Trace, unit: str, dispatch: RequestStarted) -> None:
        self.trace, self.unit, self.path = trace, unit, dispatch.url.path
        trace.lines.append((self.path, unit, None))

    def ended(self, ending: RequestFinished) -> None:
        self.trace.lines.append((self.path, self.unit, ending))


async def perform(
    planned: list[Plan],
) -> tuple[list[HTTPEvent], Trace, ScriptedTransport, list[Outcome]]:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    events: list[HTTPEvent] = []
    trace = Trace()
    async with HTTPClient(
        observers=[events.append], instruments=[trace], exchange=script, clock=clock
    ) as client:

        async def call(number: int, plan: Plan) -> Outcome:
            route = script.on(plan.method, f"/{number}")
            for play in plan.script:
                play(route)
            options: RequestOptions = {
                "timeout": plan.timeout,
                "attempt_timeout": plan.attempt_timeout,
            }
            verb = client.get if plan.method == "GET" else client.post
            task = asyncio.ensure_future(verb(f"http://h/{number}", **options))
            if plan.cancelled_after is not None:
                clock.call_later(plan.cancelled_after, lambda: cancel(task))
            try:
                return await task
            except asyncio.CancelledError:
                return None
            except (HTTPCircuitOpenError, HTTPRetryExhaustedError) as signal:
                return Failure(signal)

        outcomes = await clock.run(
            asyncio.gather(*(call(number, plan) for number, plan in enumerate(planned)))
        )
    return events, trace, script, outcomes


def cancel(task: asyncio.Future[Result[HttpResponse, HTTPFailure]]) -> None:
    task.cancel()


def at(number: int) -> Callable[[HTTPEvent], bool]:
    return lambda event: event.url == f"http://h/{number}"


@settings(max_examples=60)
@given(st.lists(plans, min_size=1, max_size=4))
def test_the_events_of_each_call_are_well_nested_and_add_up(planned: list[Plan]) -> None:
    events, _, script, outcomes = asyncio.run(perform(planned))
    for number, outcome in enumerate(outcomes):
        mine = list(filter(at(number), events))
        sent = [event for event in mine if isinstance(event, HTTPRequestSentHook)]
        assert len(sent) == script.routes[number].called
        hooks = [
            event
            for event in mine
            if isinstance(event, HTTPRequestSentHook | HTTPResponseReceivedHook)
        ]
        for before, event in pairwise(hooks):
            if isinstance(event, HTTPResponseReceivedHook):
                assert isinstance(before, HTTPRequestSentHook)
        last = mine[len(hooks) :]
        assert mine[: len(hooks)] == hooks  # what ends the call comes after its hooks
        assert [type(event) for event in last] == expected_end(outcome, len(sent))


def expected_end(outcome: Outcome, attempts: int) -> list[type[HTTPEvent]]:
    if outcome is None:
        return []
    if is_successful(outcome):
        return [RequestCompletedEvent]
    match outcome.failure():
        case HTTPStatusError():
            return [RequestCompletedEvent]
        case HTTPTimeoutError():
            return [RequestTimeoutEvent]
        case HTTPRetryExhaustedError():
            return [RequestRetryExhaustedEvent]
        case _:
            return [RequestRetryExhaustedEvent] if attempts > 1 else []


@settings(max_examples=60)
@given(st.lists(plans, min_size=1, max_size=4))
def test_instruments_hear_of_each_beginning_one_end_and_the_times_add_up(
    planned: list[Plan],
) -> None:
    _, trace, script, outcomes = asyncio.run(perform(planned))
    for number, outcome in enumerate(outcomes):
        lines = [(unit, ending) for path, unit, ending in trace.lines if path == f"/{number}"]
        if not lines:
            assert outcome is None  # cancelled before it began
            continue
        attempts = script.routes[number].called
        assert [unit for unit, _ in lines] == ["call", *["attempt"] * 2 * attempts, "call"]
        endings = [ending for _, ending in lines[2:-1:2]]
        assert all(ending is not None for ending in endings)
        whole = lines[-1][1]
        assert whole is not None
        assert whole.attempts == attempts
        parts = sum(ending.seconds for ending in endings if ending is not None)
        assert parts <= whole.seconds + 1e-9
        assert (whole.error_type == "cancelled") == (outcome is None)
