"""No frame of ours keeps a secret of the caller: `pytest -l` and error trackers show locals."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

import pytest
from returns.result import Result
from returns.unsafe import unsafe_perform_io
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

import railhttp
from railhttp import (
    BaseURLHTTPClient,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPError,
    HTTPRetryExhaustedError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.auth import (
    ApiKey,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    OAuth2ClientCredentials,
    OAuth2Refresh,
    SigV4,
    TokenAuth,
    Tokens,
)
from railhttp.headers import basic_auth, bearer_auth, validate_headers
from railhttp.protocols import InterceptorProtocol
from railhttp.sync import HTTPClient as SyncClient

SECRET: Final = "s3cretvalue"
SPELLINGS: Final = (
    SECRET,
    b64encode(f"ann:{SECRET}".encode()).decode(),
    b64encode(f"id:{SECRET}".encode()).decode(),
)
OURS: Final = str(Path(railhttp.__file__).parent)
CONFIG: Final = HTTPClientConfig(trust_env=False)
FAST: Final = RetryPolicy(base_delay=0.001, reraise=True)
LAST: Final = RetryPolicy(base_delay=0.001, reraise=False)


def errors_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it, whether a traceback would show them or not."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__]
        attempts: object = getattr(one, "attempts", None)
        if isinstance(attempts, list | tuple):
            pending += attempts


def frames_of(error: BaseException) -> Iterator[FrameType]:
    for one in errors_of(error):
        trace = one.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith(OURS) or (
                "aiohttp" in trace.tb_frame.f_code.co_filename
            ):
                yield trace.tb_frame
            trace = trace.tb_next


def shown(value: object) -> str:
    """Return what a tracker shows of a value: it walks containers, and calls `repr` of the rest."""
    match value:
        case dict():
            return " ".join(f"{name!r} {shown(item)}" for name, item in value.items())
        case list() | tuple() if not hasattr(value, "_fields"):
            return " ".join(map(shown, value))
        case _:
            return repr(value)


def revealed_by(error: BaseException) -> set[str]:
    """Return the frames and locals that show the secret."""
    return {
        f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_name}:{name}"
        for frame in frames_of(error)
        for name, value in frame.f_locals.items()
        if any(spelling in shown(value) for spelling in SPELLINGS)
    }


SECRETS: Final[dict[str, RequestOptions]] = {
    "fields": {
        "headers": [("Authorization", f"Bearer {SECRET}"), ("X-Api-Key", SECRET)],
        "cookies": {"session": SECRET},
        "params": {"token": SECRET},
        "data": {"password": SECRET},
    },
    "aiohttp's": {"auth": ("ann", SECRET), "json": {"password": SECRET}},
    "proxy": {"proxy": f"http://ann:{SECRET}@127.0.0.1:1"},
    "proxy_auth": {
        "proxy": "http://127.0.0.1:1",
        "proxy_auth": ("ann", SECRET),
        "proxy_headers": {"X-Proxy-Key": SECRET},
    },
    "user-info": {},
}


async def verb(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=FAST) as client:
        return await client.post(url, **options)


async def exhausted(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=LAST) as client:
        return await client.get(url, **options)


async def request(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=FAST) as client:
        return await client.request("POST", url, **options)


async def future(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=FAST) as client:
        return unsafe_perform_io((await client.future.post(url, **options)).failure())


async def stream(url: str, options: RequestOptions) -> object:
    async with (
        HTTPClient(CONFIG, retry_policy=FAST) as client,
        client.stream("POST", url, **options) as response,
    ):
        response.raise_for_status()
        return await response.read()


async def sse(url: str, options: RequestOptions) -> object:
    async with (
        HTTPClient(CONFIG, retry_policy=FAST) as client,
        client.sse(url, **options) as events,
    ):
        return [event async for event in events]


async def download(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=FAST) as client:
        return await client.download(url, "/nonexistent/file", **options)


async def base_url_client(url: str, options: RequestOptions) -> object:
    async with BaseURLHTTPClient(config=CONFIG, retry=FAST) as client:
        return await client.put(url, **options)


async def base_url_stream(url: str, options: RequestOptions) -> object:
    async with (
        BaseURLHTTPClient(config=CONFIG, retry=FAST) as client,
        client.stream("PUT", url, **options) as response,
    ):
        response.raise_for_status()
        return await response.read()


async def sync(url: str, options: RequestOptions) -> object:
    def run() -> object:
        with SyncClient(CONFIG, retry_policy=FAST) as client:
            return client.request("POST", url, **options)

    return await asyncio.to_thread(run)


async def sync_stream(url: str, options: RequestOptions) -> object:
    def run() -> object:
        with (
            SyncClient(CONFIG, retry_policy=FAST) as client,
            client.stream("POST", url, **options) as response,
        ):
            response.raise_for_status()
            return response.read()

    return await asyncio.to_thread(run)


async def cancelled(url: str, options: RequestOptions) -> object:
    async with HTTPClient(CONFIG, retry_policy=FAST) as client:
        task = asyncio.create_task(client.request("POST", url, **options))
        await asyncio.sleep(0.05)
        task.cancel()
        return await task


Way: TypeAlias = Callable[[str, RequestOptions], Awaitable[object]]
WAYS: Final[tuple[Way, ...]] = (
    *(verb, exhausted, request, future, stream, sse, download, base_url_client, base_url_stream),
    *(sync, sync_stream, cancelled),
)


async def error_of(way: Way, url: str, options: RequestOptions) -> BaseException | None:
    try:
        result = await way(url, options)
    except (HTTPError, TypeError, asyncio.CancelledError) as error:
        return error
    failure: object = result.swap().value_or(None) if isinstance(result, Result) else result
    return failure if isinstance(failure, BaseException) else None


ALWAYS: Final = frozenset({"refused", "bad timeout", "bad field", "bad URL", "unknown"})
"""Calls that fail whatever the way; the others end when the way gives up."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", SECRETS)
async def test_a_failure_shows_no_secret_of_the_call(
    faults: FaultServer, way: Way, secret: str
) -> None:
    revealed: dict[str, set[str]] = {}
    failed = set()
    with refused_port() as port:
        for name, place in {
            "refused": f"http://127.0.0.1:{port}/",
            "reset": faults.url("/reset-before-head"),
            "silent": faults.url("/stall-before-head"),
            "bad timeout": faults.url("/ok"),
            "bad field": faults.url("/ok"),
            "bad URL": "http://h:99999/",
            "unknown": faults.url("/ok"),
        }.items():
            user = f"ann:{SECRET}@" if secret == "user-info" else ""
            options: RequestOptions = {**SECRETS[secret]}
            if place.endswith("stall-before-head"):
                options["timeout"] = 0.1
            match name:
                case "bad timeout":
                    options["timeout"] = -1
                case "bad field":
                    options["idempotency_key"] = f"{SECRET}\n"
                case "unknown":
                    options = {**options, "verify": True}  # type: ignore[typeddict-unknown-key]
            error = await error_of(way, place.replace("://", f"://{user}"), options)
            if error is not None:
                failed.add(name)
                revealed[name] = revealed_by(error)
    assert failed >= ALWAYS
    assert revealed == {name: set() for name in failed}


