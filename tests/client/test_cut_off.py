"""A time limit ends a call by cancelling it; breakers and instruments hear of a timeout."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

import pytest
from tests.client.hurried_clock import HurriedClock
from tests.patience import until
from tests.servers.faults import FaultServer

from railhttp import (
    CircuitBreaker,
    CircuitBreakerProtocol,
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    RequestContext,
    ResiliencePipeline,
    RetryPolicy,
)
from railhttp.events import CircuitChangedEvent, HTTPEvent, RequestFinished, RequestStarted
from railhttp.model.response import HttpResponse
from railhttp.resilience import AttemptTimeout
from railhttp.testing import ManualClock, ScriptedTransport

T = TypeVar("T")
P = ParamSpec("P")

SHORT = 0.05
ONCE = RetryPolicy(1)


def settings(timeout: float | None = 30.0, attempt: float | None = None) -> HTTPClientConfig:
    return HTTPClientConfig(trust_env=False, total=True, timeout=timeout, attempt_timeout=attempt)


class Endings:
    """An instrument that notes how attempts ended."""

    def __init__(self) -> None:
        self.noted: list[str | None] = []

    def call_started(self, call: RequestStarted) -> None:
        return None

    def attempt_started(self, attempt: RequestStarted) -> "Endings":
        return self

    def ended(self, ending: RequestFinished) -> None:
        self.noted.append(ending.error_type)


def by_client(breaker: CircuitBreaker, config: HTTPClientConfig, heard: Endings) -> HTTPClient:
    return HTTPClient(config, retry_policy=ONCE, circuit_breaker=breaker, instruments=[heard])


def by_pipeline(pipeline: ResiliencePipeline, config: HTTPClientConfig, to: Endings) -> HTTPClient:
    return HTTPClient(config, resilience=pipeline, instruments=[to])


LIMITS: dict[str, tuple[str, Callable[[CircuitBreaker, Endings], HTTPClient]]] = {
    "the call's": ("total", lambda b, e: by_client(b, settings(SHORT), e)),
    "the attempt's": ("read", lambda b, e: by_client(b, settings(attempt=SHORT), e)),
    "the call's, and a pipeline": (
        "total",
        lambda b, e: by_pipeline(ResiliencePipeline.standard(breaker=b), settings(SHORT), e),
    ),
    "a pipeline's": (
        "total",
        lambda b, e: by_pipeline(ResiliencePipeline(b, total=SHORT), settings(), e),
    ),
    "a pipeline's for an attempt": (
        "read",
        lambda b, e: by_pipeline(ResiliencePipeline(b, AttemptTimeout(SHORT)), settings(), e),
    ),
    "an attempt's inside a pipeline": (
        "read",
        lambda b, e: by_pipeline(ResiliencePipeline(b), settings(attempt=SHORT), e),
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_host_that_hangs_opens_its_circuit(faults: FaultServer, limit: str) -> None:
    phase, client_of = LIMITS[limit]
    breaker, heard = CircuitBreaker(2), Endings()
    async with client_of(breaker, heard) as client:
        for _ in range(2):
            failure = (await client.get(faults.url("/stall-before-head"))).failure()
            assert isinstance(failure, HTTPTimeoutError)
            assert failure.phase == phase
    assert breaker.state == "open"
    assert heard.noted == [f"HTTPTimeoutError.{phase}"] * 2


async def test_a_call_that_is_cut_off_reports_the_circuit_that_it_opens() -> None:
    clock, events = ManualClock(), list[HTTPEvent]()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").hang()
    async with HTTPClient(
        settings(5.0),
        retry_policy=ONCE,
        circuit_breaker=CircuitBreaker(1, name="stock"),
        observers=[events.append],
        exchange=script,
        clock=clock,
    ) as client:
        failure = (await clock.run(client.get("http://h/"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert [event.after for event in events if isinstance(event, CircuitChangedEvent)] == ["open"]


async def test_a_probe_that_hangs_opens_the_circuit_again(faults: FaultServer) -> None:
    breaker = CircuitBreaker(1, recovery_timeout=0.01)
    async with by_client(breaker, settings(SHORT), Endings()) as client:
        await client.get(faults.url("/stall-before-head"))
        await asyncio.sleep(0.02)
        await client.get(faults.url("/stall-before-head"))
    assert breaker.state == "open"


@pytest.mark.parametrize("limit", ["the call's", "a pipeline's"])
async def test_waiting_for_our_own_pool_says_nothing_of_the_host(
    faults: FaultServer, limit: str
) -> None:
    breaker = CircuitBreaker(1)
    async with LIMITS[limit][1](breaker, Endings()) as client:
        client.pool = type(client.pool).from_config(ConnectionPoolConfig(max_connections=1))
        await client.start()
        async with client.stream("GET", faults.url("/stall-in-body"), timeout=10.0):
            failure = (await client.get(faults.url())).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert breaker.state == "closed"


async def test_an_attempt_cut_in_the_queue_is_cut_in_the_phase_pool(faults: FaultServer) -> None:
    breaker = CircuitBreaker(1)
    pipeline = ResiliencePipeline(breaker, AttemptTimeout(SHORT))
    config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), trust_env=False, total=True)
    async with (
        HTTPClient(config, resilience=pipeline) as client,
        HTTPClient(config, client.pool).stream("GET", faults.url("/stall-in-body")),
    ):
        failure = (await client.get(faults.url())).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit, breaker.state) == ("pool", SHORT, "closed")


class Stubborn:
    """A policy of others: tries again whatever happens, and takes its time."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(3):
            with suppress(Exception):
                return await func(*args, **kwargs)
            await asyncio.sleep(0.01)
        raise RuntimeError("gave up")


