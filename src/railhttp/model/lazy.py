"""Values that are computed on first use."""

from collections.abc import Callable
from typing import Final, Generic, Self, TypeVar, overload

S = TypeVar("S")
T = TypeVar("T")


class lazy(Generic[S, T]):  # noqa: N801  # a decorator, like `property`
    """A property that is computed once for each object, like `functools.cached_property`.

    That of Python 3.11 takes a lock, which costs more than most of these values do
    (benchmarks/README.md).

    Example:
        >>> class Square:
        ...     side = 3
        ...     @lazy
        ...     def area(self) -> int:
        ...         return self.side**2
        >>> square = Square()
        >>> square.area, vars(square)
        (9, {'area': 9})
    """

    def __init__(self, compute: Callable[[S], T]) -> None:
        self._compute: Final = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, instance: S, owner: type | None = None) -> T: ...

    def __get__(self, instance: S | None, owner: type | None = None) -> Self | T:
        """Compute the value, and store it under the name, where it is found from then on."""
        if instance is None:
            return self
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value