@pytest.mark.parametrize(
    "make",
    [
        lambda: HTTPClient(CONFIG, retry_policy=LAST),
        lambda: BaseURLHTTPClient(config=CONFIG, retry=LAST),
    ],
    ids=["HTTPClient", "BaseURLHTTPClient"],
)
@pytest.mark.parametrize(
    "name", ["get", "post", "put", "delete", "patch", "head", "options", "post_multipart"]
)
async def test_no_verb_shows_a_secret_of_its_arguments(
    make: Callable[[], HTTPClient | BaseURLHTTPClient], name: str
) -> None:
    async with make() as client:

        async def way(url: str, options: RequestOptions) -> object:
            arguments: dict[str, object] = {**options}
            if name == "post_multipart":
                arguments["fields"] = arguments.pop("data", {"password": SECRET})
            result: object = await getattr(client, name)(url, **arguments)
            return result

        for secret in ("fields", "user-info"):
            with refused_port() as port:
                user = f"ann:{SECRET}@" if secret == "user-info" else ""
                error = await error_of(way, f"http://{user}127.0.0.1:{port}/", SECRETS[secret])
            assert isinstance(error, HTTPRetryExhaustedError)
            assert revealed_by(error) == set()


MISTAKES: Final[dict[str, Callable[[], object]]] = {
    "basic_auth": lambda: basic_auth("ann", f"{SECRET}\n"),
    "basic_auth, the name": lambda: basic_auth("a:b", SECRET),
    "bearer_auth": lambda: bearer_auth(f"{SECRET}\n"),
    "validate_headers": lambda: validate_headers({"Authorization": f"{SECRET}\n"}),
    "ApiKey": lambda: ApiKey(f"{SECRET}\n"),
    "BasicAuth": lambda: BasicAuth("a:b", SECRET),
    "BearerAuth": lambda: BearerAuth(f"{SECRET}\n"),
    "DigestAuth": lambda: DigestAuth("a:b", SECRET),
    "SigV4": lambda: SigV4("", SECRET, "eu", "s3"),
    "OAuth2ClientCredentials": lambda: OAuth2ClientCredentials("x", "id", SECRET),
    "OAuth2Refresh": lambda: OAuth2Refresh("x", "id", SECRET, tokens=Stored()),
    "a proxy": lambda: HTTPClientConfig(proxy=f"ftp://ann:{SECRET}@h"),
    "default fields": lambda: HTTPClient(headers={"Authorization": f"{SECRET}\n"}),
    "a base URL": lambda: BaseURLHTTPClient(f"http://ann:{SECRET}@h:99999"),
}


