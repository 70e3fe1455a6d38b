"""The provider of the tests of an application."""

from railhttp.di.containers import ContainerRegistrarProtocol
from railhttp.di.http_provider import HTTPProvider
from railhttp.testing.scripted.transport import ScriptedTransport


class StubProvider(HTTPProvider):
    """Provides a client that plays a script, by default a new one."""

    def __init__(self, script: ScriptedTransport | None = None) -> None:
        self._script = script or ScriptedTransport()
        super().__init__(exchange=self._script)

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind the client and the script."""
        await super().register(container)
        container.singleton(ScriptedTransport, lambda: self._script)
