"""Circuit breakers by name, and one for each origin."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import ParamSpec, TypeVar

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import require_positive_int
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.shielded_store import is_waitless
from railhttp.pipeline.scope import host_of, scope_of
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import BreakerState
from railhttp.protocols import Clock, StateStore

T = TypeVar("T")
P = ParamSpec("P")


class CircuitBreakerRegistry:
    """Keeps circuit breakers by name, so that all who call the same service share one.

    Args:
        rule: The rule of breakers that are made without one of their own.
        store: Where their states are kept, each in this process where None.
        clock: What tells the time and draws lots.

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

    def get(self, name: str) -> CircuitBreaker | None:
        """The breaker of that name, None where there is none."""
        return self._breakers.get(name)

    async def get_or_create(self, name: str, rule: BreakerRule | None = None) -> CircuitBreaker:
        """The breaker of that name; made where there is none yet.

        Args:
            name: Its name.
            rule: Its rule, the registry's where None; for a known name None takes it as it is.

        Returns:
            The breaker, the same one for the same name.

        Raises:
            HTTPValidationError: There is one of that name with another rule.
        """
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = self._make(name, self._rule if rule is None else rule)
            self._breakers[name] = breaker
        elif rule is not None and rule != breaker.rule:
            raise HTTPValidationError(f"breaker {name!r} has another configuration", field="rule")
        return breaker

    def list_breakers(self) -> list[str]:
        """The names of all breakers that were made by name, in the order of their making."""
        return list(self._breakers)

    def per_origin(
        self, rule: BreakerRule | None = None, *, max_origins: int = 1024
    ) -> "OriginBreakers":
        """Give something that stands in for a breaker and keeps one for each origin.

        Args:
            rule: Their rule, the registry's where None.
            max_origins: How many are kept; beyond it the one used longest ago is forgotten that
                refuses no calls.

        Raises:
            HTTPValidationError: `max_origins` is below 1.
        """
        rule = self._rule if rule is None else rule
        return OriginBreakers(rule, max_origins=max_origins, store=self._store, clock=self._clock)

    def _make(self, name: str, rule: BreakerRule) -> CircuitBreaker:
        return CircuitBreaker.of(rule, name=name, store=self._store, clock=self._clock)


class OriginBreakers:
    """A circuit breaker for each origin (scheme, host and port): one that is down is no other's.

    A function that is no `CallScope` belongs to the empty origin.

    Args:
        rule: The rule of every breaker.
        max_origins: How many are kept; beyond it the one used longest ago is forgotten that refuses
            no calls.
        store: Where their states are kept, each in this process where None.
        clock: What tells the time and draws lots.

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

    @property
    def rule(self) -> BreakerRule:
        """The rule of every breaker."""
        return self._rule

    @property
    def is_waitless(self) -> bool:
        """Whether their store decides at once, so that no call waits for it."""
        return is_waitless(self._store)

    def get(self, origin: str) -> CircuitBreaker | None:
        """The breaker of an origin such as `https://api.example`, None where it has none."""
        return self._breakers.get(origin)

    def origins(self) -> list[str]:
        """The origins that have one, the one used longest ago first."""
        return list(self._breakers)

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func` through the breaker of its origin, see `CircuitBreaker.call`.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPCircuitOpenError: The circuit is open and `func` was not called.
        """
        return await self.for_origin(host_of(scope_of(func))).call(func, *args, **kwargs)

    def for_origin(self, origin: str) -> CircuitBreaker:
        """The breaker of an origin such as `https://api.example`; made where there is none yet."""
        breaker = self._breakers.get(origin)
        if breaker is None:
            self._forget()
            breaker = CircuitBreaker.of(
                self._rule, name=origin, store=self._store, clock=self._clock
            )
            self._breakers[origin] = breaker
        self._breakers.move_to_end(origin)
        return breaker

    def _forget(self) -> None:
        surplus = len(self._breakers) - self._max_origins + 1
        if surplus > 0:  # to forget one that refuses would let its calls through
            idle = (name for name, one in self._breakers.items() if not one.is_refusing)
            for name in tuple(islice(idle, surplus)):
                del self._breakers[name]