async def test_no_policy_goes_on_with_a_call_whose_time_is_over(faults: FaultServer) -> None:
    breaker = CircuitBreaker(9)
    for client in (
        HTTPClient(settings(SHORT), retry_policy=Stubborn(), circuit_breaker=breaker),
        HTTPClient(settings(SHORT), resilience=ResiliencePipeline(breaker, Stubborn())),
    ):
        faults.received.clear()
        async with client:
            failure = (await client.get(faults.url("/stall-before-head"))).failure()
        assert isinstance(failure, HTTPTimeoutError)
        assert (failure.phase, len(faults.received)) == ("total", 1)


async def test_attempts_that_a_pipeline_cut_are_remembered(faults: FaultServer) -> None:
    pipeline = ResiliencePipeline(AttemptTimeout(SHORT), Stubborn())
    async with HTTPClient(settings(), resilience=pipeline) as client:
        failure: HTTPFailure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert [one.label for one in failure.failures] == ["read"] * 3


async def test_a_cancellation_of_the_callers_own_is_no_timeout(faults: FaultServer) -> None:
    breaker, heard = CircuitBreaker(1), Endings()
    async with by_client(breaker, settings(), heard) as client:
        task = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (breaker.state, heard.noted) == ("closed", ["cancelled"])


class Nested:
    """An interceptor that makes a call of its own."""

    def __init__(self, client: HTTPClient, url: str) -> None:
        self._client = client
        self._url = url

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        await self._client.get(self._url)
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


async def test_the_limit_of_another_call_says_nothing_of_the_host(faults: FaultServer) -> None:
    breaker, heard = CircuitBreaker(1), Endings()
    async with by_client(breaker, settings(), heard) as inner:
        nested = Nested(inner, faults.url("/stall-before-head"))
        async with HTTPClient(settings(SHORT), interceptors=[nested]) as outer:
            failure = (await outer.get(faults.url())).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (breaker.state, heard.noted) == ("closed", ["cancelled"])


class Listening:
    """A breaker of others, which notes how its calls ended."""

    def __init__(self) -> None:
        self.noted: list[type[BaseException]] = []

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await func(*args, **kwargs)
        except BaseException as error:
            self.noted.append(type(error))
            raise


