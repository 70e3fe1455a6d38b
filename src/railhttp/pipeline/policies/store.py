"""Keeps the state of policies: in this process, unless a store of another kind is given."""

from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from railhttp.model.clock import Clock
from railhttp.model.validation import require_positive_int
from railhttp.pipeline.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from railhttp.model.events import StoreEvent

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

Decide: TypeAlias = Callable[[S | None, E, float], tuple[S | None, D]]
"""The decision of a policy: `(state, event, now) → (state, decision)`; see `StateStore.apply`."""


class StoreRefusal(Exception):
    """Raised by a `StateStore` that refuses a call; the call fails as with an open circuit.

    Args:
        name: The name in the failure.

    Example:
        >>> StoreRefusal("shop").name
        'shop'
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name: Final = name


class StoreWait:
    """The seconds for which a call has waited for stores, all its policies together."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds: float = 0.0


STORE_WAIT: Final[ContextVar[StoreWait | None]] = ContextVar("STORE_WAIT", default=None)
"""The waits of the call that a store decides for. A store with a timeout adds to them, and bounds
their sum."""


class StateStore(Protocol[S]):
    """Keeps the state of policies, so that several processes can share it.

    `MemoryStore` keeps it in this process, `railhttp.integrations.redis.RedisStore` on a server.
    States are immutable.
    """

    def peek(self, key: str) -> S | None:
        """Return the state of `key` as known without waiting; it may be out of date."""
        ...

    async def apply(
        self, key: str, decide: Callable[[S | None, E, float], tuple[S | None, D]], event: E
    ) -> D:
        """Let a policy decide about an event, as one atomic step.

        Args:
            key: The key of the state.
            decide: Takes the state (None if there is none), the event, and the time in seconds on
                the store's clock, which never goes back. Returns the new state (None to keep none)
                and a decision. It is pure: a store may call it again.
            event: The event.

        Returns:
            The decision.
        """
        ...


StoreListener: TypeAlias = Callable[["StoreEvent"], None]
"""Is called when a shared store goes down, and when it is back."""


@runtime_checkable
class StoreServerProtocol(Protocol):
    """The server of a `StateStore`, which may fail; the store has it as its attribute `server`.

    Attributes:
        up: Whether the server can be used.
        listeners: The functions that are called with each `StoreEvent`.

    Example:
        >>> class Server:
        ...     name, up, outage = "shop", True, None
        ...     def __init__(self) -> None:
        ...         self.listeners = set()
        >>> isinstance(Server(), StoreServerProtocol)
        True
    """

    up: bool
    listeners: set[StoreListener]

    @property
    def name(self) -> str:
        """The name of the store in events and metrics."""
        ...

    @property
    def outage(self) -> "StoreEvent | None":
        """The event of the present outage; None without one."""
        ...


def server_of(store: object) -> StoreServerProtocol | None:
    """Return the server of a store or a policy; None if it has none."""
    server = getattr(store, "server", None)
    return server if isinstance(server, StoreServerProtocol) else None


class MemoryStore(Generic[S]):
    """A `StateStore` in this process, which decides without waiting.

    Args:
        max_keys: How many states are kept; beyond it the least recently used one is dropped.
        clock: The source of time.

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

    __slots__ = ("_max_keys", "_states", "clock")

    def __init__(self, *, max_keys: int = 1024, clock: Clock = SYSTEM_CLOCK) -> None:
        require_positive_int(max_keys, "max_keys")
        self._max_keys = max_keys
        self.clock: Clock = clock
        self._states: OrderedDict[str, S] = OrderedDict()

    def peek(self, key: str) -> S | None:
        """Return the state of `key`; None if there is none."""
        return self._states.get(key)

    @property
    def lookup(self) -> Callable[[str], S | None]:
        """`peek` without a frame: policies peek three times in each call (benchmarks/README.md)."""
        return self._states.get

    async def apply(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Let a policy decide about an event, keep its new state and return its decision."""
        return self.apply_now(key, decide, event, self.clock.monotonic())

    def apply_now(self, key: str, decide: Decide[S, E, D], event: E, now: float) -> D:
        """Do the same synchronously, at a given time."""
        states = self._states
        state, decision = decide(states.get(key), event, now)
        if state is None:
            states.pop(key, None)
        else:
            states[key] = state
            states.move_to_end(key)
            if len(states) > self._max_keys:
                states.popitem(last=False)
        return decision
