"""Brings an `HTTPClient` into an application."""

import logging
from collections.abc import Iterable
from typing import Final, Self, TypeVar

from railhttp.client.http_client import HTTPClient
from railhttp.client.protocol import HTTPClientProtocol
from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.di.health import HealthCheckResult
from railhttp.model.config import HTTPClientConfig
from railhttp.model.exchange import Exchange
from railhttp.pipeline.interceptors.chain import InterceptorProtocol
from railhttp.pipeline.observation.instruments import InstrumentProtocol
from railhttp.pipeline.observation.metrics import MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.policies.breaker import CircuitBreakerRegistryProtocol
from railhttp.pipeline.policies.retry import RetryPolicyProtocol
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol

T = TypeVar("T")

COMPONENT: Final = "http"
"""The provider's name in health checks, and that of its breaker."""

_LOG: Final = logging.getLogger("railhttp")


class HTTPProvider:
    """Registers one `HTTPClient` for the whole application, starts it and stops it.

    It is bound as `HTTPClient`, as `HTTPClientProtocol`, and the provider as itself, for its
    health check. The client exists from `boot` to `shutdown`.

    Args:
        config: The client's settings; those of `HTTPClientConfig()` where None.
        interceptors: See every attempt's request and response.
        observers: Receive the client's events.
        instruments: Are told of every call and attempt.
        exchange: What sends the client's requests; aiohttp where None.

    Example:
        >>> HTTPProvider().config == HTTPClientConfig()
        True
    """

    def __init__(
        self,
        config: HTTPClientConfig | None = None,
        *,
        interceptors: Iterable[InterceptorProtocol] = (),
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
        exchange: Exchange | None = None,
    ) -> None:
        self._config = config or HTTPClientConfig()
        self._interceptors = tuple(interceptors)
        self._observers = tuple(observers)
        self._instruments = tuple(instruments)
        self._exchange = exchange
        self._client: HTTPClient | None = None

    @classmethod
    def from_config(cls, config: HTTPClientConfig, **context: object) -> Self:
        """Make a provider of settings.

        Args:
            config: The settings.
            **context: What a framework knows besides; it is not used.
        """
        del context
        return cls(config)

    @property
    def config(self) -> HTTPClientConfig:
        """The client's settings."""
        return self._config

    @property
    def client(self) -> HTTPClient:
        """The client.

        Raises:
            RuntimeError: The application has not booted, or has been shut down.
        """
        if self._client is None:
            raise RuntimeError("the HTTP client exists only between boot and shutdown")
        return self._client

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind the client.

        Args:
            container: Takes the bindings.
        """
        container.singleton(HTTPClient, lambda: self.client)
        container.singleton(HTTPClientProtocol, lambda: self.client)
        container.singleton(HTTPProvider, lambda: self)

    async def boot(self, container: ContainerResolverProtocol) -> None:
        """Make the client with what the container has for it, and start it.

        It asks for a `RetryPolicyProtocol`, a `CircuitBreakerRegistryProtocol` (whose breaker
        `http` it takes), a `ResiliencePipelineProtocol` and a `MetricsRecorderProtocol`. What is
        not bound is as in an `HTTPClient()`.

        Where there is a client, that one is stopped.

        Args:
            container: Hands out what is bound.
        """
        await self.shutdown()
        self._client = HTTPClient(
            self._config,
            retry_policy=await _bound(container, RetryPolicyProtocol),
            circuit_breaker=await _breaker(container),
            interceptors=self._interceptors,
            resilience=await _bound(container, ResiliencePipelineProtocol),
            metrics=await _bound(container, MetricsRecorderProtocol),
            observers=self._observers,
            instruments=self._instruments,
            exchange=self._exchange,
        )
        await self._client.start()

    async def shutdown(self) -> None:
        """Stop the client; does nothing where there is none."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Say whether the client is active.

        Args:
            timeout: Not used: nothing is sent.
        """
        if self._client is None or not self._client.pool.is_started():
            return HealthCheckResult(COMPONENT, "unhealthy", "the client is not started")
        return HealthCheckResult(COMPONENT, "healthy")


async def _breaker(container: ContainerResolverProtocol) -> CircuitBreakerProtocol | None:
    registry = await _bound(container, CircuitBreakerRegistryProtocol)  # type: ignore[type-abstract]  # a key
    return None if registry is None else await registry.get_or_create(COMPONENT)


async def _bound(container: ContainerResolverProtocol, interface: type[T]) -> T | None:
    """What is bound to a type; None where nothing is, which containers say in many ways."""
    try:
        return await container.resolve(interface)
    except LookupError:
        return None
    except Exception as error:  # noqa: BLE001  # a container's own exception for "not bound"
        _LOG.info("no %s for the client: %s", interface.__name__, type(error).__name__)
        return None