class Stored:
    """A store of tokens."""

    async def load(self) -> Tokens | None:
        return Tokens("", SECRET)

    async def save(self, tokens: Tokens) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_no_secret_of_an_argument(mistake: str) -> None:
    with pytest.raises(HTTPError) as caught:
        MISTAKES[mistake]()
    assert revealed_by(caught.value) == set()


CREDENTIALS: Final[dict[str, Callable[[str], InterceptorProtocol]]] = {
    "ApiKey": lambda _: ApiKey(SECRET),
    "BasicAuth": lambda _: BasicAuth("ann", SECRET),
    "BearerAuth": lambda _: BearerAuth(SECRET),
    "a bad token": lambda _: BearerAuth(lambda: f"{SECRET}\n"),
    "SigV4": lambda _: SigV4("AK", SECRET, "eu", "s3", session_token=SECRET),
    "OAuth2ClientCredentials": lambda url: OAuth2ClientCredentials(url, "id", SECRET),
    "OAuth2Refresh": lambda url: OAuth2Refresh(url, "id", SECRET, tokens=Stored()),
    "OAuth2Refresh, in the form": lambda url: OAuth2Refresh(url, SECRET, tokens=Stored()),
    "TokenAuth": lambda _: TokenAuth(failing_fetch),
    "TokenAuth, a bad token": lambda _: TokenAuth(bad_fetch),
}


async def bad_fetch() -> str:
    return f"{SECRET}\n"


async def failing_fetch() -> str:
    raise PermissionError


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("way", [verb, stream])
async def test_a_failure_shows_no_credential_of_an_interceptor(
    faults: FaultServer, credential: str, way: Way
) -> None:
    interceptor = CREDENTIALS[credential](faults.url("/reset-before-head"))
    policy = RetryPolicy(max_attempts=1, reraise=True)
    async with HTTPClient(CONFIG, retry_policy=policy, interceptors=[interceptor]) as client:
        if way is verb:
            error: BaseException = (await client.get(faults.url("/reset-before-head"))).failure()
        else:
            with pytest.raises(HTTPError) as caught:
                await client.stream("GET", faults.url("/reset-before-head")).__aenter__()
            error = caught.value
    assert revealed_by(error) == set()


async def test_a_failure_after_a_redirect_shows_no_secret_of_its_location() -> None:
    with refused_port() as port:
        target = f"Location: http://ann:{SECRET}@127.0.0.1:{port}/?signature={SECRET}"
        away = sends(answer(b"", target, status="302 Found"))
        async with ScriptedServer(away) as server, HTTPClient(CONFIG) as client:
            failure = (await client.get(server.url(), retries=0)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "connect"
    assert revealed_by(failure) == set()
