"""The module that gives an application its HTTP client."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from railhttp.client.collaborators import all_of
from railhttp.di.http_provider import HTTPProvider
from railhttp.di.modules import DynamicModule, Module
from railhttp.model.config import UNSET, HTTPClientConfig
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.interceptors.chain import Interceptor
from railhttp.pipeline.observation.instruments import InstrumentProtocol, MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol
from railhttp.policy.egress import Egress

if TYPE_CHECKING:
    from railhttp.testing.scripted.transport import ScriptedTransport


class HTTPModule(Module):
    """An HTTP client for the whole application; see `HTTPProvider`.

    Example:
        >>> from railhttp.di import module
        >>> @module(imports=[HTTPModule.configure(HTTPClientConfig(timeout=30))])
        ... class AppModule(Module): ...
    """

    @classmethod
    def configure(
        cls,
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
        egress: Egress | None = None,
    ) -> DynamicModule:
        """Make the module with settings; for the arguments see `HTTPProvider`.

        An application has one HTTP client: a second configuration in it is refused when it runs.
        Bind another `HTTPClient` yourself for another service.
        """
        provider = partial(
            HTTPProvider,
            config,
            base_url=base_url,
            headers=headers,
            share_credentials=share_credentials,
            timeout=timeout,
            service_name=service_name,
            interceptors=all_of(interceptors, "interceptors"),
            observers=all_of(observers, "observers"),
            instruments=all_of(instruments, "instruments"),
            retry_policy=retry_policy,
            circuit_breaker=circuit_breaker,
            resilience=resilience,
            metrics=metrics,
            egress=egress,
        )
        return DynamicModule(cls, (provider,), only_once=True)

    @classmethod
    def stub(cls, *, script: "ScriptedTransport | None" = None) -> DynamicModule:
        """Make the module for tests: its client plays a script and opens no sockets.

        The script, by default a new one for each application, is bound as `ScriptedTransport`.
        Until it has routes, every request raises `UnmatchedRequestError`.
        """
        from railhttp.di.stub_provider import StubProvider  # noqa: PLC0415  # loads the test kit

        return DynamicModule(cls, (partial(StubProvider, script),), only_once=True)
