"""All layers around an attempt as one, in one order."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, ParamSpec, Self, TypeVar

from railhttp.model.errors import CallInfo, Delivery, HTTPTimeoutError, TimeoutPhase
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.composition import Layer, Stack, composed
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.scope import CallScope, CutCall, SparesBodies, scope_of
from railhttp.pipeline.timeouts import Watch, Watchdog
from railhttp.policy.deadline import nearer
from railhttp.protocols import CircuitBreakerProtocol, Clock, RetryPolicyProtocol

T = TypeVar("T")
P = ParamSpec("P")


class ResiliencePipeline(SparesBodies):
    """Bulkhead → retry → rate limit → breaker → attempt timeout → call, each one optional.

    The order is always this one, in whatever order layers are given:
    the wait for a place counts once per call; each attempt takes its turn and asks the breaker;
    a breaker hears of each attempt that takes too long, but never of a call that had to queue.

    Args:
        *layers: The layers, at most one of a kind.
        total: Seconds for a whole call, waits included; None is no limit. A call's own deadline
            holds too: the nearer one counts.
        clock: What tells the time.

    Raises:
        HTTPValidationError: The layers do not go together, see `check_pipeline`.

    Example:
        >>> import asyncio
        >>> async def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> pipeline = ResiliencePipeline().add(AttemptTimeout(2.0)).add(RetryPolicy())
        >>> asyncio.run(pipeline.execute(greet, "Ann"))
        'hello Ann'
    """

    def __init__(
        self, *layers: Layer, total: float | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._total = total
        self._clock = clock
        self._watchdog = Watchdog(clock, (total,))
        self._build(layers)

    @classmethod
    def standard(
        cls,
        *,
        limit: int = 1000,
        retry: RetryPolicyProtocol | None = None,
        breaker: CircuitBreakerProtocol | None = None,
        attempt_timeout: float = 10.0,
        total: float | None = 30.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Make a pipeline with what a call to another service usually needs.

        Args:
            limit: How many calls may run at once.
            retry: The retry policy; a `RetryPolicy()` where None.
            breaker: The breaker; one for each origin where None.
            attempt_timeout: Seconds for one attempt.
            total: Seconds for a whole call; None is no limit.
            clock: What tells the time.

        Returns:
            The pipeline; a rate limit, for one, can be added to it.

        Raises:
            HTTPValidationError: A number is out of its bounds, or they do not go together.
        """
        return cls(
            Bulkhead(limit, clock=clock),
            RetryPolicy(clock=clock) if retry is None else retry,
            OriginBreakers(clock=clock) if breaker is None else breaker,
            AttemptTimeout(attempt_timeout, clock=clock),
            total=total,
            clock=clock,
        )

    def add(self, layer: Layer) -> Self:
        """Add a layer; its place does not depend on when it is added.

        Returns:
            The pipeline itself.

        Raises:
            HTTPValidationError: It does not go with the others; the pipeline stays as it was.
        """
        self._build((*self._layers, layer))
        return self

    def _build(self, layers: tuple[Layer, ...]) -> None:
        self._stack = composed(layers, total=self._total)
        self._layers = layers
        self._limit = None if self._stack.keeps_deadlines else self._total

    def __repr__(self) -> str:
        layers = ", ".join(type(layer).__name__ for layer in self._stack if layer is not None)
        return f"<{type(self).__name__}{layers and f' of {layers}'}>"

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` through every layer.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What it returns.

        Raises:
            HTTPTimeoutError: Of phase `total`: the call took longer than it may.
            HTTPClientError: What the layers raise, see theirs.
        """
        call = partial(func, *args, **kwargs) if args or kwargs else func
        passage = Passage(self._stack, scope_of(func), call, self._total, self._clock)
        if self._limit is None:
            return await passage.through_bulkhead()
        with self._watchdog.watch(self._limit, passage.call, passage.timed_out):
            return await passage.through_bulkhead()


class Passage(CutCall, Generic[T]):
    """One call on its way through the layers, outermost first; what they know of it.

    Args:
        stack: The layers.
        scope: The call's own facts, None where they are not known.
        call: The call.
        total: Seconds for it, None for no limit but its own.
        clock: What tells the time.
    """

    __slots__ = (
        *("_call", "_scope", "_stack", "_total"),
        *("attempts", "deadline", "host", "method", "repeatable", "replayable", "started"),
    )

    def __init__(
        self,
        stack: Stack,
        scope: CallScope | None,
        call: Callable[[], Awaitable[T]],
        total: float | None,
        clock: Clock,
    ) -> None:
        self._stack = stack
        self._scope = scope
        self._call = call
        self._total = total
        self._cut: Watch | None = None
        self.attempts = 0
        if scope is None:
            self.method = self.host = ""
            self.repeatable = self.replayable = True
            self.deadline = None
            self.started = 0.0
        else:
            self.method = scope.method
            self.host = scope.host
            self.repeatable = scope.repeatable
            self.replayable = scope.replayable
            self.deadline = scope.deadline
            self.started = scope.started
        if total is not None:
            self.deadline = nearer(self.deadline, clock.monotonic() + total)

    @property
    def call(self) -> CallScope:
        """The call itself."""
        return self._scope or self

    @property
    def phase(self) -> TimeoutPhase:
        """What the present attempt waits for."""
        return "read" if self._scope is None else self._scope.phase

    def timed_out(self) -> HTTPTimeoutError:
        """Build the failure of a call that took longer than it may."""
        message = f"the call took longer than {self._total:g} s"
        return HTTPTimeoutError(message, phase="total", limit=self._total, **self.call_info())

    def call_info(self) -> CallInfo:
        """What a failure that ends the call now shall say of it."""
        if self._scope is not None:
            return self._scope.call_info()
        delivery = Delivery.MAYBE_SENT if self.attempts else Delivery.NOT_SENT
        return {"delivery": delivery, "attempts": self.attempts}

    async def through_bulkhead(self) -> T:
        """Wait for a place."""
        bulkhead = self._stack.bulkhead
        if bulkhead is None:
            return await self.through_retry()
        if not bulkhead.enter_now():
            await bulkhead.enter(self)
        try:
            return await self.through_retry()
        finally:
            bulkhead.leave()

    def through_retry(self) -> Awaitable[T]:
        """Make attempts."""
        retry = self._stack.retry
        if retry is None or not (self.replayable or isinstance(retry, SparesBodies)):
            return self.attempt()
        return retry.execute(self.attempt)

    def attempt(self) -> Awaitable[T]:
        """Make an attempt: take its turn, ask the breaker."""
        rate_limit = self._stack.rate_limit
        return self._guarded() if rate_limit is None else self._admitted(rate_limit)

    async def _admitted(self, rate_limit: RateLimiter) -> T:
        await rate_limit.admit(self)
        return await self._guarded()

    def _guarded(self) -> Awaitable[T]:
        breaker = self._stack.breaker
        return self.send() if breaker is None else self._protected(breaker)

    async def _protected(self, breaker: CircuitBreakerProtocol) -> T:
        try:
            return await breaker.call(self._heard)
        finally:
            self.resume()

    async def _heard(self) -> T:
        try:
            return await self.send()
        except asyncio.CancelledError as error:
            raise (self.cut_off(error) or error) from None

    def send(self) -> Awaitable[T]:
        """Make the call itself, for as long as an attempt may take."""
        self.attempts += 1
        timeout = self._stack.attempt_timeout
        return self._call() if timeout is None else timeout.run(self, self._call)
