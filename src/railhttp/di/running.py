"""Runs the providers of an application, over any container."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.di.modules import ModuleImport, ProviderProtocol, provider_factories


@asynccontextmanager
async def running(
    root: ModuleImport,
    registrar: ContainerRegistrarProtocol,
    resolver: ContainerResolverProtocol,
) -> AsyncGenerator[tuple[ProviderProtocol, ...], None]:
    """Run an application: register all, boot all, and shut down in reverse.

    What began to boot is shut down whatever happens, be it that its own boot, another boot or
    another shutdown fails; the first exception passes, with the later ones in its context.

    Args:
        root: The application's module.
        registrar: Takes the bindings.
        resolver: Hands out what is bound.

    Returns:
        A context manager that gives the providers, in the order in which they booted.
    """
    providers = tuple(make() for make in provider_factories(root))
    for provider in providers:
        await provider.register(registrar)
    async with AsyncExitStack() as stack:
        for provider in providers:
            stack.push_async_callback(provider.shutdown)
            await provider.boot(resolver)
        yield providers
