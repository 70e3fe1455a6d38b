"""The HTTP client of an application, with a dict as its container, and with svcs."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import TypeVar, cast

import pytest
import svcs
from tests.servers.echo import EchoServer

from railhttp.client.http_client import HTTPClient
from railhttp.di import DynamicModule, HealthCheckResult, HTTPModule, HTTPProvider, Module, module
from railhttp.egress import Egress
from railhttp.events import RequestStarted
from railhttp.integrations.svcs import application
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPClientError,
    HTTPConnectionError,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.model.events import HTTPEvent
from railhttp.pipeline.interceptors.standard import UserAgent
from railhttp.pipeline.policies.breaker_registry import CircuitBreakerRegistry
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.resilience import ResiliencePipeline
from railhttp.protocols import (
    CircuitBreakerRegistryProtocol,
    HTTPClientProtocol,
    MetricsRecorderProtocol,
    ResiliencePipelineProtocol,
    RetryPolicyProtocol,
)
from railhttp.resilience import CircuitBreaker
from railhttp.testing import ScriptedTransport, UnmatchedRequestError

T = TypeVar("T")

URL = "https://api.example/v1"


class DictContainer:
    """A dict as a container, which raises `unknown` for an unbound type, or returns None."""

    def __init__(self, unknown: Exception | None = None) -> None:
        self.bound: dict[type[object], Callable[[], object]] = {}
        self.unknown = unknown

    def singleton(self, interface: type[object], factory: Callable[[], object]) -> None:
        self.bound[interface] = factory

    async def resolve(self, interface: type[T]) -> T | None:
        if interface in self.bound:
            return cast(
                "T", self.bound[interface]()
            )  # a dict cannot relate the types of keys and values
        if self.unknown is not None:
            raise self.unknown
        return None


class FailingOnce:
    """A script whose first reply is a reset, and whose second one is a response."""

    @staticmethod
    def script() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/v1").fail(ConnectionResetError()).reply()
        return script


async def booted(container: DictContainer, script: ScriptedTransport) -> HTTPProvider:
    provider = HTTPProvider(exchange=script)
    await provider.register(container)
    await provider.boot(container)
    return provider


@pytest.mark.parametrize("unknown", [None, KeyError("not bound"), RuntimeError("not bound")])
async def test_without_bindings_the_client_is_an_ordinary_one(unknown: Exception | None) -> None:
    provider = await booted(DictContainer(unknown), FailingOnce.script())
    (await provider.client.get(URL)).unwrap()
    await provider.shutdown()


@pytest.mark.parametrize("unknown", [None, KeyError("not bound"), RuntimeError("not bound")])
@pytest.mark.parametrize("error", [OSError("s3cret"), KeyError("POLICY"), RuntimeError("broken")])
async def test_a_binding_whose_factory_raises_is_an_error_at_boot(
    unknown: Exception | None, error: Exception
) -> None:
    def policy() -> RetryPolicy:
        raise error

    container = DictContainer(unknown)
    container.singleton(RetryPolicyProtocol, policy)
    with pytest.raises(type(error)) as caught:
        await booted(container, FailingOnce.script())
    assert caught.value is error


async def test_the_retry_policy_of_the_container_is_taken() -> None:
    container = DictContainer()
    container.singleton(RetryPolicyProtocol, lambda: RetryPolicy(max_attempts=1))
    provider = await booted(container, FailingOnce.script())
    assert (await provider.client.get(URL)).failure().label == "disconnected"
    await provider.shutdown()


async def test_the_breaker_comes_from_the_registry_of_the_container() -> None:
    container = DictContainer()
    registry = CircuitBreakerRegistry()
    container.singleton(CircuitBreakerRegistryProtocol, lambda: registry)
    provider = await booted(container, FailingOnce.script())
    assert registry.list_breakers() == ["http"]
    await (await registry.get_or_create("http")).force_open()
    with pytest.raises(HTTPClientError, match="http"):
        await provider.client.get(URL)
    await provider.shutdown()


async def test_a_pipeline_of_the_container_takes_the_place_of_both() -> None:
    container = DictContainer()
    container.singleton(ResiliencePipelineProtocol, ResiliencePipeline)
    provider = await booted(container, FailingOnce.script())
    assert (await provider.client.get(URL)).failure().label == "disconnected"
    await provider.shutdown()


async def test_metrics_go_to_the_recorder_of_the_container() -> None:
    names: list[str] = []

    class Recorder:
        def increment(self, name: str, value: float = 1.0, tags: object = None) -> None:
            names.append(name)

        def gauge(self, name: str, value: float, tags: object = None) -> None:
            names.append(name)

        def histogram(self, name: str, value: float, tags: object = None) -> None:
            names.append(name)

    container = DictContainer()
    container.singleton(MetricsRecorderProtocol, Recorder)
    provider = await booted(container, FailingOnce.script())
    await provider.client.get(URL)
    await provider.shutdown()
    assert names == ["http.request.duration", "http.request.status"]


async def test_the_client_is_bound_from_registration_and_there_from_boot_to_shutdown() -> None:
    container = DictContainer()
    provider = HTTPProvider.from_config(HTTPClientConfig(timeout=5), environment="test")
    await provider.shutdown()
    await provider.register(container)
    with pytest.raises(RuntimeError, match="between boot and shutdown"):
        await container.resolve(HTTPClient)
    assert await provider.health_check() == HealthCheckResult(
        "http", "unhealthy", "the client is not started"
    )
    await provider.boot(container)
    client = await container.resolve(HTTPClient)
    assert client is provider.client
    assert container.bound[HTTPClientProtocol]() is container.bound[HTTPClientProtocol]()
    assert await container.resolve(HTTPProvider) is provider
    assert client.config.timeout == 5
    assert (await provider.health_check()).is_healthy
    await provider.shutdown()
    assert not client.pool.is_started()
    assert not (await provider.health_check(timeout=1.0)).is_healthy
    await provider.shutdown()


async def test_booting_twice_leaves_no_client_behind() -> None:
    container = DictContainer()
    provider = await booted(container, ScriptedTransport())
    first = provider.client
    await provider.boot(container)
    assert not first.pool.is_started()
    assert provider.client.pool.is_started()
    await provider.shutdown()
    assert not (await provider.health_check()).is_healthy


async def test_a_client_that_somebody_stopped_is_unhealthy() -> None:
    provider = await booted(DictContainer(), ScriptedTransport())
    await provider.client.stop()
    assert not (await provider.health_check()).is_healthy


# -- with svcs ------------------------------------------------------------------------------


async def test_an_application_has_a_gate_for_its_connections(echo: EchoServer) -> None:
    @module(imports=[HTTPModule.configure(egress=Egress.public())])
    class AppModule(Module): ...

    async with application(AppModule) as container:
        client = await container.aget(HTTPClient)
        refused = (await client.get(echo.url())).failure()
    assert isinstance(refused, HTTPConnectionError)
    assert (refused.kind, refused.delivery) == ("rejected", Delivery.NOT_SENT)


async def test_an_application_has_a_client_that_speaks_to_servers(echo: EchoServer) -> None:
    events: list[HTTPEvent] = []
    http = HTTPModule.configure(
        HTTPClientConfig(timeout=30),
        interceptors=[UserAgent("shop/2.1")],
        observers=[events.append],
    )

    @module(imports=[http])
    class AppModule(Module): ...

    async with application(AppModule) as container:
        client = await container.aget(HTTPClient)
        assert (await container.aget(HTTPProvider)).config.timeout == 30
        answer = (await client.get(echo.url())).unwrap().text
        assert "shop/2.1" in answer
        assert len(events) == 3
    assert not client.pool.is_started()


async def test_handlers_get_the_one_client_from_their_own_containers() -> None:
    registry = svcs.Registry()
    async with application(HTTPModule.stub(), registry=registry) as container:
        async with svcs.Container(registry) as first:
            client = await first.aget(HTTPClient)
        async with svcs.Container(registry) as second:
            assert await second.aget(HTTPClient) is client
        assert await container.aget(HTTPClient) is client
        assert client.pool.is_started()  # the container of a handler does not close it


async def test_what_an_application_binds_in_svcs_reaches_its_client() -> None:
    registry = svcs.Registry()
    registry.register_value(RetryPolicyProtocol, RetryPolicy(max_attempts=1))
    stub = HTTPModule.stub(script=FailingOnce.script())
    async with application(stub, registry=registry) as container:
        client = await container.aget(HTTPClient)
        assert (await client.get(URL)).failure().label == "disconnected"


async def test_a_stub_answers_from_its_script_and_fails_loudly_without_one() -> None:
    async with application(HTTPModule.stub()) as container:
        client = await container.aget(HTTPClient)
        with pytest.raises(UnmatchedRequestError, match="there are no routes"):
            await client.get(URL)
        script = await container.aget(ScriptedTransport)
        script.on("GET", "/v1").reply(json=[1])
        assert (await client.get(URL)).unwrap().json() == [1]


async def test_each_application_of_a_stub_has_a_script_of_its_own() -> None:
    stub: DynamicModule = HTTPModule.stub()
    async with application(stub) as first, application(stub) as second:
        assert await first.aget(ScriptedTransport) is not await second.aget(ScriptedTransport)


async def test_an_application_whose_boot_fails_half_way_closes_its_client() -> None:
    clients: list[HTTPClient] = []

    class Failing(HTTPProvider):
        async def boot(self, container: object) -> None:
            clients.append(http.client)
            raise OSError("no disk")

    http = HTTPProvider()

    @module(providers=[lambda: http, Failing])
    class AppModule(Module): ...

    with pytest.raises(OSError, match="no disk"):
        async with application(AppModule):
            raise AssertionError("it must not run")
    assert not clients[0].pool.is_started()


async def test_the_protocol_in_a_container_has_verbs_that_return_responses() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1").reply(json=[1]).reply(503)
    async with application(HTTPModule.stub(script=script)) as container:
        client = await container.aget(HTTPClientProtocol)
        assert isinstance(client, HTTPClientProtocol)
        assert (await client.get(URL)).json() == [1]
        assert (await client.get(URL)).status == 503
        assert (await client.request("GET", URL)).status == 503
        result = await (await container.aget(HTTPClient)).get(URL)
        assert isinstance(result.failure(), HTTPStatusError)


async def test_a_module_takes_what_a_client_takes(echo: EchoServer) -> None:
    http = HTTPModule.configure(
        HTTPClientConfig(trust_env=False),
        base_url=echo.url(""),
        headers={"X-Team": "shop"},
        timeout=5.0,
        interceptors=iter([UserAgent("shop/1")]),
        retry_policy=RetryPolicy(max_attempts=1),
    )
    for key in ("a", "b"):  # a module can be run again
        async with application(http) as container:
            client = await container.aget(HTTPClient)
            response = (await client.get("/get")).unwrap().json()
            assert isinstance(response, dict)
            fields = dict(cast("list[tuple[str, str]]", response["headers"]))
            assert (fields["X-Team"], fields["User-Agent"][:6]) == ("shop", "shop/1")
            assert client.config.timeout == 5
            assert (await client.get(f"/flaky/{key}/1")).failure().attempts == 1


async def test_a_module_passes_every_argument_to_its_client() -> None:
    seen: list[HTTPEvent] = []
    calls: list[str] = []

    class Instrument:
        def call_started(self, call: RequestStarted) -> None:
            calls.append(call.method)

        def attempt_started(self, attempt: RequestStarted) -> None: ...

    http = HTTPModule.configure(
        HTTPClientConfig(trust_env=False),
        service_name="shop",
        observers=[seen.append],
        instruments=[Instrument()],
    )
    async with application(http) as container:
        client = await container.aget(HTTPClient)
        assert client.gauges.client == "shop"
        assert (await client.get("http://127.0.0.1:1/")).failure().label == "connect"
    assert (calls, bool(seen)) == (["GET"], True)


@pytest.mark.parametrize("make", [HTTPModule.configure, HTTPProvider])
@pytest.mark.parametrize("name", ["interceptors", "observers", "instruments"])
def test_what_is_no_iterable_is_refused_by_name_at_once(
    name: str, make: Callable[..., object]
) -> None:
    with pytest.raises(HTTPValidationError, match="must be an iterable") as caught:
        make(**{name: 5})
    assert caught.value.field == name


def single(retry: RetryPolicy) -> dict[str, object]:
    return {"retry_policy": retry}


def within(retry: RetryPolicy) -> dict[str, object]:
    return {"resilience": ResiliencePipeline(retry)}


@pytest.mark.parametrize("policy", [single, within])
async def test_the_policies_of_a_module_are_those_of_its_client(
    echo: EchoServer, policy: Callable[[RetryPolicy], dict[str, object]]
) -> None:
    configure: Callable[..., DynamicModule] = HTTPModule.configure
    counted: list[str] = []

    class Recorder:
        def increment(
            self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
        ) -> None:
            counted.append(name)

        def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None: ...

        def histogram(
            self, name: str, value: float, tags: Mapping[str, str] | None = None
        ) -> None: ...

    http = configure(
        base_url=echo.url(""), metrics=Recorder(), **policy(RetryPolicy(2, base_delay=0))
    )
    async with application(http) as container:
        client = await container.aget(HTTPClient)
        assert (await client.get("/status/503")).failure().attempts == 2
    assert "http.request.status" in counted


async def test_the_breaker_of_a_module_is_that_of_its_client(echo: EchoServer) -> None:
    breaker = CircuitBreaker(1)
    http = HTTPModule.configure(
        base_url=echo.url(""), circuit_breaker=breaker, retry_policy=RetryPolicy(1)
    )
    async with application(http) as container:
        client = await container.aget(HTTPClient)
        await client.get("/status/500")
        with pytest.raises(HTTPCircuitOpenError):
            await client.get("/json")


@pytest.mark.parametrize("share", [True, False])
async def test_credentials_are_shared_with_other_origins_only_if_the_module_says_so(
    echo: EchoServer, share: bool
) -> None:
    http = HTTPModule.configure(
        base_url="http://other.example/",
        headers={"Authorization": "Bearer t"},
        share_credentials=share,
    )
    async with application(http) as container:
        client = await container.aget(HTTPClient)
        seen = (await client.get(echo.url("/get"))).unwrap().json()
    assert isinstance(seen, dict)
    assert ("Bearer t" in str(seen["headers"])) is share


async def test_a_policy_that_is_given_replaces_that_of_the_container() -> None:
    container = DictContainer()
    container.singleton(RetryPolicyProtocol, lambda: RetryPolicy(max_attempts=1))
    provider = HTTPProvider(exchange=FailingOnce.script(), resilience=ResiliencePipeline())
    await provider.boot(container)
    assert (await provider.client.get(URL)).failure().label == "disconnected"
    await provider.shutdown()


@pytest.mark.parametrize("first", [HTTPModule.configure, HTTPModule.stub])
@pytest.mark.parametrize("second", [HTTPModule.configure, HTTPModule.stub])
async def test_a_second_http_client_in_one_application_is_refused(
    first: Callable[[], DynamicModule], second: Callable[[], DynamicModule]
) -> None:
    @module(imports=[second()])
    class Part(Module): ...

    @module(imports=[first(), Part])
    class App(Module): ...

    with pytest.raises(HTTPValidationError, match=r"^imports: .*HTTPModule only once"):
        async with application(App):
            raise AssertionError("the application runs")


async def test_one_configuration_may_be_imported_by_several_modules() -> None:
    http = HTTPModule.stub()

    @module(imports=[http])
    class Part(Module): ...

    @module(imports=[http, Part])
    class App(Module): ...

    async with application(App) as container:
        assert isinstance(await container.aget(HTTPClient), HTTPClient)


def test_credentials_stay_with_their_origin_unless_a_module_says_otherwise() -> None:
    for make in (HTTPModule.configure, HTTPProvider, HTTPClient):
        assert signature(make).parameters["share_credentials"].default is False


async def test_a_healthy_client_has_nothing_to_say() -> None:
    async with application(HTTPModule.stub()) as container:
        health = await (await container.aget(HTTPProvider)).health_check()
    assert (health.component, health.status, health.message) == ("http", "healthy", "")
