"""What a client requires of the objects that it is given, and how it combines them."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import ParamSpec, TypeVar

import pytest

from railhttp import (
    BaseURLHTTPClient,
    HTTPClient,
    HTTPClientConfig,
    HTTPValidationError,
)
from railhttp.client.collaborators import (
    Policies,
    check_collaborators,
    circuits_of,
    pool_of,
    publisher,
    refuse_two_policies,
    settings_of,
)
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.resilience import CircuitBreaker, ResiliencePipeline, RetryPolicy
from railhttp.testing import ManualClock
from railhttp.transport.pool import ConnectionPool

P = ParamSpec("P")
T = TypeVar("T")

METHODS = {
    "retry_policy": ["execute"],
    "circuit_breaker": ["call"],
    "resilience": ["execute"],
    "metrics": ["histogram", "increment"],
    "observers": ["__call__"],
    "instruments": ["call_started", "attempt_started"],
    "exchange": ["send", "open"],
    "clock": ["monotonic", "wall", "uniform", "sleep", "call_later"],
}


def having(methods: list[str]) -> object:
    kind = type("Given", (), {name: lambda *_, **__: None for name in methods})
    return kind()


@pytest.mark.parametrize(
    ("argument", "missing"), [(name, one) for name, methods in METHODS.items() for one in methods]
)
def test_an_object_without_a_method_is_refused_by_the_name_of_its_argument(
    argument: str, missing: str
) -> None:
    check_collaborators(
        **{argument: having(METHODS[argument])}, **dict.fromkeys(METHODS.keys() - {argument})
    )
    lacking = having([name for name in METHODS[argument] if name != missing])
    with pytest.raises(HTTPValidationError) as caught:
        check_collaborators(**{argument: lacking})
    assert caught.value.field == argument
    given = [lacking] if argument in {"observers", "instruments"} else lacking
    make: Callable[..., object] = HTTPClient
    with pytest.raises(HTTPValidationError) as caught:
        make(**{argument: given})
    assert caught.value.field == argument


@pytest.mark.parametrize("argument", ["observers", "instruments", "interceptors"])
def test_what_cannot_be_iterated_is_refused_by_the_name_of_its_argument(argument: str) -> None:
    make: Callable[..., object] = HTTPClient
    with pytest.raises(HTTPValidationError, match="must be an iterable, got 7") as caught:
        make(**{argument: 7})
    assert caught.value.field == argument


@pytest.mark.parametrize("argument", ["config", "pool", "egress"])
def test_an_object_of_another_type_is_refused_by_the_name_of_its_argument(argument: str) -> None:
    make: Callable[..., object] = HTTPClient
    with pytest.raises(HTTPValidationError) as caught:
        make(**{argument: 7})
    assert caught.value.field == argument


def test_a_policy_and_a_pipeline_exclude_each_other() -> None:
    refuse_two_policies(None, object(), field="retry")
    refuse_two_policies(object(), None, field="retry")
    with pytest.raises(HTTPValidationError) as caught:
        refuse_two_policies(object(), object(), field="retry")
    assert caught.value.field == "retry"


def test_a_derived_client_shares_what_is_not_replaced() -> None:
    retry, breaker, clock = RetryPolicy(2), CircuitBreaker(name="b"), ManualClock()
    usual = Policies.of(retry, breaker, None, clock)
    assert (usual.stack.retry, usual.stack.breaker, usual.limits) == (retry, breaker, (None, None))
    assert usual.replaced(None, None, None, clock) == usual
    other = RetryPolicy(3)
    assert usual.replaced(other, None, None, clock).stack == usual.stack._replace(retry=other)
    open_circuit = CircuitBreaker(name="c")
    replaced = usual.replaced(None, open_circuit, None, clock)
    assert replaced.stack == usual.stack._replace(breaker=open_circuit)


class Overriding(ResiliencePipeline):
    """Its `execute` may do more."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        raise NotImplementedError


