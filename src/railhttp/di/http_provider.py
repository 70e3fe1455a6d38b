"""Provides an application with an `HTTPClient`."""

from collections.abc import Iterable, Mapping
from functools import partial
from traceback import walk_tb
from types import CodeType
from typing import Final, NamedTuple, Self, TypeVar

from railhttp.client.collaborators import all_of, settings_of
from railhttp.client.http_client import HTTPClient
from railhttp.client.protocol import HTTPClientProtocol
from railhttp.client.response_verbs import ResponseVerbs
from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.di.health import HealthCheckResult
from railhttp.model.config import UNSET, HTTPClientConfig
from railhttp.model.exchange import Exchange
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.interceptors.chain import Interceptor
from railhttp.pipeline.observation.instruments import InstrumentProtocol, MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.policies.breaker import CircuitBreakerRegistryProtocol
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol
from railhttp.policy.egress import Egress

T = TypeVar("T")

COMPONENT: Final = "http"
"""The name of the provider in health checks, and of its circuit breaker."""


class Policies(NamedTuple):
    """The parts of a client that a container may bind."""

    retry_policy: RetryPolicyProtocol | None = None
    circuit_breaker: CircuitBreakerProtocol | None = None
    resilience: ResiliencePipelineProtocol | None = None
    metrics: MetricsRecorderProtocol | None = None

    async def completed_from(self, container: ContainerResolverProtocol) -> Self:
        """Return these parts, with those of the container for the missing ones."""
        retry, breaker, resilience, metrics = self
        if retry is None and resilience is None:
            retry = await _bound(container, RetryPolicyProtocol)
            resilience = await _bound(container, ResiliencePipelineProtocol)
        if breaker is None:
            breakers = await _bound(container, CircuitBreakerRegistryProtocol)  # type: ignore[type-abstract]  # a key
            breaker = None if breakers is None else await breakers.get_or_create(COMPONENT)
        if metrics is None:
            metrics = await _bound(container, MetricsRecorderProtocol)
        return self._replace(
            retry_policy=retry, circuit_breaker=breaker, resilience=resilience, metrics=metrics
        )


class HTTPProvider:
    """Registers one `HTTPClient` for the whole application, starts it and stops it.

    The client exists from `boot` to `shutdown`. It is bound as `HTTPClient`, and as
    `HTTPClientProtocol` with verbs that return the response and raise the failure. The provider is
    bound as `HTTPProvider`, for its health check. For the arguments see `HTTPClient`; a policy that
    is given here is used instead of that of the container.

    Example:
        >>> HTTPProvider().config == HTTPClientConfig()
        True
    """

    def __init__(
        self,
        config: HTTPClientConfig | None = None,
        *,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        share_credentials: bool = False,
        timeout: float | None = UNSET,
        service_name: str | None = None,
        interceptors: Iterable[Interceptor] = (),
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
        retry_policy: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        resilience: ResiliencePipelineProtocol | None = None,
        metrics: MetricsRecorderProtocol | None = None,
        exchange: Exchange | None = None,
        egress: Egress | None = None,
    ) -> None:
        self._config = settings_of(config, None, timeout)
        self._policies = Policies(retry_policy, circuit_breaker, resilience, metrics)
        self._make_client = partial(
            HTTPClient,
            self._config,
            base_url=base_url,
            headers=headers,
            share_credentials=share_credentials,
            service_name=service_name,
            interceptors=all_of(interceptors, "interceptors"),
            observers=all_of(observers, "observers"),
            instruments=all_of(instruments, "instruments"),
            exchange=exchange,
            egress=egress,
        )
        self._client: HTTPClient | None = None
        self._responses: ResponseVerbs | None = None

    @classmethod
    def from_config(cls, config: HTTPClientConfig, **context: object) -> Self:
        """Make a provider from settings; `context`, which some frameworks pass, is ignored."""
        del context
        return cls(config)

    @property
    def config(self) -> HTTPClientConfig:
        """The settings of the client."""
        return self._config

    @property
    def client(self) -> HTTPClient:
        """The client.

        Raises:
            RuntimeError: The application has not booted yet, or has been shut down.
        """
        if self._client is None:
            raise RuntimeError("the HTTP client exists only between boot and shutdown")
        return self._client

    @property
    def responses(self) -> ResponseVerbs:
        """The client as `HTTPClientProtocol`.

        Raises:
            RuntimeError: See `client`.
        """
        if self._responses is None or self._responses.client is not self.client:
            self._responses = ResponseVerbs(self.client)
        return self._responses

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind the client and the provider itself."""
        container.singleton(HTTPClient, lambda: self.client)
        container.singleton(HTTPClientProtocol, lambda: self.responses)
        container.singleton(HTTPProvider, lambda: self)

    async def boot(self, container: ContainerResolverProtocol) -> None:
        """Make the client from the container's bindings, and start it.

        The bindings used are `RetryPolicyProtocol`, `CircuitBreakerRegistryProtocol` (for the
        breaker named `http`), `ResiliencePipelineProtocol` and `MetricsRecorderProtocol`. Unbound
        ones get the defaults of `HTTPClient`. A second boot stops the first client.
        """
        await self.shutdown()
        policies = await self._policies.completed_from(container)
        self._client = self._make_client(**policies._asdict())
        await self._client.start()

    async def shutdown(self) -> None:
        """Stop the client, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Return whether the client is started; no request is sent, so `timeout` is unused."""
        if self._client is None or not self._client.pool.is_started():
            return HealthCheckResult(COMPONENT, "unhealthy", "the client is not started")
        return HealthCheckResult(COMPONENT, "healthy")


class _Unbound:
    """A type that no container binds."""


async def _bound(container: ContainerResolverProtocol, interface: type[T]) -> T | None:
    """Return the binding of a type, or None if it has none.

    Containers signal an unbound type in many ways, so this one is asked for a type that it cannot
    know. Any other exception comes from the factory of the binding and must not be lost.
    """
    try:
        return await container.resolve(interface)
    except Exception as error:
        try:
            await container.resolve(_Unbound)
        except Exception as unbound:  # noqa: BLE001  # the exception of this container
            if _origin(error) == _origin(unbound):
                return None
        raise


def _origin(error: Exception) -> tuple[type[Exception], CodeType | None]:
    """Return the class of an exception, and the code that raised it."""
    code = None
    for frame, _ in walk_tb(error.__traceback__):
        code = frame.f_code
    return type(error), code
