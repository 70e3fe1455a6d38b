"""Modules, the parts of an application: how they are declared, and how they run."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias, TypeVar, runtime_checkable

from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.model.validation import require


@runtime_checkable
class ProviderProtocol(Protocol):
    """Adds a service to an application, and removes it at the end."""

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind types; no type can be resolved yet."""
        ...

    async def boot(self, container: ContainerResolverProtocol) -> None:
        """Start; all providers have registered before."""
        ...

    async def shutdown(self) -> None:
        """Stop; this is called even if `boot` failed half-way."""
        ...


ProviderFactory: TypeAlias = Callable[[], ProviderProtocol]
"""Makes a provider: applications share modules, but each one has its own providers."""


class Module:
    """Base class of modules; `@module` declares what a module consists of."""

    imports: ClassVar["tuple[ModuleImport, ...]"] = ()
    providers: ClassVar[tuple[ProviderFactory, ...]] = ()


@dataclass(frozen=True, eq=False)
class DynamicModule:
    """A module with settings, made by a class method such as `HTTPModule.configure`.

    Attributes:
        module: The class whose method made it; for the others see `module`.
        only_once: Whether an application that has two modules of this class is refused.
    """

    module: type[Module]
    providers: tuple[ProviderFactory, ...] = ()
    imports: "tuple[ModuleImport, ...]" = ()
    only_once: bool = False


ModuleImport: TypeAlias = type[Module] | DynamicModule

M = TypeVar("M", bound=type[Module])


def module(
    *, imports: Iterable[ModuleImport] = (), providers: Iterable[ProviderFactory] = ()
) -> Callable[[M], M]:
    """Return a decorator that declares what a module consists of.

    Args:
        imports: The modules that are registered and booted first.
        providers: The factories of its own providers: classes, or functions without arguments.

    Example:
        >>> @module(imports=[])
        ... class AppModule(Module): ...
        >>> AppModule.imports
        ()
    """

    def describe(cls: M) -> M:
        cls.imports = tuple(imports)
        cls.providers = tuple(providers)
        return cls

    return describe


@asynccontextmanager
async def running(
    root: ModuleImport,
    registrar: ContainerRegistrarProtocol,
    resolver: ContainerResolverProtocol,
) -> AsyncGenerator[tuple[ProviderProtocol, ...], None]:
    """Run an application: register all providers, boot all, and shut down in reverse order.

    The registrar and the resolver are the two sides of one container. Every provider whose boot has
    begun is shut down, even if its own boot, another boot or another shutdown fails. The first
    exception propagates, with the later ones in its context.

    Returns:
        A context manager whose value is the providers, in the order in which they booted.

    Raises:
        HTTPValidationError: The application configures a module twice that it may have once.
    """
    nodes: list[ModuleImport] = []
    factories = tuple(_provider_factories(root, seen=nodes))
    _refuse_second(nodes)
    providers = tuple(make() for make in factories)
    for provider in providers:
        await provider.register(registrar)
    async with AsyncExitStack() as stack:
        for provider in providers:
            stack.push_async_callback(provider.shutdown)
            await provider.boot(resolver)
        yield providers


def _provider_factories(node: ModuleImport, seen: list[ModuleImport]) -> Iterator[ProviderFactory]:
    """Yield the factories of imported modules first; each module counts once, in cycles too."""
    if not any(node is known for known in seen):
        seen.append(node)
        for imported in node.imports:
            yield from _provider_factories(imported, seen)
        yield from node.providers


def _refuse_second(nodes: Iterable[ModuleImport]) -> None:
    once: set[type[Module]] = set()
    for node in nodes:
        if isinstance(node, DynamicModule) and node.only_once:
            name = node.module.__name__
            require(node.module not in once, f"must configure {name} only once", "imports")
            once.add(node.module)
