"""A client works from its start to its stop, whatever its exchange is."""

import pytest

from railhttp import BaseURLHTTPClient, Delivery, HTTPClient, HTTPConnectionError
from railhttp.client.response_verbs import ResponseVerbs
from railhttp.testing import ScriptedTransport


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("stopped", [True, False])
async def test_a_client_that_is_not_started_makes_no_request(
    *, scripted: bool, stopped: bool
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    client = HTTPClient(exchange=script if scripted else None)
    if stopped:
        async with client:
            pass
    response = (await client.get("http://127.0.0.1:1/")).failure()
    with pytest.raises(HTTPConnectionError) as caught:
        async with client.stream("GET", "http://127.0.0.1:1/"):
            pytest.fail("it opened")
    for failure in (response, caught.value):
        assert isinstance(failure, HTTPConnectionError)
        assert (failure.kind, failure.delivery) == ("closed", Delivery.NOT_SENT)
        assert (failure.method, failure.url) == ("GET", "http://127.0.0.1:1/")
    assert not script.calls


async def test_a_client_whose_pool_was_stopped_is_closed_even_with_another_exchange() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(exchange=script) as client:
        (await client.get("http://h/")).unwrap()
        await client.pool.stop()
        response = (await client.get("http://h/")).failure()
        with pytest.raises(HTTPConnectionError) as caught:
            await client.stream("GET", "http://h/").__aenter__()
    for failure in (response, caught.value):
        assert isinstance(failure, HTTPConnectionError)
        assert (failure.kind, failure.delivery) == ("closed", Delivery.NOT_SENT)
    assert len(script.calls) == 1


async def test_verbs_that_raise_start_and_stop_their_client() -> None:
    client = HTTPClient()
    verbs = ResponseVerbs(client)
    assert verbs.client is client
    await verbs.start()
    assert client.pool.is_started()
    await verbs.stop()
    assert not client.pool.is_started()


async def test_a_client_that_raises_makes_a_request_with_any_method() -> None:
    script = ScriptedTransport()
    script.on("PURGE", "/page").reply(202)
    async with BaseURLHTTPClient("http://h", exchange=script) as client:
        assert (await client.request("purge", "/page")).status == 202


@pytest.mark.parametrize("end", ["stop", "close"])
async def test_a_client_ends_by_either_word(end: str) -> None:
    client = HTTPClient()
    await client.start()
    await getattr(client, end)()
    assert not client.pool.is_started()
