"""Other clients, each in the way its documentation shows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from itertools import count
from typing import Any, Final, TypeAlias

import msgspec

from benchmarks.cases.case import CONNECTIONS, Case, Send
from benchmarks.cases.everyday import ROWS, SAME, Call, Open, Row, named, raw_aiohttp
from benchmarks.cases.sdk import DEFAULTS, SDK, User, base, change, path

Perform: TypeAlias = Callable[[Call], Awaitable[bytes]]
"""Makes a call, and returns the body of the response."""

Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Any]]
"""Opens a client; `base_url` and `headers` are for an SDK."""


# -- httpx, httpx2 and niquests share aiohttp's words -----------------------------------------


def _httpx(package: str) -> Connect:
    def connect(**options: Any) -> AbstractAsyncContextManager[Any]:
        module = import_module(package)
        # It looks at every idle connection for each request; more of them would slow it down.
        limits = module.Limits(max_connections=CONNECTIONS, max_keepalive_connections=20)
        client: AbstractAsyncContextManager[Any] = module.AsyncClient(limits=limits, **options)
        return client

    return connect


@asynccontextmanager
async def _niquests(
    base_url: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Any]:
    session = import_module("niquests").AsyncSession(
        pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS, base_url=base_url or None
    )
    async with session:
        session.headers.update(headers or {})
        yield session


def _calls(connect: Connect) -> Open:
    """Return what makes the calls of a row with `client.request(method, url, **options)`."""

    def open_row(row: Row) -> Case:
        @asynccontextmanager
        async def case() -> AsyncIterator[Send]:
            async with connect() as client:
                numbers = count()

                async def send(url: str) -> object:
                    method, target, options = row(url, next(numbers))
                    return (await client.request(method, target, **options)).json()

                yield send

        return case

    return open_row


def _sdk(connect: Connect) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        async with connect(base_url=base(), headers=DEFAULTS) as client:
            numbers = count()

            async def send(url: str) -> object:
                number = next(numbers)
                response = await client.patch(path(number), json=change(number))
                return msgspec.json.decode(response.content, type=User).id

            yield send

    return case


# -- clients in Rust --------------------------------------------------------------------------


def pyreqwest(row: Row) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        async with import_module("pyreqwest.client").ClientBuilder().build() as client:
            numbers = count()

            async def send(url: str) -> object:
                method, target, options = row(url, next(numbers))
                request = client.request(method, target)
                if headers := options.get("headers"):
                    request = request.headers(headers)
                if params := options.get("params"):
                    request = request.query(params)
                if document := options.get("json"):
                    request = request.body_json(document)
                response = await request.build().send()
                return await response.json()

            yield send

    return case


@asynccontextmanager
async def sdk_on_pyreqwest() -> AsyncIterator[Send]:
    builder = import_module("pyreqwest.client").ClientBuilder()
    builder = builder.base_url(f"{base()}/").default_headers(DEFAULTS)
    async with builder.build() as client:
        numbers = count()

        async def send(url: str) -> object:
            number = next(numbers)
            request = client.patch(path(number)).body_json(change(number))
            response = await request.build().send()
            return msgspec.json.decode((await response.bytes()).to_bytes(), type=User).id

        yield send


def pyqwest(row: Row) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        module = import_module("pyqwest")
        async with module.HTTPTransport() as transport:
            client = module.Client(transport)
            numbers = count()

            async def send(url: str) -> object:
                method, target, options = row(url, next(numbers))
                response = await client.execute(
                    *(method, target, options.get("headers"), options.get("json")),
                    params=options.get("params"),
                )
                return response.json()

            yield send

    return case


# -- another client on aiohttp ----------------------------------------------------------------


@asynccontextmanager
async def lexigram_http() -> AsyncIterator[Send]:
    """A client with the same API, on aiohttp too."""
    module = import_module("lexigram.http")
    pool = module.HTTPClientConfig().pool.model_copy(
        update={"max_connections": CONNECTIONS, "max_connections_per_host": CONNECTIONS}
    )
    config = module.HTTPClientConfig(pool=pool, enforce_url_safety=False)  # it refuses loopback
    async with module.HTTPClient.session_context(config) as client:

        async def send(url: str) -> object:
            result = await client.get(url)
            return result.unwrap().json

        yield send


ROW_CLIENTS: Final[Mapping[str, Open]] = {
    "pyreqwest": pyreqwest,
    "pyqwest": pyqwest,
    "httpx": _calls(_httpx("httpx")),
    "httpx2": _calls(_httpx("httpx2")),
    "niquests": _calls(_niquests),
}
PEERS: Final = (*ROW_CLIENTS, "lexigram-http")
"""Named like their packages, and imported by name, as a bare checkout does without them."""

CASES: Final[Mapping[str, Case]] = {
    "raw aiohttp": raw_aiohttp(ROWS[SAME]),
    **{
        named(client, call): new(row)
        for client, new in ROW_CLIENTS.items()
        for call, row in ROWS.items()
    },
    named("lexigram-http", SAME): lexigram_http,
    named("httpx", SDK): _sdk(_httpx("httpx")),
    named("httpx2", SDK): _sdk(_httpx("httpx2")),
    named("niquests", SDK): _sdk(_niquests),
    named("pyreqwest", SDK): sdk_on_pyreqwest,
}
