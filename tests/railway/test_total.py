"""Total faces: what raises nowhere, and what the verbs raise where they are not total."""

from collections.abc import AsyncIterator

import pytest
from returns.maybe import Nothing
from tests.servers.echo import EchoServer

from railhttp import (
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.railway import problem, run

DEAD = "http://127.0.0.1:1/"


class OpenBreaker:
    """A circuit breaker that is always open."""

    async def call(self, *_: object) -> object:
        raise HTTPCircuitOpenError(retry_after=1.0, name="stock")


async def clients(total: bool) -> AsyncIterator[tuple[HTTPClient, type[HTTPFailure]]]:
    """Clients whose calls end in each of the two signals."""
    config = HTTPClientConfig(total=total)
    policy = RetryPolicy(2, base_delay=0.001)
    async with HTTPClient(config, retry_policy=policy) as client:
        yield client, HTTPRetryExhaustedError
    breaker: object = OpenBreaker()
    async with HTTPClient(config, retry_policy=RetryPolicy(1), circuit_breaker=breaker) as client:  # type: ignore[arg-type]  # narrower than a real one
        yield client, HTTPCircuitOpenError


VERBS = ["get", "post", "put", "delete", "patch", "head", "options"]


@pytest.mark.parametrize("verb", VERBS)
async def test_the_verbs_raise_the_two_signals_unless_they_are_total(verb: str) -> None:
    async for client, signal in clients(total=False):
        with pytest.raises(signal):
            await getattr(client, verb)(DEAD)
    async for client, signal in clients(total=True):
        assert isinstance((await getattr(client, verb)(DEAD)).failure(), signal)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("total", [False, True])
async def test_futures_never_raise(verb: str, total: bool) -> None:
    async for client, signal in clients(total):
        assert isinstance((await run(getattr(client.future, verb)(DEAD))).failure(), signal)


async def test_multipart_is_total_too() -> None:
    async for client, signal in clients(total=True):
        assert isinstance((await client.post_multipart(DEAD, {"a": "1"})).failure(), signal)
    async for client, signal in clients(total=False):
        upload = client.future.post_multipart(DEAD, {"a": "1"})
        assert isinstance((await run(upload)).failure(), signal)


async def test_a_request_of_any_method_is_total_too(echo: EchoServer) -> None:
    async for client, signal in clients(total=False):
        assert isinstance((await run(client.future.request("QUERY", DEAD))).failure(), signal)
    async with HTTPClient() as client:
        answer = await run(client.future.request("query", echo.url("/get")))
        refused = await run(client.future.request("QUERY", echo.url("/status/404")))
    assert answer.unwrap().method == "QUERY"
    assert isinstance(refused.failure(), HTTPStatusError)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (304, True), (404, False), (500, False)])
async def test_a_future_is_a_success_below_400(echo: EchoServer, status: int, ok: bool) -> None:
    async with HTTPClient(retry_policy=RetryPolicy(1)) as client:
        result = await run(client.future.get(echo.url(f"/status/{status}")))
    assert (result.unwrap() if ok else result.failure()).status == status  # type: ignore[union-attr]  # a 4xx or 5xx is a status error


async def test_a_future_sends_when_it_is_awaited(echo: EchoServer) -> None:
    async with HTTPClient() as client:
        future = client.future.post(echo.url("/count/lazy"), json={})
        assert echo.seen["lazy"] == 0
        await future
        assert echo.seen["lazy"] == 1


async def test_an_option_that_does_not_exist_is_the_callers_mistake() -> None:
    async with HTTPClient() as client:
        with pytest.raises(TypeError, match="tiemout"):
            await client.future.get(DEAD, tiemout=1)  # type: ignore[call-arg]  # the mistake under test


def test_a_signal_has_no_problem_details() -> None:
    assert problem(HTTPCircuitOpenError()) == Nothing
