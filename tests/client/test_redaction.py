"""No secret of a call stands in what a failure of it says, pickled and with its causes too."""

import os
import pickle
import string
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

import pytest
from returns.methods import unwrap_or_failure
from returns.result import Failure
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HttpResponse,
    HTTPStatusError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.headers import bearer_auth
from railhttp.railway import expect, run, then
from railhttp.resilience import RetryEvent

SECRETS: Final = {
    place: letter * 12
    for place, letter in zip(
        ("user", "password", "query", "fragment", "header", "cookie", "body", "own header"),
        string.ascii_uppercase,
        strict=False,
    )
}


def secret_url(url: str) -> str:
    user = f"{SECRETS['user']}:{SECRETS['password']}@"
    joint = "&" if "?" in url else "?"
    return f"{url.replace('://', f'://{user}')}{joint}k={SECRETS['query']}#{SECRETS['fragment']}"


def secret_options() -> RequestOptions:
    return {
        "headers": {**bearer_auth(SECRETS["header"]), "X-Mine": SECRETS["own header"]},
        "cookies": {"session": SECRETS["cookie"]},
        "data": SECRETS["body"],
        "read_timeout": 0.05,
        "timeout": 0.2,
    }


def told(error: BaseException) -> Iterator[str]:
    """Everything that anybody may get to read of a failure."""
    yield str(error)
    yield repr(error)
    yield repr(error.args)
    yield "".join(traceback.format_exception(error))
    pickled = pickle.loads(pickle.dumps(error))
    yield str(pickled)
    yield repr(pickle.dumps(error))
    yield repr(vars(error))


def assert_nothing_secret(error: BaseException) -> None:
    for text in told(error):
        found = [place for place, secret in SECRETS.items() if secret in text]
        assert found == [], text


FAILING: Final = (
    *("/reset-before-head", "/reset-in-body", "/reset-in-upload", "/close-before-head"),
    *("/stall-before-head", "/stall-in-body", "/stalled-upload", "/endless-continue"),
    *("/short-body", "/gzip-truncated", "/gzip-corrupt", "/bad-chunk-in-body", "/garbage"),
    *("/bad-header-line", "/header-line-too-long", "/too-many-headers", "/unasked-101"),
    *("/redirect-loop", "/redirect-bad-url", "/redirect-ftp", "/early-413"),
)


@pytest.mark.parametrize("path", FAILING)
async def test_no_failure_of_a_real_call_tells_a_secret(faults: FaultServer, path: str) -> None:
    policy = RetryPolicy(max_attempts=2, base_delay=0.001)
    config = HTTPClientConfig(trust_env=False, total=True, secret_headers=frozenset({"x-mine"}))
    async with HTTPClient(config, retry_policy=policy) as client:
        for verb in (client.post, client.put):
            result = await verb(secret_url(faults.url(path)), **secret_options())
            assert_nothing_secret(result.failure())


BREAKING: Final[dict[str, Callable[[HTTPClient, str], Awaitable[object]]]] = {
    "header": lambda client, url: client.request(
        "GET", url, headers={"X-Mine": SECRETS["header"] + "\n"}
    ),
    "header name": lambda client, url: client.request(
        "GET", url, headers={SECRETS["header"] + " ": "x"}
    ),
    "cookie": lambda client, url: client.request(
        "GET", url, cookies={"a": SECRETS["cookie"] + "\n"}
    ),
    "scheme": lambda client, url: client.request("GET", url.replace("http:", "ftp:")),
    "port": lambda client, url: client.request("GET", url.replace("127.0.0.1:", "127.0.0.1:99999")),
    "proxy": lambda client, url: client.request("GET", url, proxy=url.replace("http:", "socks5:")),
    "body": lambda client, url: client.request("POST", url, json={SECRETS["body"]: {1}}),
    "params": lambda client, url: client.request(
        "GET",
        url,
        params={"k": SECRETS["query"].encode()},  # type: ignore[dict-item]  # what is tested
    ),
}


@pytest.mark.parametrize("what", BREAKING)
async def test_no_refusal_tells_a_secret(client: HTTPClient, what: str) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await BREAKING[what](client, secret_url("http://127.0.0.1:80/"))
    assert_nothing_secret(caught.value)


async def test_no_connection_failure_tells_a_secret(client: HTTPClient) -> None:
    with refused_port() as port:
        for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/"):
            for options in (secret_options(), {**secret_options(), "proxy": secret_url(url)}):
                outcome = unwrap_or_failure(await client.get(secret_url(url), **options))
                assert isinstance(outcome, HTTPClientError)
                assert_nothing_secret(outcome)


async def test_what_a_failure_came_from_holds_no_secret_either(faults: FaultServer) -> None:
    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        result = await client.get(
            faults.url("/negative-length", token="s3cret"), headers=bearer_auth("s3cret")
        )
    seen: BaseException | None = result.failure()
    while seen is not None:
        assert "s3cret" not in f"{seen!r} {seen}"
        seen = seen.__context__


async def of_a_stream(client: HTTPClient, url: str) -> None:
    async with client.stream("GET", url) as stream:
        stream.raise_for_status()


async def of_events(client: HTTPClient, url: str) -> None:
    async with client.sse(url):
        pass


async def of_a_retry(client: HTTPClient, url: str) -> None:
    seen: list[RetryEvent] = []
    policy = RetryPolicy(2, 0.001, statuses={404}, on_retry=seen.append)
    await policy.execute(partial(client.request, "GET", url))
    raise seen[0].failure


FAILED_BY_STATUS: Final[dict[str, Callable[[HTTPClient, str], Awaitable[object]]]] = {
    "verb": lambda client, url: client.get(url),
    "raise_for_status": lambda client, url: client.request("GET", url),
    "expect": lambda client, url: run(then(expect(201))(client.future.get(url))),
    "stream": of_a_stream,
    "sse": of_events,
    "download": lambda client, url: client.download(url, os.devnull),
    "retry": of_a_retry,
}


@pytest.mark.parametrize("way", FAILED_BY_STATUS)
async def test_a_field_that_the_config_calls_secret_is_not_pickled(
    echo: EchoServer, way: str
) -> None:
    config = HTTPClientConfig(secret_headers=["Server"], trust_env=False)
    async with HTTPClient(config) as client:
        try:
            outcome = await FAILED_BY_STATUS[way](client, echo.url("/status/404"))
            if isinstance(outcome, HttpResponse):
                outcome.raise_for_status()
            assert isinstance(outcome, Failure)
            failure: object = outcome.failure()
        except HTTPStatusError as error:
            failure = error
    copied = pickle.loads(pickle.dumps(failure))
    assert isinstance(copied, HTTPStatusError)
    assert copied.response.headers["Server"] == "***"
