"""Calls as programs make them: URLs, parameters, headers and documents differ from call to call."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

import aiohttp

from benchmarks.cases.case import CONNECTIONS, Case, Send
from benchmarks.cases.clients import POOL, everything
from railhttp import HTTPClient, HTTPClientConfig, ResiliencePipeline
from railhttp.railway import run


class Call(NamedTuple):
    """One call.

    Attributes:
        method: The HTTP method.
        url: The whole URL.
        options: Keyword arguments that aiohttp, httpx, niquests and railhttp share.
    """

    method: str
    url: str
    options: dict[str, Any]


Row: TypeAlias = Callable[[str, int], Call]
"""Returns the call with a number, to a URL."""

Open: TypeAlias = Callable[[Row], Case]
"""Returns the case in which one client makes the calls of a row."""

_TOKEN: Final = {"Authorization": "Bearer abc"}


def same(url: str, number: int) -> Call:
    return Call("GET", url, {})


def one_header(url: str, number: int) -> Call:
    return Call("GET", url, {"headers": _TOKEN})


def differing_url(url: str, number: int) -> Call:
    return Call("GET", f"{url}?id={number}", {})


def all_differing(url: str, number: int) -> Call:
    params = {"page": str(number), "tag": "a b"}
    return Call("GET", url, {"params": params, "headers": _headers(number)})


def document(url: str, number: int) -> Call:
    content = {"id": number, "name": "Ann", "tags": ["a", "b"]}
    return Call("POST", f"{url}?id={number}", {"json": content, "headers": _headers(number)})


def _headers(number: int) -> dict[str, str]:
    return {**_TOKEN, "X-Request-Id": f"r-{number}", "Accept": "application/json"}


SAME: Final = "the same URL"
TLS: Final = "the same URL over TLS"
DIFFERING: Final = "URL, params and three headers that differ"
ROWS: Final[Mapping[str, Row]] = {
    "one header": one_header,
    "a URL that differs": differing_url,
    DIFFERING: all_differing,
    "POST of a small document, headers that differ": document,
    SAME: same,
}

# -- raw aiohttp ----------------------------------------------------------------------------


def raw_aiohttp(row: Row) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector) as session:
            numbers = count()

            async def send(url: str) -> object:
                method, target, options = row(url, next(numbers))
                async with session.request(method, target, **options) as response:
                    body = await response.read()
                return json.loads(body)

            yield send

    return case


# -- railhttp -------------------------------------------------------------------------------


def railhttp(row: Row) -> Case:
    return _verbs(row, lambda: HTTPClient(HTTPClientConfig(pool=POOL)))


def railhttp_with_everything(row: Row) -> Case:
    return _verbs(row, lambda: everything(HTTPClientConfig(pool=POOL)))


def railhttp_standard(row: Row) -> Case:
    config = HTTPClientConfig(pool=POOL)
    return _verbs(row, lambda: HTTPClient(config, resilience=ResiliencePipeline.standard()))


def railhttp_as_documented(row: Row) -> Case:
    """Return the case of `HTTPClient()`, which opens ten connections at most."""
    return _verbs(row, HTTPClient)


def railhttp_future(row: Row) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        async with HTTPClient(HTTPClientConfig(pool=POOL)) as client:
            verbs = {"GET": client.future.get, "POST": client.future.post}
            numbers = count()

            async def send(url: str) -> object:
                method, target, options = row(url, next(numbers))
                return (await run(verbs[method](target, **options))).unwrap().json()

            yield send

    return case


def _verbs(row: Row, new: Callable[[], HTTPClient]) -> Case:
    @asynccontextmanager
    async def case() -> AsyncIterator[Send]:
        async with new() as client:
            verbs = {"GET": client.get, "POST": client.post}
            numbers = count()

            async def send(url: str) -> object:
                method, target, options = row(url, next(numbers))
                return (await verbs[method](target, **options)).unwrap().json()

            yield send

    return case


def named(client: str, call: str) -> str:
    """Return the name of the case in which a client makes a call.

    Example:
        >>> named("railhttp", SAME)
        'railhttp: the same URL'
    """
    return f"{client}: {call}"


def client_of(case: str) -> str:
    """Return the client of a case, the other way round."""
    return case.partition(": ")[0]


def call_of(case: str) -> str:
    """Return the call of a case, empty for a case that has one call only."""
    return case.partition(": ")[2]


CASES: Final[Mapping[str, Case]] = {
    **{named("raw aiohttp", call): raw_aiohttp(row) for call, row in ROWS.items()},
    **{named("railhttp", call): railhttp(row) for call, row in ROWS.items()},
    named("raw aiohttp", TLS): raw_aiohttp(same),
    named("railhttp", TLS): railhttp(same),
    named("railhttp with everything", SAME): railhttp_with_everything(same),
    named("railhttp with everything", DIFFERING): railhttp_with_everything(all_differing),
    named("railhttp with standard()", SAME): railhttp_standard(same),
    named("railhttp as documented", SAME): railhttp_as_documented(same),
    named("railhttp future", SAME): railhttp_future(same),
}
