"""Where policies keep their state: in this process, unless told otherwise."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from railhttp.model.validation import require_positive_int
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.protocols import Clock

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

Decide: TypeAlias = Callable[[S | None, E, float], tuple[S | None, D]]
"""What a policy decides: `(state, event, now) → (state, decision)`, see `StateStore.apply`."""


class MemoryStore(Generic[S]):
    """A `StateStore` in this process: decisions are made at once, one after the other.

    Args:
        max_keys: How many states are kept; beyond it the one used longest ago is forgotten.
        clock: What tells the time.

    Raises:
        HTTPValidationError: `max_keys` is below 1.

    Example:
        >>> import asyncio
        >>> def count(state: int | None, event: int, now: float) -> tuple[int, str]:
        ...     return (state or 0) + event, "counted"
        >>> store = MemoryStore[int]()
        >>> asyncio.run(store.apply("a", count, 2)), store.peek("a"), store.peek("b")
        ('counted', 2, None)
    """

    __slots__ = ("_clock", "_max_keys", "_states")

    def __init__(self, *, max_keys: int = 1024, clock: Clock = SYSTEM_CLOCK) -> None:
        require_positive_int(max_keys, "max_keys")
        self._max_keys = max_keys
        self._clock = clock
        self._states: OrderedDict[str, S] = OrderedDict()

    def peek(self, key: str) -> S | None:
        """The state under `key`, None where there is none."""
        return self._states.get(key)

    async def apply(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Let a policy decide about an event, keep its new state and give its decision."""
        return self.apply_now(key, decide, event)

    def apply_now(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Do the same without a coroutine, for who must not wait."""
        states = self._states
        state, decision = decide(states.get(key), event, self._clock.monotonic())
        if state is None:
            states.pop(key, None)
        else:
            states[key] = state
            states.move_to_end(key)
            if len(states) > self._max_keys:
                states.popitem(last=False)
        return decision
