"""The two sides of a dependency-injection container, as protocols that any container can adopt."""

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class ContainerRegistrarProtocol(Protocol):
    """The side of a container that takes bindings."""

    # Not `type[T]`: mypy rejects protocols there (type-abstract), and most bindings are protocols.
    def singleton(self, interface: type[object], factory: Callable[[], object]) -> None:
        """Bind a type, which may be a protocol, to one object.

        The factory makes the object when the type is first resolved.
        """
        ...


@runtime_checkable
class ContainerResolverProtocol(Protocol):
    """The side of a container that returns what is bound."""

    async def resolve(self, interface: type[T]) -> T | None:
        """Return the object that a type is bound to; an unbound type returns None, or raises."""
        ...