@pytest.mark.parametrize("in_pipeline", [False, True])
async def test_a_breaker_of_others_learns_that_a_host_hangs_and_the_call_ends(
    faults: FaultServer, in_pipeline: bool
) -> None:
    breaker = Listening()
    async with (
        HTTPClient(settings(SHORT), resilience=ResiliencePipeline(breaker, RetryPolicy()))
        if in_pipeline
        else HTTPClient(settings(SHORT), circuit_breaker=breaker)
    ) as client:
        failure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.attempts) == ("total", 1)
    assert breaker.noted == [HTTPTimeoutError]
    assert len(faults.received) == 1, "no policy goes on after the end"


async def test_a_cancellation_of_the_caller_is_one_for_a_breaker_of_others(
    faults: FaultServer,
) -> None:
    breaker = Listening()
    async with HTTPClient(settings(), circuit_breaker=breaker) as client:
        task = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert breaker.noted == [asyncio.CancelledError]


class Twice:
    """A policy of others that tries twice, and then gives up in its own words."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(2):
            with suppress(HTTPClientError):
                return await func(*args, **kwargs)
        raise RuntimeError("gave up")


@pytest.mark.parametrize("breaker", [None, Listening(), CircuitBreaker()])
async def test_the_end_of_a_call_is_not_the_last_of_several_failures(
    breaker: CircuitBreakerProtocol | None,
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").fail(ConnectionResetError()).hang()
    async with HTTPClient(
        settings(5.0), retry_policy=Twice(), circuit_breaker=breaker, exchange=script, clock=clock
    ) as client:
        failure = (await clock.run(client.get("http://h/"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.attempts) == ("total", 2)


class Deaf:
    """A policy of others that takes even a cancellation for a reason to try again."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(2):
            with suppress(BaseException):
                return await func(*args, **kwargs)
        return await func(*args, **kwargs)


async def test_a_policy_that_swallows_the_end_of_its_call_makes_no_further_attempt(
    faults: FaultServer,
) -> None:
    async with HTTPClient(settings(SHORT), retry_policy=Deaf()) as client:
        failure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit, len(faults.received)) == ("total", SHORT, 1)


class Late(HurriedClock):
    """A clock that a policy can move while it blocks the event loop."""

    blocked = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.blocked


async def test_a_policy_that_fails_after_it_swallowed_the_end_of_its_call_is_not_to_blame(
    faults: FaultServer,
) -> None:
    class Sour:
        async def execute(
            self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            with suppress(BaseException):
                return await func(*args, **kwargs)
            raise RuntimeError("gave up")

    async with HTTPClient(settings(SHORT), retry_policy=Sour()) as client:
        failure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit) == ("total", SHORT)


async def test_a_policy_that_blocks_beyond_the_end_of_its_call_makes_no_attempt_after_it() -> None:
    clock, script = Late(), ScriptedTransport()
    script.on("GET", "/").reply(200)

    class Blocking:
        async def execute(
            self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            clock.blocked = 100.0
            return await func(*args, **kwargs)

    async with HTTPClient(settings(), retry_policy=Blocking(), exchange=script, clock=clock) as one:
        failure = (await one.get("http://h/")).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.attempts, len(script.calls)) == ("total", 0, 0)


@pytest.mark.parametrize("raises", [True, False])
async def test_a_failure_that_a_policy_kept_is_not_that_of_a_call_whose_time_is_over(
    raises: bool,
) -> None:
    """The policy swallows the end of the call, and then raises or returns what came before it."""

    class Keeping:
        async def execute(
            self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            try:
                kept = await func(*args, **kwargs)
            except HTTPClientError as failure:
                with suppress(BaseException):
                    await func(*args, **kwargs)
                raise failure from None
            with suppress(BaseException):
                await func(*args, **kwargs)
            return kept

    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    route = script.on("GET", "/")
    (route.fail(ConnectionResetError()) if raises else route.reply(503)).hang()
    async with HTTPClient(
        settings(5.0), retry_policy=Keeping(), exchange=script, clock=clock
    ) as client:
        failure = (await clock.run(client.get("http://h/"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit, failure.attempts) == ("total", 5.0, 2)
