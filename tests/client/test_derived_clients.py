"""Clients that differ in some settings, and share everything else."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, ParamSpec, TypeVar

import pytest
from tests.servers.echo import EchoServer

from railhttp import (
    BaseURLHTTPClient,
    CircuitBreaker,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    HTTPRetryExhaustedError,
    HTTPValidationError,
    RequestContext,
    RetryPolicy,
    RetryPolicyProtocol,
)
from railhttp.interceptors import BearerAuth, RequestInterceptor
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.testing.clock import ManualTimer
from railhttp.transport.pool import ConnectionPool

P = ParamSpec("P")
T = TypeVar("T")
BASE: Final = "https://api.example/v1"
CONFIG: Final = HTTPClientConfig(trust_env=False)
EAGER: Final = RetryPolicy(base_delay=0, reraise=True)


def failing(path: str = "/v1/stock") -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", path).fail(ConnectionResetError())
    return script


async def test_a_derived_client_shares_the_connections(echo: EchoServer) -> None:
    async with HTTPClient(CONFIG, base_url=echo.url("")) as client:
        derived = client.with_options(timeout=2, headers={"X-Team": "stock"})
        assert (derived.pool is client.pool, derived.config.timeout) == (True, 2)
        assert '["X-Team", "stock"]' in (await derived.get("/get")).unwrap().text
        async with derived:
            pass
        assert (await client.get("/get")).unwrap().ok
    assert not client.pool.is_started()


async def test_one_that_was_started_alone_stops_the_client_too(echo: EchoServer) -> None:
    client = HTTPClient(CONFIG)
    async with client.with_options(timeout=2) as derived:
        assert (await derived.get(echo.url())).unwrap().ok
    assert not client.pool.is_started()


async def test_stopping_the_client_ends_the_derived_ones() -> None:
    client = HTTPClient(CONFIG, exchange=failing())
    derived = client.with_options(base_url=BASE)
    await client.start()
    await client.stop()
    failure = (await derived.get("/stock")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"


async def test_state_is_shared() -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    async with HTTPClient(
        CONFIG, exchange=failing(), circuit_breaker=breaker, retry_policy=RetryPolicy(1)
    ) as client:
        derived = client.with_options(base_url=BASE, total=True)
        assert (await derived.get("/stock")).failure().label == "disconnected"
        assert type((await derived.get("/stock")).failure()).__name__ == "HTTPCircuitOpenError"


async def test_the_policy_and_the_verbs_may_differ() -> None:
    script = failing()
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        strict = client.with_options(retry_policy=RetryPolicy(2, base_delay=0))
        with pytest.raises(HTTPRetryExhaustedError):
            await strict.get("/stock")
        assert len(script.calls) == 2
        total = strict.with_options(total=True)
        assert isinstance((await total.get("/stock")).failure(), HTTPRetryExhaustedError)


async def test_secrets_do_not_move_to_another_base_url() -> None:
    script = ScriptedTransport()
    script.on("GET", "/stock").reply(200)
    headers = {"Authorization": "Bearer s3cret", "X-Team": "stock"}
    async with HTTPClient(
        CONFIG, exchange=script, base_url=BASE, headers=headers, interceptors=[BearerAuth("t")]
    ) as client:
        other = client.with_options(base_url="https://other.example")
        await other.get("/stock")
        fields = script.calls[0].headers
        assert ("Authorization" in fields, fields["X-Team"]) == (False, "stock")
        await other.with_options(headers={"Authorization": "Bearer theirs"}).get("/stock")
        assert script.calls[1].headers["Authorization"] == "Bearer theirs"


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (2, 3), (4, 5)])
async def test_a_call_names_its_number_of_retries(retries: int, tries: int) -> None:
    script = failing()
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        assert (await client.get("/stock", retries=retries)).failure().attempts == tries
    assert len(script.calls) == tries


class Once:
    """A policy of another library."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await func(*args, **kwargs)


