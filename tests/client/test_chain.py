"""The one chain: whatever way a call comes, the layers are the same and in the same order."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import pytest
import tenacity
from returns.io import IOFailure
from tests.patience import until
from tests.servers.faults import FaultServer

from railhttp import (
    BaseURLHTTPClient,
    CircuitBreaker,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPConnectionError,
    HttpResponse,
    HTTPTimeoutError,
    HTTPValidationError,
    RequestContext,
    ResiliencePipeline,
    RetryPolicy,
)
from railhttp.events import HTTPEvent
from railhttp.railway import reader, run
from railhttp.resilience import AttemptTimeout, Bulkhead, Layer, OriginBreakers, RateLimiter
from railhttp.testing import ManualClock, ScriptedTransport

T = TypeVar("T")
P = ParamSpec("P")

URL: Final = "https://api.example/v1"
TOTAL: Final = HTTPClientConfig(total=True, timeout=30.0)

Ask = Callable[[HTTPClient], Awaitable[object]]


# --- every way of asking


async def verb(client: HTTPClient) -> object:
    result = await client.get(URL)
    return result.value_or(None) or result.failure()


async def request(client: HTTPClient) -> object:
    return await client.request("GET", URL)


async def future(client: HTTPClient) -> object:
    result = await client.future.get(URL)
    return result.failure()._inner_value if isinstance(result, IOFailure) else None


async def read(client: HTTPClient) -> object:
    return (await run(reader.get(URL)(client))).failure()


async def stream(client: HTTPClient) -> object:
    async with client.stream("GET", URL) as answer:
        return [chunk async for chunk in answer]


async def sse(client: HTTPClient) -> object:
    async with client.sse(URL) as events:
        return [event async for event in events]


WAYS: Final[dict[str, Ask]] = {
    one.__name__: one for one in (verb, request, future, read, stream, sse)
}


async def failure_of(way: Awaitable[object]) -> object:
    """The failure, raised or returned."""
    try:
        return await way
    except HTTPClientError as error:
        return error


# --- every layer alone, and all together, in both spellings


@dataclass
class Seen:
    """What a client did: its sends, its events, and the failure at the end."""

    sends: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    failure: object = None

    @property
    def told(self) -> tuple[list[str], list[str], str, str]:
        failure = self.failure
        assert isinstance(failure, HTTPClientError)
        return self.sends, self.events, type(failure).__name__, failure.message


def observed(seen: Seen) -> Callable[[HTTPEvent], None]:
    return lambda event: seen.events.append(type(event).__name__)


async def opened(clock: ManualClock) -> CircuitBreaker:
    breaker = CircuitBreaker(name="stock", clock=clock)
    await breaker.force_open()
    return breaker


Build = Callable[[ManualClock], Awaitable[tuple[dict[str, object], list[Layer]]]]


async def retry(clock: ManualClock) -> tuple[dict[str, object], list[Layer]]:
    policy = RetryPolicy(3, jitter=False, clock=clock)
    return {"retry_policy": policy}, [policy]


async def breaker(clock: ManualClock) -> tuple[dict[str, object], list[Layer]]:
    policy, circuit = RetryPolicy(3, clock=clock), await opened(clock)
    return {"retry_policy": policy, "circuit_breaker": circuit}, [policy, circuit]


async def counting_breaker(clock: ManualClock) -> tuple[dict[str, object], list[Layer]]:
    policy, circuit = RetryPolicy(5, jitter=False, clock=clock), CircuitBreaker(2, clock=clock)
    return {"retry_policy": policy, "circuit_breaker": circuit}, [policy, circuit]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", [retry, breaker, counting_breaker])
async def test_both_spellings_do_the_same(build: Build, way: str) -> None:
    seen = []
    for spelling in ("arguments", "pipeline"):
        clock, script, one = ManualClock(), ScriptedTransport(), Seen()
        script.on("GET", "/v1").fail(ConnectionResetError())
        arguments, layers = await build(clock)
        if spelling == "pipeline":
            arguments = {"resilience": ResiliencePipeline(*layers, clock=clock)}
        client = HTTPClient(
            TOTAL,
            exchange=script,
            clock=clock,
            observers=[observed(one)],
            **arguments,  # type: ignore[arg-type]  # one of two spellings
        )
        async with client:
            one.failure = await clock.run(failure_of(WAYS[way](client)))
        one.sends = [f"{sent.method} {sent.url}" for sent in script.calls]
        seen.append(one.told)
    assert seen[0] == seen[1]


ALONE: Final[dict[str, tuple[Callable[[ManualClock], Layer], str]]] = {
    "bulkhead": (
        lambda clock: Bulkhead(1, max_queue=0, clock=clock),
        "bulkhead: the queue is full",
    ),
    "rate limit": (
        lambda clock: RateLimiter(0.1, max_wait=1.0, clock=clock),
        "rate limit: its turn would not come within 1 s",
    ),
    "attempt timeout": (lambda clock: AttemptTimeout(2.0, clock=clock), "not done within 2.0s"),
}


@pytest.mark.parametrize("way", [*WAYS, "a plain function"])
@pytest.mark.parametrize("layer", ALONE)
async def test_each_layer_alone_has_the_same_words_on_every_way(layer: str, way: str) -> None:
    make, message = ALONE[layer]
    clock, script = ManualClock(), ScriptedTransport()
    script.on("GET", "/v1").reply(delay=60.0)
    pipeline = ResiliencePipeline(make(clock), clock=clock)

    async def wait() -> None:
        await clock.sleep(60.0)

    async with HTTPClient(TOTAL, exchange=script, clock=clock, resilience=pipeline) as client:
        calls = [
            failure_of(pipeline.execute(wait) if way == "a plain function" else WAYS[way](client))
            for _ in range(2)
        ]
        outcomes = await clock.run(asyncio.gather(*calls))
    failure = outcomes[1]
    assert isinstance(failure, HTTPClientError)
    assert failure.message == message


@pytest.mark.parametrize("way", [*WAYS, "a plain function"])
@pytest.mark.parametrize("limit", ["the call's", "the pipeline's"])
async def test_one_deadline_with_one_wording(limit: str, way: str) -> None:
    clock, script = ManualClock(), ScriptedTransport()
    script.on("GET", "/v1").reply(delay=60.0)
    total = 3.0 if limit == "the pipeline's" or way == "a plain function" else None
    pipeline = ResiliencePipeline(RetryPolicy(clock=clock), total=total, clock=clock)
    config = HTTPClientConfig(total=True, timeout=3.0 if limit == "the call's" else 60.0)

    async def wait() -> None:
        await clock.sleep(60.0)

    async with HTTPClient(config, exchange=script, clock=clock, resilience=pipeline) as client:
        asked = pipeline.execute(wait) if way == "a plain function" else WAYS[way](client)
        failure = await clock.run(failure_of(asked))
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.message, failure.limit) == ("total", "not done within 3.0s", 3.0)
    assert clock.monotonic() == 3.0


# --- what decides whether to send sees what will be sent


class Counting:
    """An interceptor that counts requests, and may send them to another host."""

    def __init__(self, host: str | None = None) -> None:
        self.count = 0
        self._host = host

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.count += 1
        if self._host is not None:
            context.url = context.url.replace("api.example", self._host)
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


def client_of(
    spelling: str, breaker: CircuitBreaker | OriginBreakers, **more: object
) -> HTTPClient:
    once = RetryPolicy(1)
    layers: dict[str, object] = (
        {"retry_policy": once, "circuit_breaker": breaker}
        if spelling == "arguments"
        else {"resilience": ResiliencePipeline(once, breaker)}
    )
    return HTTPClient(TOTAL, **layers, **more)  # type: ignore[arg-type]  # one of two spellings


@pytest.mark.parametrize("spelling", ["arguments", "pipeline"])
async def test_interceptors_run_before_the_breaker_is_asked(spelling: str) -> None:
    counting, script = Counting(), ScriptedTransport()
    script.on("GET", "/v1").reply()
    open_circuit = await opened(ManualClock())
    client = client_of(spelling, open_circuit, exchange=script, interceptors=[counting])
    async with client:
        failure = (await client.get(URL)).failure()
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (counting.count, len(script.calls), failure.attempts) == (1, 0, 0)


@pytest.mark.parametrize("spelling", ["arguments", "pipeline"])
async def test_the_breaker_of_the_host_that_is_called_counts_its_failures(spelling: str) -> None:
    breakers, script = OriginBreakers(), ScriptedTransport()
    script.on("GET", "/v1").fail(ConnectionResetError())
    rerouted = Counting("other.example")
    client = client_of(spelling, breakers, exchange=script, interceptors=[rerouted])
    async with client:
        await client.get(URL)
    assert breakers.origins() == ["https://other.example"]


@pytest.mark.parametrize("spelling", ["arguments", "pipeline"])
async def test_a_download_goes_through_the_same_layers(spelling: str, tmp_path: Path) -> None:
    counting, open_circuit = Counting(), await opened(ManualClock())
    async with client_of(spelling, open_circuit, interceptors=[counting]) as client:
        failure = (await client.download(URL, tmp_path / "file")).failure()
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (counting.count, failure.attempts) == (1, 0)


@pytest.mark.parametrize("client", [HTTPClient, BaseURLHTTPClient])
def test_a_retry_policy_beside_a_pipeline_is_refused(client: type[object]) -> None:
    name = "retry_policy" if client is HTTPClient else "retry"
    arguments: dict[str, object] = {name: RetryPolicy(), "resilience": ResiliencePipeline()}
    with pytest.raises(HTTPValidationError, match=f"^{name}: must not be given with `resilience`"):
        client(**arguments)


async def test_a_pipeline_takes_precedence_over_a_breaker() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1").reply()
    open_circuit = await opened(ManualClock())
    pipeline = ResiliencePipeline()
    async with HTTPClient(
        exchange=script, circuit_breaker=open_circuit, resilience=pipeline
    ) as client:
        assert (await client.get(URL)).unwrap().status == 200


async def test_policies_use_the_clock_of_their_client() -> None:
    clock, script = ManualClock(), ScriptedTransport()
    script.on("GET", "/v1").fail(ConnectionResetError())
    policy, circuit = RetryPolicy(4, base_delay=10.0, jitter=False), CircuitBreaker(9)
    async with HTTPClient(
        HTTPClientConfig(total=True, timeout=None),
        exchange=script,
        clock=clock,
        retry_policy=policy,
        circuit_breaker=circuit,
    ) as client:
        failure = (await clock.run(client.get(URL))).failure()
    assert (failure.attempts, clock.monotonic()) == (4, 10.0 + 20.0 + 20.0)


# --- a policy of another library cannot outlive its call


class Swallowing:
    """A policy that repeats whatever happens, cancellations included."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self.calls = 0

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        while True:
            self.calls += 1
            with suppress(BaseException):
                return await func(*args, **kwargs)
            await asyncio.sleep(self._wait)


