"""Clients that differ in some settings, and share everything else."""

from typing import Final

import pytest
from tests.servers.echo import EchoServer

from railhttp import (
    BaseURLHTTPClient,
    CircuitBreaker,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPRetryExhaustedError,
    HTTPValidationError,
    RetryPolicy,
)
from railhttp.interceptors import BearerAuth
from railhttp.testing import ScriptedTransport

BASE: Final = "https://api.example/v1"
CONFIG: Final = HTTPClientConfig(trust_env=False)
EAGER: Final = RetryPolicy(base_delay=0, reraise=True)


def failing(path: str = "/v1/stock") -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", path).fail(ConnectionResetError())
    return script


async def test_a_derived_client_shares_the_connections(echo: EchoServer) -> None:
    async with HTTPClient(CONFIG, base_url=echo.url("")) as client:
        derived = client.with_options(timeout=2, headers={"X-Team": "stock"})
        assert (derived.pool is client.pool, derived.config.timeout) == (True, 2)
        assert '["X-Team", "stock"]' in (await derived.get("/get")).unwrap().text
        async with derived:
            pass
        assert (await client.get("/get")).unwrap().ok
    assert not client.pool.is_started()


async def test_one_that_was_started_alone_stops_the_client_too(echo: EchoServer) -> None:
    client = HTTPClient(CONFIG)
    async with client.with_options(timeout=2) as derived:
        assert (await derived.get(echo.url())).unwrap().ok
    assert not client.pool.is_started()


async def test_stopping_the_client_ends_the_derived_ones() -> None:
    client = HTTPClient(CONFIG, exchange=failing())
    derived = client.with_options(base_url=BASE)
    await client.start()
    await client.stop()
    failure = (await derived.get("/stock")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"


async def test_state_is_shared() -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    async with HTTPClient(
        CONFIG, exchange=failing(), circuit_breaker=breaker, retry_policy=RetryPolicy(1)
    ) as client:
        derived = client.with_options(base_url=BASE, total=True)
        assert (await derived.get("/stock")).failure().label == "disconnected"
        assert type((await derived.get("/stock")).failure()).__name__ == "HTTPCircuitOpenError"


async def test_the_policy_and_the_verbs_may_differ() -> None:
    script = failing()
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        strict = client.with_options(retry_policy=RetryPolicy(2, base_delay=0))
        with pytest.raises(HTTPRetryExhaustedError):
            await strict.get("/stock")
        assert len(script.calls) == 2
        total = strict.with_options(total=True)
        assert isinstance((await total.get("/stock")).failure(), HTTPRetryExhaustedError)


async def test_secrets_do_not_move_to_another_base_url() -> None:
    script = ScriptedTransport()
    script.on("GET", "/stock").reply(200)
    headers = {"Authorization": "Bearer s3cret", "X-Team": "stock"}
    async with HTTPClient(
        CONFIG, exchange=script, base_url=BASE, headers=headers, interceptors=[BearerAuth("t")]
    ) as client:
        other = client.with_options(base_url="https://other.example")
        await other.get("/stock")
        fields = script.calls[0].headers
        assert ("Authorization" in fields, fields["X-Team"]) == (False, "stock")
        await other.with_options(headers={"Authorization": "Bearer theirs"}).get("/stock")
        assert script.calls[1].headers["Authorization"] == "Bearer theirs"


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (2, 3), (4, 5)])
async def test_a_call_names_its_number_of_retries(retries: int, tries: int) -> None:
    script = failing()
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        assert (await client.get("/stock", retries=retries)).failure().attempts == tries
    assert len(script.calls) == tries


async def test_a_call_names_its_policy_and_may_be_a_stream() -> None:
    script = failing()
    patient = RetryPolicy(5, base_delay=0, reraise=True)
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        await client.get("/stock", retry_policy=patient)
        assert len(script.calls) == 5
        with pytest.raises(HTTPConnectionError):
            async with client.stream("GET", "/stock", retries=0):
                pytest.fail("it opened")
    assert len(script.calls) == 6


async def test_two_policies_of_a_call_are_refused() -> None:
    async with HTTPClient(CONFIG, exchange=failing(), base_url=BASE) as client:
        failure = (await client.get("/stock", retries=1, retry_policy=EAGER)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "retries"


def test_wrong_settings_are_refused_by_name() -> None:
    client = HTTPClient(CONFIG)
    with pytest.raises(HTTPValidationError, match="timeout"):
        client.with_options(timeout=-1)
    with pytest.raises(TypeError, match="'tries'"):
        client.with_options(tries=1)  # type: ignore[call-arg]  # wrong on purpose


async def test_the_client_that_raises_has_derived_ones_too() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1/stock").reply(200)
    async with BaseURLHTTPClient(BASE, config=CONFIG, exchange=script) as client:
        await client.start()
        derived = client.with_options(headers={"X-Team": "stock"})
        assert (await derived.get("/stock")).ok
    assert script.calls[0].headers["X-Team"] == "stock"
