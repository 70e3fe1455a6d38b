"""What the ready-made interceptors add, to which requests, and what they refuse."""

import asyncio
from collections.abc import Callable

import pytest

from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.pipeline.interceptors.standard import (
    ApiKey,
    BasicAuth,
    BearerAuth,
    CorrelationId,
    RequestInterceptor,
    UserAgent,
)
from railhttp.version import __version__


async def present_token() -> str:
    return "t0ken"


@pytest.mark.parametrize(
    ("interceptor", "fields"),
    [
        (BearerAuth("t0ken"), {"Authorization": "Bearer t0ken"}),
        (BearerAuth(lambda: "t0ken"), {"Authorization": "Bearer t0ken"}),
        (BearerAuth(present_token), {"Authorization": "Bearer t0ken"}),
        (BasicAuth("ann", "s3cret"), {"Authorization": "Basic YW5uOnMzY3JldA=="}),
        (ApiKey("k3y"), {"X-Api-Key": "k3y"}),
        (ApiKey("k3y", "X-Shop-Key"), {"X-Shop-Key": "k3y"}),
        (CorrelationId(), {"X-Correlation-ID": "call-1"}),
        (CorrelationId("X-Request-ID"), {"X-Request-ID": "call-1"}),
        (CorrelationId(current=lambda: "order-7"), {"X-Correlation-ID": "order-7"}),
        (CorrelationId(current=lambda: None), {"X-Correlation-ID": "call-1"}),
        (UserAgent("shop/2.1"), {"User-Agent": f"shop/2.1 railhttp/{__version__}"}),
    ],
)
async def test_each_adds_its_field(interceptor: RequestInterceptor, fields: dict[str, str]) -> None:
    context = RequestContext("GET", "https://api.example/", call_id="call-1")
    assert (await interceptor.intercept_request(context)).headers == fields


async def test_a_call_that_gives_up_leaves_the_token_to_the_others_who_wait_for_it() -> None:
    token = asyncio.get_running_loop().create_future()
    interceptor = BearerAuth(lambda: token)
    hasty, patient = (
        asyncio.ensure_future(interceptor.intercept_request(RequestContext("GET", "http://h/")))
        for _ in range(2)
    )
    await asyncio.sleep(0)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    token.set_result("t0ken")
    assert (await patient).headers == {"Authorization": "Bearer t0ken"}


@pytest.mark.parametrize(
    ("interceptor", "field"),
    [
        (BearerAuth("t0ken"), "authorization"),
        (BasicAuth("ann", "s3cret"), "AUTHORIZATION"),
        (ApiKey("k3y"), "x-api-key"),
        (CorrelationId(), "x-correlation-id"),
        (UserAgent("shop/2.1"), "user-agent"),
    ],
)
async def test_the_callers_own_field_stays(interceptor: RequestInterceptor, field: str) -> None:
    context = RequestContext("GET", "https://api.example/", {field: "mine"})
    assert (await interceptor.intercept_request(context)).headers == {field: "mine"}


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/",
        "https://api.example:8443/",
        "https://api.example.evil/",
        "https://evil/?https://api.example/",
    ],
)
@pytest.mark.parametrize(
    "interceptor",
    [
        BearerAuth("t0ken", origin="https://api.example"),
        BasicAuth("ann", "s3cret", origin="https://api.example/v1"),
        ApiKey("k3y", origin="https://API.example:443"),
    ],
)
async def test_credentials_go_to_their_origin_only(
    interceptor: RequestInterceptor, url: str
) -> None:
    theirs = RequestContext("GET", "https://api.example/v2")
    assert (await interceptor.intercept_request(theirs)).headers
    assert not (await interceptor.intercept_request(RequestContext("GET", url))).headers


@pytest.mark.parametrize(
    "build",
    [
        lambda: BearerAuth("two words"),
        lambda: BearerAuth("t", origin="api.example"),
        lambda: BasicAuth("ann:", "x"),
        lambda: ApiKey("k\n"),
        lambda: ApiKey("k", "X Key"),
        lambda: CorrelationId("X Id"),
        lambda: UserAgent("shop\r\nHost: evil"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_built(
    build: Callable[[], RequestInterceptor],
) -> None:
    with pytest.raises(HTTPValidationError):
        build()


async def test_a_bad_token_that_comes_later_is_refused_without_being_shown() -> None:
    with pytest.raises(HTTPValidationError) as refusal:
        await BearerAuth(lambda: "bad t0ken").intercept_request(RequestContext("GET", "http://h/"))
    assert "t0ken" not in str(refusal.value)


async def test_responses_pass() -> None:
    response = HttpResponse(200)
    assert await UserAgent("shop/2.1").intercept_response(response) is response


async def test_an_interceptor_of_ones_own_says_what_it_does() -> None:
    with pytest.raises(NotImplementedError):
        await RequestInterceptor().intercept_request(RequestContext("GET", "http://h/"))


@pytest.mark.parametrize(
    ("url", "home", "applies"),
    [
        ("http://h/a", "", True),
        ("http://h/a", "http://h", True),
        ("http://h:80/a", "http://h", True),
        ("http://H/a", "http://h", True),
        ("http://h?a", "http://h", True),
        ("http://h", "http://h", True),
        ("https://h/a", "http://h", False),
        ("http://h:81/a", "http://h", False),
        ("http://h.test/a", "http://h", False),
        ("http://other/a", "http://h", False),
    ],
)
async def test_a_credential_belongs_to_the_origin_of_the_base_url(
    url: str, home: str, applies: bool
) -> None:
    context = RequestContext("GET", url, base_origin=home)
    assert BearerAuth("t").applies(context) is applies
    assert CorrelationId().applies(context) is True
    assert BearerAuth("t", origin="http://h/").applies(context) is applies
