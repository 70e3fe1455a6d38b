"""The module that gives an application its HTTP client."""

from collections.abc import Iterable
from functools import partial

from railhttp.di.containers import ContainerRegistrarProtocol
from railhttp.di.http_provider import HTTPProvider
from railhttp.di.modules import DynamicModule, Module
from railhttp.model.config import HTTPClientConfig
from railhttp.pipeline.interceptors.chain import Interceptor
from railhttp.pipeline.observation.instruments import InstrumentProtocol
from railhttp.pipeline.observation.observer_queue import Observer
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
        interceptors: Iterable[Interceptor] = (),
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
    ) -> DynamicModule:
        """Make the module with settings; for the arguments see `HTTPProvider`."""
        provider = partial(
            HTTPProvider,
            config,
            interceptors=tuple(interceptors),
            observers=tuple(observers),
            instruments=tuple(instruments),
        )
        return DynamicModule(cls, (provider,))

    @classmethod
    def stub(cls, *, script: ScriptedTransport | None = None) -> DynamicModule:
        """Make the module for tests: its client plays a script and opens no sockets.

        The script, by default a new one for each application, is bound as `ScriptedTransport`.
        Until it has routes, every request raises `UnmatchedRequestError`.
        """
        return DynamicModule(cls, (lambda: StubProvider(script or ScriptedTransport()),))


class StubProvider(HTTPProvider):
    """Provides a client that plays a script."""

    def __init__(self, script: ScriptedTransport) -> None:
        super().__init__(exchange=script)
        self._script = script

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind the client and the script."""
        await super().register(container)
        container.singleton(ScriptedTransport, lambda: self._script)
