"""Policies of others, by Protocol: what they raise comes out as one of the union."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

import pytest
import tenacity
from returns.methods import unwrap_or_failure
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from typing_extensions import override

from railhttp import (
    CircuitBreaker,
    CircuitBreakerProtocol,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPRequestSentHook,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    ResiliencePipeline,
    RetryPolicy,
    RetryPolicyProtocol,
)
from railhttp.events import CircuitChangedEvent, HTTPEvent
from railhttp.interceptors import UserAgent
from railhttp.pipeline.policies.breaker_registry import OriginBreakers

T = TypeVar("T")
P = ParamSpec("P")

TOTAL: Final = HTTPClientConfig(trust_env=False, total=True)
PARTIAL: Final = HTTPClientConfig(trust_env=False)


class Tenacity:
    """All that it takes to retry by tenacity."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(3), retry=tenacity.retry_if_exception_type()
        )
        return await retrying(func, *args, **kwargs)


class PatientTenacity:
    """It asks again for a better answer too."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(3),
            retry=tenacity.retry_if_result(lambda answer: answer.status == 503),
        )
        return await retrying(func, *args, **kwargs)


class SoundOfItsOwn(Exception):
    """What a breaker of another library raises."""

    retry_after = 2.5
    name = "stock"


class Breaker:
    """A breaker that never speaks of HTTP; it opens after one failure."""

    def __init__(self) -> None:
        self.open = False

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.open:
            raise SoundOfItsOwn
        try:
            return await func(*args, **kwargs)
        except HTTPClientError:
            self.open = True
            raise


class Raises:
    """Raises instead of calling, or after it: as a policy, and as a breaker."""

    def __init__(self, error: Exception, *, calls: int) -> None:
        self._error = error
        self._calls = calls

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(self._calls):
            await func(*args, **kwargs)
        raise self._error

    call = execute


async def outcome(client: HTTPClient, url: str) -> HttpResponse | HTTPFailure:
    return unwrap_or_failure(await client.get(url))


def test_they_are_policies_without_inheriting_from_them() -> None:
    assert isinstance(Tenacity(), RetryPolicyProtocol)
    assert isinstance(Breaker(), CircuitBreakerProtocol)


async def test_tenacity_retries_until_it_works(echo: EchoServer, faults: FaultServer) -> None:
    async with HTTPClient(PARTIAL, retry_policy=Tenacity()) as client:
        assert (await client.get(echo.url("/flaky/k/1"))).failure().message == "status 503"
        with pytest.raises(HTTPRetryExhaustedError) as caught:
            await client.get(faults.url("/close-before-head"))
    assert (caught.value.attempts, len(faults.received)) == (3, 3)
    assert [failure.label for failure in caught.value.failures] == ["disconnected"] * 3
    assert isinstance(caught.value.__cause__, tenacity.RetryError)
    assert caught.value.delivery is Delivery.MAYBE_SENT


async def test_tenacity_giving_up_on_answers_leaves_the_last_one(echo: EchoServer) -> None:
    async with HTTPClient(PARTIAL, retry_policy=PatientTenacity()) as client:
        answer = await outcome(client, echo.url("/status/503"))
    assert isinstance(answer, HTTPStatusError)
    assert (answer.status, answer.attempts) == (503, 3)


async def test_tenacity_is_a_failure_where_verbs_are_total(faults: FaultServer) -> None:
    async with HTTPClient(TOTAL, retry_policy=Tenacity()) as client:
        failure = await outcome(client, faults.url("/close-before-head"))
        assert isinstance(failure, HTTPRetryExhaustedError)
        with pytest.raises(HTTPRetryExhaustedError):
            await client.request("GET", faults.url("/close-before-head"))


async def test_our_own_policy_is_a_failure_where_verbs_are_total(faults: FaultServer) -> None:
    policy = RetryPolicy(max_attempts=2, base_delay=0.001)
    async with HTTPClient(TOTAL, retry_policy=policy) as client:
        failure = await outcome(client, faults.url("/reset-before-head"))
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert failure.__cause__ is failure.last


@pytest.mark.parametrize("total", [True, False])
async def test_a_breaker_says_in_its_own_words_that_it_is_open(
    faults: FaultServer, total: bool
) -> None:
    async with HTTPClient(TOTAL if total else PARTIAL, circuit_breaker=Breaker()) as client:
        assert (await client.post(faults.url("/close-before-head"))).failure().label
        if total:
            failure: HTTPFailure = (await client.get(faults.url())).failure()
        else:
            with pytest.raises(HTTPCircuitOpenError) as caught:
                await client.get(faults.url())
            failure = caught.value
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (failure.retry_after, failure.name, failure.url) == (2.5, "stock", faults.url())
    assert failure.delivery is Delivery.NOT_SENT
    assert isinstance(failure.__cause__, SoundOfItsOwn)
    assert len(faults.received) == 1


LATE: Final = HTTPTimeoutError("theirs", phase="total")
THEIRS: Final = KeyError("theirs")
OPEN: Final = HTTPCircuitOpenError(retry_after=1.0, name="b")


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker", "resilience"])
@pytest.mark.parametrize(
    ("error", "calls", "expected"),
    [
        pytest.param(THEIRS, 0, HTTPCircuitOpenError, id="theirs, before the call"),
        pytest.param(THEIRS, 1, HTTPInterceptorError, id="theirs, after a response"),
        pytest.param(TimeoutError(), 0, HTTPCircuitOpenError, id="a TimeoutError, before the call"),
        pytest.param(TimeoutError(), 1, HTTPInterceptorError, id="a TimeoutError, after it"),
        pytest.param(LATE, 0, HTTPTimeoutError, id="a failure, before the call"),
        pytest.param(LATE, 1, HTTPTimeoutError, id="a failure, after a response"),
        pytest.param(OPEN, 0, HTTPCircuitOpenError, id="an open circuit"),
    ],
)
async def test_what_a_policy_raises_becomes_a_failure_by_what_the_call_saw(
    faults: FaultServer, layer: str, error: Exception, calls: int, expected: type[HTTPFailure]
) -> None:
    layers: dict[str, object] = {layer: Raises(error, calls=calls)}
    async with HTTPClient(TOTAL, **layers) as client:  # type: ignore[arg-type]  # one of three layers
        assert type(await outcome(client, faults.url())) is expected


class CountingBreakers(OriginBreakers):
    """Breakers with something of their own around each call."""

    calls = 0

    @override
    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        self.calls += 1
        return await super().call(func, *args, **kwargs)


async def test_each_origin_has_its_breaker_also_where_a_subclass_does_more(
    echo: EchoServer, faults: FaultServer
) -> None:
    counting = CountingBreakers()
    for breakers in (OriginBreakers(), counting):
        async with HTTPClient(PARTIAL, circuit_breaker=breakers) as client:
            (await client.get(echo.url())).unwrap()
            (await client.get(faults.url())).unwrap()
        assert breakers.origins() == [echo.url(""), faults.url().removesuffix("/ok")]
    assert counting.calls == 2


async def test_a_breakers_own_refusal_learns_of_the_call(faults: FaultServer) -> None:
    refusal = HTTPCircuitOpenError(retry_after=1.5, name="stock")
    async with HTTPClient(TOTAL, circuit_breaker=Raises(refusal, calls=0)) as client:
        failure = await outcome(client, faults.url("/ok", token="s3cret"))
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (failure.retry_after, failure.name, failure.method) == (1.5, "stock", "GET")
    assert failure.url == faults.url("/ok") + "?token=***"


@pytest.mark.parametrize(("key", "sends"), [(False, 1), (True, 3), ("order-7", 3)])
async def test_an_idempotency_key_makes_a_post_repeatable_and_stays_the_same(
    faults: FaultServer, key: str | bool, sends: int
) -> None:
    async with HTTPClient(PARTIAL) as client:
        await client.post(faults.url("/close-before-head"), json={}, idempotency_key=key)
    keys = [received.header("Idempotency-Key") for received in faults.received]
    assert len(keys) == sends
    assert len(set(keys)) == 1
    assert keys[0] == key if isinstance(key, str) else bool(keys[0]) == key


@pytest.mark.parametrize("in_pipeline", [False, True])
async def test_what_a_breaker_refuses_is_no_attempt(faults: FaultServer, in_pipeline: bool) -> None:
    breaker = CircuitBreaker(1)
    eager = RetryPolicy(base_delay=0.0)
    events: list[HTTPEvent] = []
    client = (
        HTTPClient(TOTAL, resilience=ResiliencePipeline(eager, breaker), observers=[events.append])
        if in_pipeline
        else HTTPClient(
            TOTAL, retry_policy=eager, circuit_breaker=breaker, observers=[events.append]
        )
    )
    async with client:
        attempts = [(await client.get(faults.url("/reset-before-head"))).failure().attempts] * 2
        attempts[1] = (await client.get(faults.url())).failure().attempts
    assert attempts == [1, 0]
    assert [type(event) for event in events] == [HTTPRequestSentHook, CircuitChangedEvent]


async def test_a_single_attempt_that_a_policy_gives_up_on_is_its_own_failure(
    faults: FaultServer,
) -> None:
    class Once(Raises):
        async def execute(
            self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            with suppress(HTTPClientError):
                return await func(*args, **kwargs)
            raise self._error

    async with HTTPClient(TOTAL, retry_policy=Once(KeyError(), calls=0)) as client:
        failure = await outcome(client, faults.url("/reset-before-head"))
    assert isinstance(failure, HTTPConnectionError)


async def drip() -> AsyncIterator[bytes]:
    yield b"x"


async def test_a_body_that_is_read_once_passes_all_layers_but_a_foreign_retry_policy(
    faults: FaultServer,
) -> None:
    breaker = CircuitBreaker()
    await breaker.force_open()
    for pipeline in (ResiliencePipeline(breaker), ResiliencePipeline(breaker, Tenacity())):
        async with HTTPClient(TOTAL, resilience=pipeline) as client:
            failure = unwrap_or_failure(await client.post(faults.url(), data=drip()))
        assert isinstance(failure, HTTPCircuitOpenError)
    async with HTTPClient(TOTAL, resilience=ResiliencePipeline(Tenacity())) as client:
        await client.post(faults.url("/reset-before-head"), data=drip())
    assert len(faults.received) == 1


@pytest.mark.parametrize("error", [OSError("store"), TypeError(), AttributeError(name="call")])
async def test_a_defect_of_a_breaker_is_no_open_circuit(
    faults: FaultServer, error: Exception
) -> None:
    async with HTTPClient(TOTAL, circuit_breaker=Raises(error, calls=0)) as client:
        failure = await outcome(client, faults.url())
    assert isinstance(failure, HTTPInterceptorError)
    assert failure.message == f"a policy raised {type(error).__name__}"


class Misshapen:
    """A policy that cannot be called as a policy is."""

    async def execute(self) -> None: ...


async def test_a_policy_of_another_shape_is_no_open_circuit(faults: FaultServer) -> None:
    policy: object = Misshapen()
    async with HTTPClient(TOTAL, retry_policy=policy) as client:  # type: ignore[arg-type]  # on purpose
        failure = await outcome(client, faults.url())
    assert isinstance(failure, HTTPInterceptorError)


@pytest.mark.parametrize(
    ("argument", "value", "wanted"),
    [
        ("config", {"timeout": 5}, "an HTTPClientConfig, got dict"),
        ("config", 5, "an HTTPClientConfig, got 5"),
        ("pool", "fast", "a ConnectionPool, got str"),
        ("retry_policy", "x", "an object with `execute`, got str"),
        ("retry_policy", RetryPolicy, "an object with `execute`, got the class RetryPolicy"),
        ("circuit_breaker", OriginBreakers, "an object with `call`, got the class OriginBreakers"),
        ("resilience", 3, "an object with `execute`, got 3"),
        ("metrics", 3, "an object with `histogram` and `increment`, got 3"),
        ("exchange", 3, "an object with `send` and `open`, got 3"),
        ("clock", 3, "an object with `monotonic` and `wall` and "),
        ("interceptors", 3, "an iterable, got 3"),
        ("interceptors", [3], "an object with `intercept_request` and `intercept_response`, got 3"),
        ("interceptors", [UserAgent], "got the class UserAgent"),
        ("observers", print, "an iterable, got builtin_function_or_method"),
        ("observers", [3], "an object with `__call__`, got 3"),
        ("instruments", [print], "an object with `call_started` and `attempt_started`, got "),
    ],
)
def test_what_cannot_do_its_work_is_refused_by_name(
    argument: str, value: object, wanted: str
) -> None:
    arguments: dict[str, object] = {argument: value}
    with pytest.raises(HTTPValidationError, match=f"{argument}: must be .*{re.escape(wanted)}"):
        HTTPClient(**arguments)  # type: ignore[arg-type]  # on purpose


class Fallback:
    """A policy that makes up a value of its own."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        return None

    call = execute


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker", "resilience"])
async def test_a_policy_that_answers_with_something_else_is_a_failure(
    faults: FaultServer, layer: str
) -> None:
    layers: dict[str, object] = {layer: Fallback()}
    async with HTTPClient(TOTAL, **layers) as client:  # type: ignore[arg-type]  # on purpose
        failure = await outcome(client, faults.url())
    assert isinstance(failure, HTTPInterceptorError)
    assert faults.received == []


class CountingBreaker(CircuitBreaker):
    """A breaker of ours with something of its own around each call."""

    @override
    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await super().call(func, *args, **kwargs)


async def test_the_refusal_of_a_subclass_is_passed_on_as_it_is(faults: FaultServer) -> None:
    breaker = CountingBreaker(name="stock")
    await breaker.force_open()
    async with HTTPClient(TOTAL, circuit_breaker=breaker) as client:
        failure = await outcome(client, faults.url())
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (failure.name, failure.url, failure.__cause__) == ("stock", faults.url(), None)


async def test_a_foreign_policy_in_a_pipeline_of_its_own_repeats_no_body_that_is_read_once(
    faults: FaultServer,
) -> None:
    class Counting(ResiliencePipeline):
        @override
        async def execute(
            self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            return await super().execute(func, *args, **kwargs)

    async with HTTPClient(TOTAL, resilience=Counting(Tenacity())) as client:
        await client.post(faults.url("/reset-before-head"), data=drip())
        assert len(faults.received) == 1
        await client.post(faults.url("/reset-before-head"), data=b"x")
    assert len(faults.received) == 4
