"""The requests that interceptors make themselves have their own retries, on the client's clock."""

import pytest

from railhttp import HTTPClient, HTTPConnectionError, HttpResponse, RetryPolicy
from railhttp.interceptors import RequestContext
from railhttp.testing import ManualClock, ScriptedTransport


class Asks:
    """An interceptor that asks another server before each request."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        assert context.client is not None
        answer = await context.client.send("GET", "http://keys/now")
        context.headers["X-Key"] = answer.text
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


def client_of(script: ScriptedTransport, clock: ManualClock) -> HTTPClient:
    once = RetryPolicy(max_attempts=1, clock=clock)
    return HTTPClient(exchange=script, clock=clock, interceptors=[Asks()], retry_policy=once)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_request_of_an_interceptor_is_repeated_although_the_client_repeats_none(
    status: int,
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "http://keys/now").reply(status).reply(body=b"key")
    script.on("GET", "http://h/").reply()

    async def main() -> None:
        async with client_of(script, clock) as client:
            (await client.get("http://h/")).unwrap()

    await clock.run(main())
    assert [call.url for call in script.calls] == ["http://keys/now"] * 2 + ["http://h/"]
    assert script.calls[-1].headers["X-Key"] == "key"


async def test_the_failure_of_a_request_of_an_interceptor_is_the_last_of_its_attempts() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "http://keys/now").fail(ConnectionRefusedError(), "connect")
    script.on("GET", "http://h/").reply()

    async def main() -> BaseException | None:
        async with client_of(script, clock) as client:
            return (await client.get("http://h/")).failure().__cause__

    assert isinstance(await clock.run(main()), HTTPConnectionError)
    assert [call.url for call in script.calls] == ["http://keys/now"] * 3