@pytest.mark.parametrize(
    ("policy", "retries", "kind"),
    [
        (None, 0, HTTPConnectionError),
        (None, 2, HTTPConnectionError),
        (RetryPolicy(base_delay=0), 0, HTTPConnectionError),
        (RetryPolicy(base_delay=0), 2, HTTPRetryExhaustedError),
        (EAGER, 2, HTTPConnectionError),
        (Once(), 0, HTTPConnectionError),
    ],
)
async def test_the_failure_of_a_call_with_a_number_of_retries(
    policy: RetryPolicyProtocol | None, retries: int, kind: type[HTTPClientError]
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/v1/stock").fail(ConnectionResetError())

    async def main() -> None:
        async with HTTPClient(
            CONFIG, exchange=script, clock=clock, base_url=BASE, retry_policy=policy
        ) as client:
            await client.request("GET", "/stock", retries=retries)

    with pytest.raises(HTTPClientError) as caught:
        await clock.run(main())
    assert type(caught.value) is kind
    assert caught.value.attempts == len(script.calls) == retries + 1


async def test_a_policy_of_another_library_has_no_number_of_retries() -> None:
    script = failing()
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=Once()) as client:
        failure = (await client.get("/stock", retries=1)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.method, failure.url, failure.attempts) == (
        *("retries", "GET", f"{BASE}/stock", 0),
    )
    assert not script.calls


async def test_a_call_names_its_policy_and_may_be_a_stream() -> None:
    script = failing()
    patient = RetryPolicy(5, base_delay=0, reraise=True)
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, retry_policy=EAGER) as client:
        await client.get("/stock", retry_policy=patient)
        assert len(script.calls) == 5
        with pytest.raises(HTTPConnectionError):
            async with client.stream("GET", "/stock", retries=0):
                pytest.fail("it opened")
    assert len(script.calls) == 6


async def test_two_policies_of_a_call_are_refused() -> None:
    async with HTTPClient(CONFIG, exchange=failing(), base_url=BASE) as client:
        failure = (await client.get("/stock", retries=1, retry_policy=EAGER)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "retries"


def test_wrong_settings_are_refused_by_name() -> None:
    client = HTTPClient(CONFIG)
    with pytest.raises(HTTPValidationError, match="timeout"):
        client.with_options(timeout=-1)
    with pytest.raises(TypeError, match="'tries'"):
        client.with_options(tries=1)  # type: ignore[call-arg]  # wrong on purpose


async def test_the_client_that_raises_has_derived_ones_too() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1/stock").reply(200)
    async with BaseURLHTTPClient(BASE, config=CONFIG, exchange=script) as client:
        await client.start()
        derived = client.with_options(headers={"X-Team": "stock"})
        assert (await derived.get("/stock")).ok
    assert script.calls[0].headers["X-Team"] == "stock"


OTHER: Final[dict[str, object]] = {
    "timeout": 40.0,
    "attempt_timeout": 7.0,
    "connect_timeout": 8.0,
    "read_timeout": 9.0,
    "max_response_bytes": 10,
    "max_redirects": 11,
    "allow_insecure_redirects": True,
    "total": True,
}


@pytest.mark.parametrize("setting", OTHER)
def test_a_derived_client_differs_in_the_setting_that_is_given(setting: str) -> None:
    config = HTTPClientConfig(attempt_timeout=3.0, connect_timeout=4.0, read_timeout=5.0)
    options = {setting: OTHER[setting]}
    derived = HTTPClient(config).with_options(**options)  # type: ignore[arg-type]  # one of them
    assert derived.config == replace(config, **options)  # type: ignore[arg-type]
    assert derived.config != config


@pytest.mark.parametrize("limit", ["attempt_timeout", "connect_timeout", "read_timeout"])
def test_a_shorter_timeout_shortens_the_limits_within_it(limit: str) -> None:
    limits = {limit: 9.0}
    client = HTTPClient(HTTPClientConfig(**limits))  # type: ignore[arg-type]  # a limit

    def limit_with(timeout: float | None) -> object:
        return getattr(client.with_options(timeout=timeout).config, limit)

    assert [limit_with(timeout) for timeout in (5.0, 20.0, None)] == [5.0, 9.0, 9.0]
    with pytest.raises(HTTPValidationError) as caught:
        client.with_options(timeout=5.0, **limits)  # type: ignore[arg-type]  # a limit
    assert caught.value.field == limit


@pytest.mark.parametrize("argument", ["retry_policy", "circuit_breaker", "resilience"])
def test_a_policy_without_its_method_is_refused_when_the_client_is_derived(argument: str) -> None:
    given = {argument: object()}
    with pytest.raises(HTTPValidationError) as caught:
        HTTPClient(CONFIG).with_options(**given)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.field == argument


@pytest.mark.parametrize(
    ("options", "seen"),
    [({}, "stock"), ({"service_name": "orders"}, "orders"), ({"service_name": None}, None)],
)
async def test_a_derived_client_has_the_service_name_of_the_client_or_another(
    options: dict[str, str | None], seen: str | None
) -> None:
    names: list[str | None] = []

    class Watching(RequestInterceptor):
        async def prepare(self, context: RequestContext) -> None:
            names.append(context.service_name)

    script = ScriptedTransport()
    script.on("GET", "/v1/stock").reply(200)
    async with HTTPClient(
        CONFIG, exchange=script, base_url=BASE, service_name="stock", interceptors=[Watching()]
    ) as client:
        derived = client.with_options(**options)  # type: ignore[arg-type]  # a name
        (await derived.get("/stock")).unwrap()
        assert (names, derived.gauges.client) == ([seen], seen or "")


@pytest.mark.parametrize(
    ("base_url", "sent"),
    [(BASE, True), (f"{BASE}/part", True), ("https://other.example", False), ("", False)],
)
async def test_secrets_stay_with_a_client_of_the_same_origin(base_url: str, sent: bool) -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)
    headers = {"Authorization": "Bearer s3cret", "X-Team": "stock"}
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, headers=headers) as client:
        derived = client.with_options(base_url=base_url)
        (await derived.get("/stock" if base_url else "https://other.example/stock")).unwrap()
        (await client.with_options(timeout=2).get("/stock")).unwrap()
    first, second = (call.headers for call in script.calls)
    assert ("Authorization" in first, first["X-Team"]) == (sent, "stock")
    assert second["Authorization"] == "Bearer s3cret"


