"""Layers around a call that opens no socket: ours, and those of resilience libraries."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, NoReturn, TypeAlias

from benchmarks.cases.clients import everything
from railhttp import HTTPClient, HttpResponse, RetryPolicy
from railhttp.endpoints import Service, get
from railhttp.headers import freeze_headers
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.resilience import ResiliencePipeline
from railhttp.pipeline.timeouts import Timeouts
from railhttp.railway import decode

Act: TypeAlias = Callable[[], Awaitable[object]]
Wrapper: TypeAlias = Callable[[], Act]

ANSWER: Final = HttpResponse(200, freeze_headers({"Content-Type": "text/plain"}), b"hello")
DOCUMENT: Final = HttpResponse(
    200, freeze_headers({"Content-Type": "application/json"}), b'{"id":7,"name":"Ann"}'
)
VERB: Final = "railhttp: client.get and decode"
ENDPOINT: Final = "railhttp: an endpoint"
_LIMIT: Final = 10.0  # seconds


class Echo:
    """An exchange that answers at once."""

    def __init__(self, answer: HttpResponse = ANSWER) -> None:
        self.answer = answer

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        return self.answer

    async def open(self, request: Request, progress: AttemptState) -> NoReturn:
        raise NotImplementedError


@dataclass(frozen=True)
class User:
    id: int
    name: str


@dataclass(frozen=True)
class UserNotFound:
    user_id: int


@dataclass(frozen=True)
class FindUser:
    user_id: int


class Users(Service):
    """A declared API."""

    find = get("/users/{user_id}", FindUser).gives(User).fails(404, UserNotFound)


_READ: Final = decode(User)


async def _decoded(client: HTTPClient) -> object:
    """What an endpoint does, by hand."""
    return (await client.get(f"http://service.example/users/{7}")).bind(_READ)


async def act() -> object:
    """What is protected."""
    return ANSWER


def nothing() -> Act:
    return act


def railhttp_retry() -> Act:
    policy = RetryPolicy()
    return lambda: policy.execute(act)


def railhttp_breaker() -> Act:
    breaker = CircuitBreaker()
    return lambda: breaker.call(act)


def railhttp_timeouts() -> Act:
    timeouts = Timeouts(SYSTEM_CLOCK, [_LIMIT])

    async def call() -> object:
        with timeouts.limit(_LIMIT):
            return await act()

    return call


def railhttp_pipeline() -> Act:
    pipeline = ResiliencePipeline(RetryPolicy(), CircuitBreaker(), AttemptTimeout(_LIMIT))
    return lambda: pipeline.execute(act)


def tenacity_retry() -> Act:
    module = import_module("tenacity")
    decorate = module.retry(
        stop=module.stop_after_attempt(3), wait=module.wait_random_exponential()
    )
    return _decorated(decorate)


def stamina_retry() -> Act:
    return _decorated(import_module("stamina").retry(on=ConnectionError, attempts=3))


def nopanic_retry() -> Act:
    return _decorated(import_module("nopanic").retry(attempts=3, on=ConnectionError))


def purgatory_breaker() -> Act:
    return _decorated(import_module("purgatory").AsyncCircuitBreakerFactory()("service"))


def nopanic_breaker() -> Act:
    return _decorated(import_module("nopanic").circuit_breaker())


def interlock_breaker() -> Act:
    breaker = import_module("interlock").CircuitBreaker(name="service")
    return _decorated(breaker)


def asyncio_timeout() -> Act:
    asyncio = import_module("asyncio")

    async def call() -> object:
        async with asyncio.timeout(_LIMIT):
            return await act()

    return call


def nopanic_timeout() -> Act:
    return _decorated(import_module("nopanic").timeout(_LIMIT))


def nopanic_pipeline() -> Act:
    nopanic = import_module("nopanic")
    layers = (
        nopanic.retry(attempts=3, on=ConnectionError),
        nopanic.circuit_breaker(),
        nopanic.timeout(_LIMIT),
    )
    return _decorated(nopanic.compose(*layers))


def interlock_pipeline() -> Act:
    interlock = import_module("interlock")
    builder = interlock.PipelineBuilder().retry(attempts=3)
    builder = builder.circuit_breaker(interlock.CircuitBreaker(name="service")).timeout(_LIMIT)
    pipeline = builder.build()
    call: Act = lambda: pipeline.call(act)  # noqa: E731  # its return type is Any
    return call


def _decorated(decorate: Any) -> Act:
    call: Act = decorate(act)
    return call


WRAPPERS: Final[Mapping[str, tuple[str, Wrapper]]] = {
    "nothing": ("railhttp", nothing),
    "retry: railhttp": ("railhttp", railhttp_retry),
    "retry: tenacity": ("tenacity", tenacity_retry),
    "retry: stamina": ("stamina", stamina_retry),
    "retry: nopanic": ("nopanic", nopanic_retry),
    "breaker: railhttp": ("railhttp", railhttp_breaker),
    "breaker: purgatory": ("purgatory", purgatory_breaker),
    "breaker: nopanic": ("nopanic", nopanic_breaker),
    "breaker: interlock-cb": ("interlock", interlock_breaker),
    "time limit: railhttp": ("railhttp", railhttp_timeouts),
    "time limit: asyncio.timeout": ("asyncio", asyncio_timeout),
    "time limit: nopanic": ("nopanic", nopanic_timeout),
    "retry, breaker, time limit: railhttp": ("railhttp", railhttp_pipeline),
    "retry, breaker, time limit: nopanic": ("nopanic", nopanic_pipeline),
    "retry, breaker, time limit: interlock-cb": ("interlock", interlock_pipeline),
}
"""What each case needs, and what makes it."""


@asynccontextmanager
async def clients() -> AsyncIterator[dict[str, Act]]:
    """Give whole clients whose exchange is in memory."""
    async with (
        HTTPClient(exchange=Echo()) as plain,
        HTTPClient(exchange=Echo(DOCUMENT)) as documents,
        everything(exchange=Echo()) as full,
    ):
        url = "http://service.example/"
        users = Users(documents, base_url="http://service.example")
        yield {
            "railhttp: client.request": lambda: plain.request("GET", url),
            "railhttp: client.get": lambda: plain.get(url),
            "railhttp: client.get with everything": lambda: full.get(url),
            VERB: lambda: _decoded(documents),
            ENDPOINT: lambda: users.find(7),
        }
