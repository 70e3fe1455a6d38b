"""railhttp, as it comes and with everything switched on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from benchmarks.cases.case import CONNECTIONS, Case, Send
from railhttp import (
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HttpResponse,
    RequestContext,
    RetryPolicy,
)
from railhttp.events import HTTPEvent
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.protocols import Exchange

POOL: Final = ConnectionPoolConfig(
    max_connections=CONNECTIONS,
    max_connections_per_host=CONNECTIONS,
    max_keepalive_connections=CONNECTIONS,
)


class Passing:
    """An interceptor that does nothing."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return response


class Counting(Passing):
    """An interceptor that looks at each answer."""

    def __init__(self) -> None:
        self.failed = 0

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        self.failed += not response.ok
        return response


class Tally:
    """A recorder that counts what it is told, and an observer that counts events."""

    def __init__(self) -> None:
        self.count = 0

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        self.count += 1

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        self.count += 1

    def histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        self.count += 1

    def observe(self, event: HTTPEvent) -> None:
        self.count += 1


@asynccontextmanager
async def plain(*, trust_env: bool = True) -> AsyncIterator[Send]:
    """The default verb."""
    async with HTTPClient(HTTPClientConfig(pool=POOL, trust_env=trust_env)) as client:
        yield verb(client)


def everything(
    config: HTTPClientConfig | None = None, exchange: Exchange | None = None
) -> HTTPClient:
    """Give a client with retry, breakers, two interceptors, metrics and an observer."""
    tally = Tally()
    return HTTPClient(
        config,
        retry_policy=RetryPolicy(),
        circuit_breaker=OriginBreakers(),
        interceptors=[Passing(), Counting()],
        metrics=tally,
        observers=[tally.observe],
        exchange=exchange,
    )


@asynccontextmanager
async def full() -> AsyncIterator[Send]:
    """The default verb of a client with everything."""
    async with everything(HTTPClientConfig(pool=POOL)) as client:
        yield verb(client)


def verb(client: HTTPClient) -> Send:
    """Give what a user would write."""

    async def send(url: str) -> object:
        result = await client.get(url)
        return result.unwrap().json()

    return send


CASES: Final[Mapping[str, Case]] = {
    "railhttp": plain,
    "railhttp with everything": full,
    "railhttp without environment": partial(plain, trust_env=False),
    "railhttp with environment proxies": plain,
}

ENVIRONMENTS: Final = {
    "railhttp with environment proxies": {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "localhost,.example.org,10.0.0.0/8,127.0.0.0/8",
    }
}
