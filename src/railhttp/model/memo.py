"""Remembers the results of a function at the price of a dict."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(dict[K, V], Generic[K, V]):
    """The results of a function by its argument: `memo[argument]`.

    A lookup costs half a call of a function with `functools.lru_cache`. In return a full memo
    forgets everything and begins again (benchmarks/README.md).

    Args:
        function: Computes a result. An exception from it is passed on, and not remembered.
        size: The largest number of results.

    Example:
        >>> lengths = Memo(len, size=2)
        >>> lengths["ab"], lengths["abc"], lengths["ab"], len(lengths)
        (2, 3, 2, 2)
        >>> lengths["a"], len(lengths)
        (1, 1)
    """

    __slots__ = ("_function", "_size")

    def __init__(self, function: Callable[[K], V], size: int) -> None:
        super().__init__()
        self._function = function
        self._size = size

    def __missing__(self, key: K) -> V:
        value = self._function(key)
        if len(self) >= self._size:
            self.clear()
        self[key] = value
        return value