def test_one_text_is_no_collection_of_secret_names() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        HTTPClient(CONFIG).with_options(secret_headers="X-Key")
    assert caught.value.field == "secret_headers"
    derived = HTTPClient(CONFIG).with_options(secret_headers=["X-Key"])
    assert derived.config.secret_headers == CONFIG.secret_headers | {"x-key"}


async def test_the_pool_of_a_derived_client_is_that_of_its_client() -> None:
    client = HTTPClient(CONFIG)
    derived = client.with_options(timeout=2)
    pool = ConnectionPool()
    derived.pool = pool
    assert client.pool is pool
    async with derived:
        assert pool.is_started()
    assert not pool.is_started()


def test_secret_names_are_added_to_those_of_the_client() -> None:
    client = HTTPClient(HTTPClientConfig(secret_headers={"X-Mine"}))
    usual = client.config.secret_headers
    assert "x-mine" in usual
    assert client.with_options(timeout=2).config.secret_headers == usual
    derived = client.with_options(secret_headers=["X-Other"])
    assert derived.config.secret_headers == usual | {"x-other"}


@pytest.mark.parametrize(
    ("base_url", "share", "derived_url", "home", "away"),
    [
        ("", False, "https://api.example", True, False),
        ("https://api.example", False, "https://other.example", True, False),
        ("https://api.example", False, "https://api.example/v2", True, False),
        ("", True, "https://api.example", True, True),
        ("https://api.example", True, "https://other.example", True, True),
    ],
)
async def test_credentials_of_interceptors_stay_at_the_first_origin_that_a_client_had(
    base_url: str, share: bool, derived_url: str, home: bool, away: bool
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)
    async with HTTPClient(
        CONFIG,
        exchange=script,
        base_url=base_url,
        share_credentials=share,
        interceptors=[BearerAuth("t")],
    ) as client:
        derived = client.with_options(base_url=derived_url)
        for url in ("https://api.example/", "https://other.example/"):
            (await derived.get(url)).unwrap()
    assert ["Authorization" in call.headers for call in script.calls] == [home, away]


async def test_one_that_was_started_alone_stops_the_client_once() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1/stock").reply(200)
    client = HTTPClient(CONFIG, exchange=script, base_url=BASE)
    derived = client.with_options(timeout=2)
    await derived.start()
    await derived.stop()
    assert not client.pool.is_started()
    async with client:
        await derived.stop()
        (await client.get("/stock")).unwrap()


class Counting(ManualClock):
    """A clock that counts its timers."""

    timers = 0

    def call_later(self, seconds: float, callback: Callable[[], None]) -> ManualTimer:
        self.timers += 1
        return super().call_later(seconds, callback)


async def test_many_calls_of_a_derived_client_need_one_timer() -> None:
    clock = Counting()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/v1/stock").reply(200)
    async with HTTPClient(CONFIG, exchange=script, base_url=BASE, clock=clock) as client:
        derived = client.with_options(timeout=2)
        for _ in range(5):
            (await derived.get("/stock")).unwrap()
    assert clock.timers == 1
