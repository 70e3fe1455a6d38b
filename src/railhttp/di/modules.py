"""Modules: what an application is put together from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias, TypeVar, runtime_checkable

from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol


@runtime_checkable
class ProviderProtocol(Protocol):
    """Brings something into an application, and takes it away again."""

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind types; nothing can be resolved yet."""
        ...

    async def boot(self, container: ContainerResolverProtocol) -> None:
        """Start; all providers have registered by now."""
        ...

    async def shutdown(self) -> None:
        """Stop; called too where `boot` failed half-way."""
        ...


ProviderFactory: TypeAlias = Callable[[], ProviderProtocol]
"""Makes a provider: each application has its own, though modules are shared by all."""


class Module:
    """Base of modules; `@module` says what one is made of.

    Attributes:
        imports: The modules that come before it.
        providers: What makes its own providers.
    """

    imports: ClassVar["tuple[ModuleImport, ...]"] = ()
    providers: ClassVar[tuple[ProviderFactory, ...]] = ()


@dataclass(frozen=True, eq=False)
class DynamicModule:
    """A module with settings, as its class method made it.

    Attributes:
        module: The class that it is a module of.
        providers: What makes its providers.
        imports: The modules that come before it.
    """

    module: type[Module]
    providers: tuple[ProviderFactory, ...] = ()
    imports: "tuple[ModuleImport, ...]" = ()


ModuleImport: TypeAlias = type[Module] | DynamicModule

M = TypeVar("M", bound=type[Module])


def module(
    *, imports: Iterable[ModuleImport] = (), providers: Iterable[ProviderFactory] = ()
) -> Callable[[M], M]:
    """Say what a module is made of.

    Args:
        imports: The modules that come before it.
        providers: What makes its own providers: classes, or functions without arguments.

    Returns:
        A decorator of module classes.

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


def provider_factories(root: ModuleImport) -> Iterator[ProviderFactory]:
    """List what makes the providers of an application.

    Args:
        root: Its module.

    Returns:
        Those of imported modules first; a module that is imported twice, or by itself, counts
        once, where it is needed first.
    """
    seen: list[ModuleImport] = []

    def visit(node: ModuleImport) -> Iterator[ProviderFactory]:
        if not any(node is known for known in seen):
            seen.append(node)
            for imported in node.imports:
                yield from visit(imported)
            yield from node.providers

    return visit(root)
