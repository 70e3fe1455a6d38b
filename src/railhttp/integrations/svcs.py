"""Runs applications with svcs containers; needs the extra `di`.

@module(imports=[HTTPModule.configure()])
class AppModule(Module): ...

async with application(AppModule) as container:
    client = await container.aget(HTTPClient)
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import TypeVar

from railhttp.di import ModuleImport, running
from railhttp.extra import provided_by

with provided_by("railhttp[di]"):
    import svcs
    from svcs.exceptions import ServiceNotFoundError

T = TypeVar("T")


class SvcsRegistrar:
    """Binds types in an svcs registry.

    Example:
        >>> registry = svcs.Registry()
        >>> SvcsRegistrar(registry).singleton(int, lambda: 7)
        >>> svcs.Container(registry).get(int)
        7
    """

    def __init__(self, registry: svcs.Registry) -> None:
        self._registry = registry

    def singleton(self, interface: type[object], factory: Callable[[], object]) -> None:
        """Bind a type to one object for all containers of the registry."""
        # `enter=False`: the provider that makes the object ends it. A container must not, since
        # other containers share the object.
        self._registry.register_factory(interface, cache(factory), enter=False)


class SvcsResolver:
    """Resolves types in an svcs container."""

    def __init__(self, container: svcs.Container) -> None:
        self._container = container

    async def resolve(self, interface: type[T]) -> T | None:
        """Return the object that a type is bound to, or None."""
        try:
            return await self._container.aget(interface)
        except ServiceNotFoundError:
            return None


@asynccontextmanager
async def application(
    root: ModuleImport, *, registry: svcs.Registry | None = None
) -> AsyncGenerator[svcs.Container, None]:
    """Run an application: register and boot its providers, and shut down in reverse order.

    Args:
        registry: The registry for its types, such as that of a web framework, whose containers
            then share them. By default a new one, which is closed at the end.

    Returns:
        A context manager whose value is a container of the registry.

    Example:
        >>> import asyncio
        >>> from railhttp.di import Module, module
        >>> class Greeter:
        ...     async def register(self, container): container.singleton(str, lambda: "hello")
        ...     async def boot(self, container): print("boot")
        ...     async def shutdown(self): print("shutdown")
        >>> @module(providers=[Greeter])
        ... class AppModule(Module): ...
        >>> async def main() -> None:
        ...     async with application(AppModule) as container:
        ...         print(await container.aget(str))
        >>> asyncio.run(main())
        boot
        hello
        shutdown
    """
    shared = svcs.Registry() if registry is None else registry
    try:
        async with (
            svcs.Container(shared) as container,
            running(root, SvcsRegistrar(shared), SvcsResolver(container)),
        ):
            yield container
    finally:
        if registry is None:
            await shared.aclose()
