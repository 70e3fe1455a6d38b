"""The exceptions of policies of other libraries, and the details of the failures they become."""

from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec, TypeVar

import pytest

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPRetryExhaustedError,
    RetryPolicy,
)
from railhttp.testing import ScriptedTransport

P = ParamSpec("P")
T = TypeVar("T")

URL: Final = "https://api.example/orders?token=s3cret"
SHOWN: Final = "https://api.example/orders?token=***"
CONFIG: Final = HTTPClientConfig(trust_env=False, total=True)


class Theirs(Exception):
    """The exception of another library for an open circuit."""

    def __init__(self, retry_after: object = None, name: object = "") -> None:
        super().__init__()
        self.retry_after = retry_after
        self.name = name


class Refusing:
    """A policy of another library that makes some attempts and then raises."""

    def __init__(self, error: Exception, attempts: int = 0) -> None:
        self._error = error
        self._attempts = attempts

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(self._attempts):
            try:
                await func(*args, **kwargs)
            except ConnectionError:
                pytest.fail("a failure is one of ours")
            except Exception:  # whatever the attempt raised
                continue
        raise self._error

    call = execute


async def failure_of(policy: Refusing, layer: str, script: ScriptedTransport) -> HTTPFailure:
    once = None if layer == "retry_policy" else RetryPolicy(1)
    layers: dict[str, object] = {"retry_policy": once, layer: policy}
    async with HTTPClient(CONFIG, exchange=script, **layers) as client:  # type: ignore[arg-type]  # one of two layers
        return (await client.post(URL)).failure()


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker"])
@pytest.mark.parametrize(
    ("error", "retry_after", "name"),
    [
        (Theirs(), None, ""),
        (Theirs(2, "stock"), 2, "stock"),
        (Theirs(0.5), 0.5, ""),
        (Theirs("2", 7), None, ""),
        (Theirs([2], None), None, ""),
        (KeyError(), None, ""),
        (TimeoutError(), None, ""),
        (HTTPCircuitOpenError(retry_after=3.0, name="theirs"), 3.0, "theirs"),
    ],
)
async def test_an_open_circuit_has_what_its_exception_says_of_it_if_that_makes_sense(
    layer: str, error: Exception, retry_after: float | None, name: str
) -> None:
    script = ScriptedTransport()
    failure = await failure_of(Refusing(error), layer, script)
    assert isinstance(failure, HTTPCircuitOpenError)
    assert (failure.retry_after, failure.name) == (retry_after, name)
    if layer == "circuit_breaker" or not isinstance(error, HTTPCircuitOpenError):
        assert (failure.delivery, failure.attempts) == (Delivery.NOT_SENT, 0)
        assert (failure.method, failure.url) == ("POST", SHOWN)
        assert failure.__cause__ is error
    assert not script.calls


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker"])
@pytest.mark.parametrize(
    "error", [TypeError(), AttributeError(), OSError(), ConnectionResetError()]
)
async def test_a_defect_of_a_policy_speaks_of_the_request_that_it_was_for(
    layer: str, error: Exception
) -> None:
    script = ScriptedTransport()
    failure = await failure_of(Refusing(error), layer, script)
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.method, failure.url, failure.attempts) == ("POST", SHOWN, 0)
    assert failure.delivery is Delivery.NOT_SENT
    assert failure.__cause__ is error
    assert failure.message == f"a policy raised {type(error).__name__}"


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker"])
async def test_a_policy_that_raises_after_a_response_speaks_of_a_request_that_was_answered(
    layer: str,
) -> None:
    script = ScriptedTransport()
    script.on("POST", "/orders").reply(200)
    failure = await failure_of(Refusing(Theirs(), attempts=1), layer, script)
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.method, failure.url, failure.attempts) == ("POST", SHOWN, 1)
    assert failure.delivery is Delivery.ANSWERED


async def test_a_policy_that_gives_up_after_several_failures_has_all_of_them() -> None:
    script = ScriptedTransport()
    script.on("POST", "/orders").fail(ConnectionResetError())
    failure = await failure_of(Refusing(Theirs(), attempts=2), "retry_policy", script)
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert (failure.method, failure.url, failure.attempts) == ("POST", SHOWN, 2)
    assert failure.delivery is Delivery.MAYBE_SENT
    assert [type(one) for one in failure.failures] == [type(failure.last)] * 2
    assert isinstance(failure.__cause__, Theirs)


async def test_a_response_that_is_no_success_is_what_a_policy_leaves_that_gives_up() -> None:
    for status, is_left in ((399, False), (400, True), (503, True)):
        script = ScriptedTransport()
        script.on("POST", "/orders").reply(status)
        failure = await failure_of(Refusing(Theirs(), attempts=1), "retry_policy", script)
        assert isinstance(failure, HTTPInterceptorError) is not is_left
        assert script.calls


class Answering(Refusing):
    """A policy that invents the result."""

    def __init__(self, answer: object) -> None:
        super().__init__(KeyError())
        self._answer = answer

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._answer  # type: ignore[return-value]  # wrong on purpose

    call = execute


@pytest.mark.parametrize("layer", ["retry_policy", "circuit_breaker"])
@pytest.mark.parametrize("answer", [None, "200", 200])
async def test_a_policy_that_makes_up_a_result_is_refused(layer: str, answer: object) -> None:
    failure = await failure_of(Answering(answer), layer, ScriptedTransport())
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.method, failure.url, failure.attempts) == ("POST", SHOWN, 0)
    assert type(answer).__name__ in failure.message