class TenacityForEver:
    """Tenacity without a stop, which swallows a cancellation too."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        retrying = tenacity.AsyncRetrying(retry=tenacity.retry_if_not_exception_type(KeyError))
        return await retrying(func, *args, **kwargs)


FOREVER: Final[dict[str, Callable[[], object]]] = {
    "tenacity": TenacityForEver,
    "without a wait": lambda: Swallowing(0.0),
    "with a long wait": lambda: Swallowing(60.0),
}


@pytest.mark.parametrize("argument", ["retry_policy", "resilience", "in a pipeline"])
@pytest.mark.parametrize("policy", FOREVER)
async def test_a_policy_that_swallows_cancellations_makes_no_attempt_after_the_deadline(
    faults: FaultServer, policy: str, argument: str
) -> None:
    foreign = FOREVER[policy]()
    layers: dict[str, object] = {argument: foreign}
    if argument == "in a pipeline":
        layers = {"resilience": ResiliencePipeline(foreign)}  # type: ignore[arg-type]  # a policy
    config = HTTPClientConfig(trust_env=False, total=True, timeout=0.2)
    async with HTTPClient(config, **layers) as client:  # type: ignore[arg-type]  # one of them
        async with asyncio.timeout(60.0):
            failure = (await client.get(faults.url("/stall-before-head"))).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.message) == ("total", "not done within 0.2s")
    assert len(faults.received) == 1


async def test_a_policy_that_swallows_cancellations_ends_with_its_client(
    faults: FaultServer,
) -> None:
    config = HTTPClientConfig(trust_env=False, total=True)
    client = HTTPClient(config, retry_policy=TenacityForEver())
    await client.start()
    call = asyncio.create_task(client.get(faults.url("/stall-before-head")))
    await until(lambda: faults.received)
    await client.stop()
    async with asyncio.timeout(60.0):
        failure = (await call).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"