def test_a_pipeline_brings_its_limits_and_one_with_its_own_execute_is_called() -> None:
    pipeline = ResiliencePipeline.standard()
    policies = Policies.of(None, None, pipeline, SYSTEM_CLOCK)
    assert (policies.stack, policies.limits) == (pipeline.stack, pipeline.limits)
    assert pipeline.limits != (None, None)
    own = Overriding.standard()
    policies = Policies.of(None, None, own, SYSTEM_CLOCK)
    assert policies.stack.retry is own
    assert policies.limits == (None, None)
    usual = Policies.of(RetryPolicy(2), None, None, SYSTEM_CLOCK)
    replaced = usual.replaced(None, None, pipeline, SYSTEM_CLOCK)
    assert (replaced.stack, replaced.limits) == (pipeline.stack, pipeline.limits)
    with pytest.raises(HTTPValidationError, match="retry_policy"):
        usual.replaced(RetryPolicy(2), None, pipeline, SYSTEM_CLOCK)


@pytest.mark.parametrize(
    ("breaker", "circuits"),
    [(None, {}), (SimpleNamespace(call=None), {}), (CircuitBreaker(name="b"), {"b": "closed"})],
)
def test_the_circuits_of_a_breaker_have_its_name(breaker: object, circuits: object) -> None:
    found = circuits_of(breaker)  # type: ignore[arg-type]  # a table
    assert dict(found) == circuits


def test_without_observers_no_instrument_calls_them() -> None:
    assert publisher([], SYSTEM_CLOCK) is None


def test_settings_are_those_given_or_those_of_the_pool() -> None:
    config = HTTPClientConfig(timeout=3)
    assert settings_of(None, None) == HTTPClientConfig()
    assert settings_of(config, None) is config
    assert settings_of(config, None, 7) == HTTPClientConfig(timeout=7)
    assert settings_of(config, None, None).timeout is None
    assert settings_of(config, None, verify=False).verify is False
    pool = ConnectionPool()
    assert settings_of(None, pool) == HTTPClientConfig(pool.config)
    for argument, value in (("verify", False), ("cert", ("a", "b")), ("resolver", print)):
        with pytest.raises(HTTPValidationError) as caught:
            settings_of(None, pool, **{argument: value})  # type: ignore[arg-type]  # a table
        assert caught.value.field == argument
    assert pool_of(config, pool, None, None) is pool


@pytest.mark.parametrize(
    "argument",
    [
        *("retry", "circuit_breaker", "resilience", "metrics", "exchange", "clock", "egress"),
        *("pool", "config", "observers", "instruments", "interceptors"),
    ],
)
def test_an_argument_of_a_client_of_one_service_reaches_its_client(argument: str) -> None:
    make: Callable[..., object] = BaseURLHTTPClient
    with pytest.raises(HTTPValidationError) as caught:
        make(**{argument: 7})
    assert caught.value.field is not None
    assert caught.value.field.startswith(argument)


def test_a_client_of_one_service_names_its_own_argument() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        BaseURLHTTPClient("http://h", retry=7)  # type: ignore[arg-type]  # on purpose
    assert (caught.value.field, "execute" in caught.value.message) == ("retry", True)


@pytest.mark.parametrize("argument", ["config", "retry_policy", "circuit_breaker", "interceptors"])
async def test_an_argument_of_a_block_reaches_its_client(argument: str) -> None:
    make: Callable[..., AbstractAsyncContextManager[object]] = HTTPClient.session_context
    with pytest.raises(HTTPValidationError) as caught:
        await make(**{argument: 7}).__aenter__()
    assert caught.value.field == argument


@pytest.mark.parametrize("client", [HTTPClient, BaseURLHTTPClient])
@pytest.mark.parametrize("argument", ["verify", "cert", "resolver", "headers", "base_url"])
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(
    client: Callable[..., object], argument: str
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        client(**{argument: 7.5})
    assert caught.value.field == argument


@pytest.mark.parametrize("client", [HTTPClient, BaseURLHTTPClient])
def test_settings_that_are_given_override_those_of_the_config(
    client: Callable[..., object],
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return []

    config = HTTPClientConfig(timeout=3)
    given = settings(client(config=config, verify=False, resolver=resolver, timeout=7))
    assert (given.verify, given.resolver, given.timeout) == (False, resolver, 7)
    usual = settings(client(config=config))
    assert (usual.verify, usual.resolver, usual.timeout) == (True, None, 3)


def settings(client: object) -> HTTPClientConfig:
    inner = client._client if isinstance(client, BaseURLHTTPClient) else client
    assert isinstance(inner, HTTPClient)
    return inner.config
