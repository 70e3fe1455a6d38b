"""What the parts of a client show of themselves: one short line, and no secret."""

from typing import Final

import pytest

from railhttp import (
    BaseURLHTTPClient,
    CircuitBreaker,
    ConnectionPool,
    HTTPClient,
    InterceptorChain,
    ResiliencePipeline,
    RetryPolicy,
)
from railhttp.interceptors import BearerAuth, UserAgent
from railhttp.resilience import AttemptTimeout, Bulkhead, RateLimiter
from railhttp.testing import ScriptedTransport

SECRET_URL: Final = "http://ann:s3cret@h/v1?key=s3cret"
REPRS: Final[dict[str, object]] = {
    "<RetryPolicy of 3 attempts>": RetryPolicy(),
    "<CircuitBreaker 'stock' closed>": CircuitBreaker(name="stock"),
    "<CircuitBreaker closed>": CircuitBreaker(),
    "<Bulkhead of 4, 0 running, 0 waiting>": Bulkhead(4),
    "<RateLimiter of 2.5 per second, 0 waiting>": RateLimiter(2.5),
    "<ResiliencePipeline of Bulkhead, RetryPolicy, AttemptTimeout>": ResiliencePipeline(
        AttemptTimeout(1.0), RetryPolicy(), Bulkhead(1)
    ),
    "<ResiliencePipeline>": ResiliencePipeline(),
    "<InterceptorChain of UserAgent, BearerAuth>": InterceptorChain(
        [UserAgent("shop/2.1"), BearerAuth("s3cret")]
    ),
    "<InterceptorChain>": InterceptorChain(),
    "<ConnectionPool of 10, not started>": ConnectionPool(proxy=SECRET_URL),
    "<HTTPClient not started>": HTTPClient(),
    "<BaseURLHTTPClient 'stock' http://h/v1?key=*** not started>": BaseURLHTTPClient(
        SECRET_URL, {"Authorization": "s3cret"}, name="stock"
    ),
}


@pytest.mark.parametrize("text", REPRS)
def test_a_part_says_what_it_is(text: str) -> None:
    assert repr(REPRS[text]) == text


async def test_a_client_says_whether_it_is_started() -> None:
    async with HTTPClient() as client, BaseURLHTTPClient("http://h/") as api:
        await api.start()
        assert repr(client) == "<HTTPClient started>"
        assert repr(client.pool) == "<ConnectionPool of 10, started>"
        assert repr(api) == "<BaseURLHTTPClient 'base-url-http-client' http://h/ started>"
    assert repr(client) == "<HTTPClient not started>"


async def test_a_stream_says_what_it_is() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1").reply(206)
    async with (
        HTTPClient(exchange=script) as client,
        client.stream("GET", "http://h/v1?key=s3cret") as response,
    ):
        assert repr(response) == "<StreamContext 206 GET http://h/v1?key=***>"
