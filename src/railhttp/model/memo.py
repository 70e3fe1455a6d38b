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
        self._function = function
        self._size = size

    def __missing__(self, key: K) -> V:
        value = self._function(key)
        if len(self) >= self._size:
            self.clear()
        self[key] = value
        return value


class Recurring(Memo[K, V]):
    """A memo that keeps the result for an argument only when that comes a second time.

    To keep what never comes again, such as a URL with an id, takes memory, and 6 % more
    instructions for each of the first thousand calls (benchmarks/README.md).

    Example:
        >>> lengths = Recurring(len, size=2)
        >>> lengths["ab"], dict(lengths)
        (2, {})
        >>> lengths["ab"], dict(lengths)
        (2, {'ab': 2})
    """

    __slots__ = ("_seen",)

    def __init__(self, function: Callable[[K], V], size: int) -> None:
        super().__init__(function, size)
        self._seen: set[K] = set()

    def __missing__(self, key: K) -> V:
        seen = self._seen
        if key in seen:
            return super().__missing__(key)
        if len(seen) >= self._size:
            seen.clear()
        seen.add(key)
        return self._function(key)
