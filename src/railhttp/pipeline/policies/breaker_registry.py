"""Circuit breakers by name, and one for each origin."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import ParamSpec, TypeVar

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPValidationError
from railhttp.model.gauges import CircuitState
from railhttp.model.validation import require_positive_int
from railhttp.pipeline.attempt import attempt_of
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.store import StateStore, StoreServerProtocol, server_of
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState

T = TypeVar("T")
P = ParamSpec("P")
C = TypeVar("C", bound=Call)


class CircuitBreakerRegistry:
    """Keeps circuit breakers by name, so that all callers of a service share one.

    Args:
        rule: The rule of breakers that are created without one.
        store: Keeps their states; in this process if None.
        clock: See `CircuitBreaker`.

    Example:
        >>> import asyncio
        >>> registry = CircuitBreakerRegistry()
        >>> breaker = asyncio.run(registry.get_or_create("stock"))
        >>> registry.get("stock") is breaker, registry.get("price"), registry.list_breakers()
        (True, None, ['stock'])
    """

    def __init__(
        self,
        rule: BreakerRule | None = None,
        *,
        store: StateStore[BreakerState] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = BreakerRule() if rule is None else rule
        self._store = store
        self._clock = clock
        self._breakers: dict[str, CircuitBreaker] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._breakers)} breakers>"

    def get(self, name: str) -> CircuitBreaker | None:
        """Return the breaker with that name; None if there is none."""
        return self._breakers.get(name)

    async def get_or_create(self, name: str, rule: BreakerRule | None = None) -> CircuitBreaker:
        """Return the breaker with that name, the same one each time.

        Args:
            name: Its name.
            rule: Its rule; None for the registry's, or for the one that a known breaker has.

        Raises:
            HTTPValidationError: A breaker with that name has another rule.
        """
        breaker = self._breakers.get(name)
        if breaker is None:
            rule = self._rule if rule is None else rule
            breaker = CircuitBreaker(name=name, rule=rule, store=self._store, clock=self._clock)
            self._breakers[name] = breaker
        elif rule is not None and rule != breaker.rule:
            raise HTTPValidationError(f"breaker {name!r} has another configuration", field="rule")
        return breaker

    def list_breakers(self) -> list[str]:
        """Return the names of all breakers, in the order of their creation."""
        return list(self._breakers)

    def per_origin(
        self, rule: BreakerRule | None = None, *, max_origins: int = 1024
    ) -> "OriginBreakers":
        """Return a stand-in for a breaker that keeps one breaker for each origin."""
        rule = self._rule if rule is None else rule
        return OriginBreakers(rule, max_origins=max_origins, store=self._store, clock=self._clock)


class OriginBreakers:
    """A circuit breaker for each origin (scheme, host and port): one that is down stops no other.

    A plain function belongs to the empty origin.

    Args:
        rule: The rule of every breaker.
        max_origins: How many breakers are kept; beyond that the least recently used one that is not
            open is dropped.
        store: Keeps their states; in this process if None.
        clock: See `CircuitBreaker`.

    Raises:
        HTTPValidationError: `max_origins` is below 1.

    Example:
        >>> import asyncio
        >>> async def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> breakers = OriginBreakers()
        >>> asyncio.run(breakers.call(greet, "Ann")), breakers.origins()
        ('hello Ann', [''])
    """

    def __init__(
        self,
        rule: BreakerRule | None = None,
        *,
        max_origins: int = 1024,
        store: StateStore[BreakerState] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        require_positive_int(max_origins, "max_origins")
        self._rule = BreakerRule() if rule is None else rule
        self._max_origins = max_origins
        self._store = store
        self._clock = clock
        self._breakers: OrderedDict[str, CircuitBreaker] = OrderedDict()
        self._latest: CircuitBreaker | None = None  # the one used last, often that of the next call
        self._latest_origin = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._breakers)} origins>"

    @property
    def rule(self) -> BreakerRule:
        """The rule of every breaker."""
        return self._rule

    @property
    def server(self) -> StoreServerProtocol | None:
        """The server of a shared store, if it has one."""
        return server_of(self._store)

    def get(self, origin: str) -> CircuitBreaker | None:
        """Return the breaker of an origin such as `https://api.example`; None if it has none."""
        return self._breakers.get(origin)

    def origins(self) -> list[str]:
        """Return the origins that have a breaker, the least recently used one first."""
        return list(self._breakers)

    def states(self) -> dict[str, CircuitState]:
        """Return the state of each breaker by its origin, as of its last call."""
        return {origin: breaker.state for origin, breaker in self._breakers.items()}

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func` through the breaker of its origin, see `CircuitBreaker.call`.

        Raises:
            HTTPCircuitOpenError: The circuit is open and `func` was not called.
        """
        attempt = attempt_of(func, self._clock, *args, **kwargs)
        return await self.run(attempt.send, attempt.call)

    def run(self, send: Callable[[C], Awaitable[T]], call: C) -> Awaitable[T]:
        """Make an attempt through the breaker of its origin; see `call`."""
        breaker = self._latest
        if breaker is None or self._latest_origin != call.origin:
            breaker = self._breaker(call.origin, call.clock)
        return breaker.run(send, call)

    def for_origin(self, origin: str) -> CircuitBreaker:
        """Return the breaker of an origin such as `https://api.example`; create it if needed."""
        return self._breaker(origin, self._clock)

    def _breaker(self, origin: str, clock: Clock) -> CircuitBreaker:
        breaker = self._breakers.get(origin)
        if breaker is None:
            self._drop_surplus(clock.monotonic())
            breaker = CircuitBreaker(
                name=origin, rule=self._rule, store=self._store, clock=self._clock
            )
            self._breakers[origin] = breaker
        self._breakers.move_to_end(origin)
        self._latest, self._latest_origin = breaker, origin
        return breaker

    def _drop_surplus(self, now: float) -> None:
        surplus = len(self._breakers) - self._max_origins + 1
        if surplus > 0:  # without its breaker, an origin that is down would be called again
            closed = (name for name, one in self._breakers.items() if not one.refuses_at(now))
            for name in tuple(islice(closed, surplus)):
                del self._breakers[name]
