"""The client of one service: its URLs, its headers and its life."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import pytest
from returns.result import Result
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left

from railhttp import (
    ConnectionPool,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientProtocol,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    RequestContext,
    RequestOptions,
    RetryPolicy,
)
from railhttp.client.base_url_client import BaseURLHTTPClient
from railhttp.interceptors import RequestInterceptor
from railhttp.pipeline.policies.breaker import CircuitBreaker


def seen(response: HttpResponse, name: str) -> list[str]:
    """The values of a header field that the server saw."""
    document = response.json()
    assert isinstance(document, dict)
    fields = document["headers"]
    assert isinstance(fields, list)
    pairs = [(str(field[0]), str(field[1])) for field in fields if isinstance(field, list)]
    return [value for key, value in pairs if key.lower() == name.lower()]


async def test_paths_are_put_behind_the_base_url(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url("/get/v1/", key="7")) as client:
        document = (await client.get("/users?page=2", params={"tag": "a"})).json()
    assert isinstance(document, dict)
    assert document["target"] == "/get/v1/users?key=7&page=2&tag=a"


@pytest.mark.parametrize("base", ["", "http://elsewhere.example/v1?key=7"])
async def test_an_absolute_url_is_left_alone(echo: EchoServer, base: str) -> None:
    async with BaseURLHTTPClient(base) as client:
        document = (await client.get(echo.url("/get/x").replace("http", "HTTP"))).json()
    assert isinstance(document, dict)
    assert document["target"] == "/get/x"


async def test_a_relative_url_needs_a_base() -> None:
    async with BaseURLHTTPClient() as client:
        with pytest.raises(HTTPInvalidRequestError) as caught:
            await client.get("/users")
    assert (caught.value.field, caught.value.attempts) == ("url", 0)


async def test_a_path_that_cannot_be_sent_is_refused_before_anything_starts() -> None:
    client = BaseURLHTTPClient("http://h/")
    with pytest.raises(HTTPInvalidRequestError) as caught:
        await client.get("/a\nb")
    assert (caught.value.field, caught.value.method) == ("path", "GET")


@pytest.mark.parametrize(
    ("base", "headers", "timeout"),
    [("ftp://h/", {}, 1.0), ("http://h/", {"a b": "c"}, 1.0), ("http://h/", {}, 0.0)],
)
def test_settings_are_checked_at_once(
    base: str, headers: Mapping[str, str], timeout: float
) -> None:
    with pytest.raises(HTTPValidationError):
        BaseURLHTTPClient(base, headers, timeout)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 300.0),
        ({"timeout": 60.0}, 60.0),
        ({"timeout": None}, None),
        ({"config": HTTPClientConfig(timeout=5)}, 5),
        ({"config": HTTPClientConfig(timeout=None, attempt_timeout=400)}, None),
        ({"config": HTTPClientConfig(timeout=5), "timeout": 300.0}, 300.0),
        ({"pool": ConnectionPool(timeout=7)}, 7),
        ({"pool": ConnectionPool(timeout=7), "timeout": 300.0}, 300.0),
        ({"pool": ConnectionPool(timeout=7), "config": HTTPClientConfig(timeout=5)}, 5),
    ],
)
def test_a_timeout_that_nobody_gave_gives_way_to_that_of_the_config_or_the_pool(
    given: dict[str, object], seconds: float | None
) -> None:
    client = BaseURLHTTPClient("http://h/", **given)  # type: ignore[arg-type]  # by name
    assert client._client.config.timeout == seconds


# -- header fields --------------------------------------------------------------------------


async def test_default_headers_are_merged_whatever_their_case(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url(""), {"X-Id": "7", "accept": "a/b"}) as client:
        plain = await client.get("/get")
        none = await client.get("/get", headers=None)
        own = await client.get("/get", headers={"Accept": "c/d"})
    assert (seen(none, "X-Id"), seen(none, "Accept")) == (["7"], ["a/b"])
    assert (seen(plain, "X-Id"), seen(plain, "Accept")) == (["7"], ["a/b"])
    assert (seen(own, "X-Id"), seen(own, "Accept")) == (["7"], ["c/d"])


@pytest.mark.parametrize("headers", [["X-Id"], {1: "x"}, {b"X-Id": "x"}])
async def test_headers_that_are_none_are_refused(echo: EchoServer, headers: object) -> None:
    mistake: RequestOptions = {"headers": headers}  # type: ignore[typeddict-item]
    async with BaseURLHTTPClient(echo.url(""), {"X-Id": "7"}) as client:
        with pytest.raises(HTTPInvalidRequestError):
            await client.get("/get", **mistake)
        with pytest.raises(HTTPInvalidRequestError):
            async with client.sse("/get", **mistake):
                pass


SECRETS = {"Authorization": "Bearer t0ken", "x-api-key": "s3cret", "X-Mine": "m1ne", "X-Id": "7"}


def origin_elsewhere(echo: EchoServer) -> str:
    return echo.url("/get").replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("share", [False, True])
async def test_credentials_stay_at_home(echo: EchoServer, share: bool) -> None:
    config = HTTPClientConfig(secret_headers=frozenset({"X-Mine"}))
    async with BaseURLHTTPClient(
        echo.url(""), SECRETS, config=config, share_credentials=share
    ) as client:
        home = await client.get(echo.url("/get"))
        elsewhere = await client.get(origin_elsewhere(echo))
    for name, value in SECRETS.items():
        assert seen(home, name) == [value]
        assert seen(elsewhere, name) == ([value] if share or name == "X-Id" else [])


async def test_a_call_may_take_credentials_anywhere(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url(""), SECRETS) as client:
        response = await client.get(origin_elsewhere(echo), headers={"Authorization": "other"})
    assert seen(response, "Authorization") == ["other"]


async def test_without_a_base_url_there_is_no_other_origin(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(headers=SECRETS) as client:
        assert seen(await client.get(echo.url("/get")), "Authorization") == ["Bearer t0ken"]


async def test_credentials_of_the_base_url_stay_at_home(echo: EchoServer) -> None:
    base = echo.url("").replace("127.0.0.1", "ann:secret@127.0.0.1")
    async with BaseURLHTTPClient(base) as client:
        home, elsewhere = await client.get("/get"), await client.get(origin_elsewhere(echo))
    assert seen(home, "Authorization") == ["Basic YW5uOnNlY3JldA=="]
    assert seen(elsewhere, "Authorization") == []


# -- verbs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["get", "post", "put", "delete", "patch", "options"])
async def test_verbs_give_the_response_itself(echo: EchoServer, verb: str) -> None:
    async with BaseURLHTTPClient(echo.url("")) as client:
        response = await getattr(client, verb)("/get", params={"a": 1})
    assert response.json()["method"] == verb.upper()
    assert response.json()["query"] == [["a", "1"]]


async def test_head_has_no_body(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url("")) as client:
        response = await client.head("/get")
    assert (response.status, response.method, response.body) == (200, "HEAD", b"")


async def test_error_statuses_are_responses(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url(""), retry=RetryPolicy(max_attempts=1)) as client:
        assert [(await client.get(f"/status/{code}")).status for code in (404, 503)] == [404, 503]
        with pytest.raises(HTTPStatusError):
            (await client.get("/status/404")).raise_for_status()


async def test_failures_are_raised(faults: FaultServer) -> None:
    async with BaseURLHTTPClient(faults.url(), timeout=0.05) as client:
        with pytest.raises(HTTPTimeoutError):
            await client.get(faults.url("/stall-before-head"))


@pytest.mark.parametrize("verb", ["post", "put"])
@pytest.mark.parametrize(
    ("data", "options", "body", "content_type"),
    [
        ({"a": [1, {"b": None}]}, {}, '{"a":[1,{"b":null}]}', "application/json"),
        ({}, {}, "{}", "application/json"),
        (None, {"json": [1]}, "[1]", "application/json"),
        (b"raw", {}, "raw", "application/octet-stream"),
        ("text", {}, "text", "text/plain; charset=utf-8"),
        ([b"a", b"b"], {}, "ab", "application/octet-stream"),
        (None, {}, "", None),
    ],
)
async def test_a_dict_in_post_and_put_is_json_and_all_else_is_raw(
    echo: EchoServer,
    verb: str,
    data: dict[str, object] | bytes | str | list[bytes] | None,
    options: RequestOptions,
    body: str,
    content_type: str | None,
) -> None:
    async with BaseURLHTTPClient(echo.url("")) as client:
        response = await getattr(client, verb)("/get", data=data, **options)
    document = response.json()
    assert isinstance(document, dict)
    assert document["body"] == body
    assert seen(response, "Content-Type") == ([] if content_type is None else [content_type])


async def test_a_dict_is_a_form_in_all_other_verbs(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url("")) as client:
        document = (await client.patch("/get", data={"a": "1"})).json()
    assert isinstance(document, dict)
    assert document["body"] == "a=1"


async def test_two_bodies_are_refused() -> None:
    async with BaseURLHTTPClient("http://h/") as client:
        with pytest.raises(HTTPInvalidRequestError):
            await client.post("/", {"a": 1}, json=[1])
        with pytest.raises(HTTPInvalidRequestError):
            await client.post("/", b"a", json=[1])


async def test_a_form_is_answered_like_any_post(echo: EchoServer, faults: FaultServer) -> None:
    async with BaseURLHTTPClient(echo.url(""), retry=RetryPolicy(max_attempts=1)) as client:
        parts = (await client.post_multipart("/upload", {"a": "1"})).json()
        assert isinstance(parts, list)
        assert (await client.post_multipart("/status/503", {"a": "1"})).status == 503
        with pytest.raises(HTTPConnectionError):
            await client.post_multipart(faults.url("/reset-before-head"), {"a": "1"})


async def test_a_status_that_the_call_refuses_is_raised_for_a_form_too(echo: EchoServer) -> None:
    async def refuse(response: HttpResponse) -> None:
        response.raise_for_status()

    checks: tuple[bool | Callable[[HttpResponse], Awaitable[None]], ...] = (True, refuse)
    async with BaseURLHTTPClient(echo.url("")) as client:
        for check in checks:
            with pytest.raises(HTTPStatusError):
                await client.post_multipart("/status/503", {"a": "1"}, raise_for_status=check)


# -- life -----------------------------------------------------------------------------------


async def test_it_starts_with_its_first_request_and_again_after_its_end(echo: EchoServer) -> None:
    async with nothing_left():
        client = BaseURLHTTPClient(echo.url(""))
        for _ in range(2):
            assert (await client.get("/json")).ok
            await client.close()
        await client.stop()


async def test_many_first_requests_at_once_start_it_only_once(echo: EchoServer) -> None:
    async with nothing_left(), BaseURLHTTPClient(echo.url("")) as client:
        answers = await asyncio.gather(*(client.get("/json") for _ in range(20)))
    assert all(answer.ok for answer in answers)


async def test_it_serves_only_the_event_loop_of_its_first_request(echo: EchoServer) -> None:
    async with nothing_left(), BaseURLHTTPClient(echo.url("")) as client:
        assert (await client.get("/json")).ok
        with pytest.raises(HTTPConnectionError, match="another event loop") as caught:
            await asyncio.to_thread(lambda: asyncio.run(client.get("/json")))
        assert (caught.value.kind, caught.value.delivery) == ("closed", Delivery.NOT_SENT)
        assert (await client.get("/json")).ok


async def test_closing_ends_calls_under_way(faults: FaultServer) -> None:
    client = BaseURLHTTPClient(faults.url())
    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(client.close()))
    with pytest.raises(HTTPConnectionError) as caught:
        await client.get(faults.url("/stall-before-head"))
    assert caught.value.kind == "closed"


async def test_start_may_be_called_twice_and_its_name_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="railhttp")
    client = BaseURLHTTPClient(name="stock")
    await client.start()
    await client.start()
    await client.close()
    assert client.name == "stock"
    assert [record.getMessage() for record in caplog.records] == ["stock started", "stock closed"]


@pytest.mark.parametrize(("given", "seen"), [({"name": "stock"}, "stock"), ({}, None)])
async def test_interceptors_see_a_name_that_was_given_as_that_of_the_service(
    echo: EchoServer, given: dict[str, str], seen: str | None
) -> None:
    names: list[str | None] = []

    class Watching(RequestInterceptor):
        async def prepare(self, context: RequestContext) -> None:
            names.append(context.service_name)

    async with BaseURLHTTPClient(
        echo.url(""),
        interceptors=[Watching()],
        **given,  # type: ignore[arg-type]  # by name
    ) as client:
        await client.get("/json")
    assert names == [seen]


async def test_retry_policy_and_breaker_are_used(echo: EchoServer) -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    retry = RetryPolicy(base_delay=0.001, reraise=True)
    async with BaseURLHTTPClient(echo.url(""), None, 5.0, "stock", retry, breaker) as client:
        assert (await client.get("/flaky/a/1")).attempts == 2
        with pytest.raises(HTTPCircuitOpenError):
            await client.get("/status/500")


def test_it_is_a_client_as_the_protocol_has_it() -> None:
    plain: HTTPClientProtocol = BaseURLHTTPClient()
    railway: HTTPClientProtocol[Result[HttpResponse, HTTPFailure]] = HTTPClient()
    assert isinstance(plain, HTTPClientProtocol)
    assert isinstance(railway, HTTPClientProtocol)


# -- streams --------------------------------------------------------------------------------


async def test_streams_know_base_url_and_headers(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url(""), SECRETS) as client:
        async with client.stream("POST", "/get", json={"a": 1}) as response:
            response.raise_for_status()
            body = "".join([line async for line in response.aiter_lines()])
            assert "t0ken" in body
        async with client.stream("GET", origin_elsewhere(echo)) as response:
            assert "t0ken" not in "".join([line async for line in response.aiter_lines()])


async def test_documented_loop_over_lines(echo: EchoServer) -> None:
    async with (
        BaseURLHTTPClient(echo.url("")) as client,
        client.stream("GET", "/stream/3") as resp,
    ):
        assert [line async for line in resp.aiter_lines()] == ["line 0", "line 1", "line 2"]


async def test_it_has_events_too(echo: EchoServer) -> None:
    async with BaseURLHTTPClient(echo.url("")) as client:
        with pytest.raises(HTTPStatusError):
            async with client.sse("/status/404"):
                pass
