"""Several policies as one, in one order."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Self, TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPValidationError
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.validation import require_methods, require_timeout
from railhttp.pipeline.attempt import Attempt, ReplayAware
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.layers import time_limit
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.foreign import guarded, own_breaker
from railhttp.pipeline.policies.policy import Policy
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.stack import CircuitBreakerProtocol, Layer, Stack
from railhttp.pipeline.timeouts import Timeouts

T = TypeVar("T")
C = TypeVar("C", bound=Call)


class ResiliencePipeline(Policy, ReplayAware):
    """Bulkhead → retry → rate limit → breaker → attempt timeout → call, each one optional.

    The order is always this one, in whatever order the layers are given: a call waits for its place
    once; each attempt takes its turn and is admitted by the breaker; a breaker counts each attempt
    that takes too long, but never a call that had to queue. A client takes the layers that the
    pipeline has when the client is built.

    Args:
        *layers: The layers, at most one of a kind.
        total: Seconds for a whole call, waits included; None is no limit. The deadline of the call
            holds too: the nearer one counts.
        clock: The source of time for plain functions; the calls of a client use its clock.

    Raises:
        HTTPValidationError: The layers do not go together, see `require_stack`.

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
        super().__init__(clock)
        self._layers: tuple[Layer, ...] = ()
        self._place(layers)

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
        """Return a pipeline with what a call to another service usually needs.

        Args:
            limit: How many calls may run at once.
            retry: The retry policy; a `RetryPolicy()` if None.
            breaker: The breaker; one for each origin if None.
            attempt_timeout: Seconds for one attempt.
            total: Seconds for a whole call; None is no limit.
            clock: See `ResiliencePipeline`.

        Returns:
            The pipeline; more layers, such as a rate limit, can be added.

        Raises:
            HTTPValidationError: A number is out of bounds, or they do not go together.
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
        self._place((*self._layers, layer))
        return self

    def _place(self, layers: tuple[Layer, ...]) -> None:
        self._stack = require_stack(layers, total=self._total)
        self._layers = layers
        attempt = self._stack.attempt_timeout
        self._attempt_timeout = None if attempt is None else attempt.seconds
        self._timeouts = Timeouts(self._clock, (self._total, self._attempt_timeout))

    def __repr__(self) -> str:
        layers = ", ".join(type(layer).__name__ for layer in self._stack if layer is not None)
        return f"<{type(self).__name__}{layers and f' of {layers}'}>"

    @property
    def stack(self) -> Stack:
        """The layers, each in its place."""
        return self._stack

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Seconds for a whole call, and for one attempt; None is no limit."""
        return self._total, self._attempt_timeout

    @override
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make a call through every layer."""
        limits = call.timeout, call.deadline, call.attempt_timeout
        call.tighten(self._total)
        call.attempt_timeout = self._attempt_timeout
        try:
            with self._timeouts.limit(self._total, call, Call.timed_out):
                return await self._compose(send)(call)
        finally:
            call.timeout, call.deadline, call.attempt_timeout = limits

    def _compose(self, send: Callable[[C], Awaitable[T]]) -> Callable[[C], Awaitable[T]]:
        stack = self._stack
        if stack.attempt_timeout is not None:
            send = partial(time_limit, self._timeouts, send)
        if stack.breaker is not None:
            own = own_breaker(stack.breaker)
            run = partial(guarded, stack.breaker) if own is None else own.run
            send = partial(run, send)
        if stack.rate_limit is not None:
            send = partial(stack.rate_limit.run, send)
        if stack.retry is not None:
            send = partial(_retry, stack.retry, send)
        if stack.bulkhead is not None:
            send = partial(stack.bulkhead.run, send)
        return send


def _retry(policy: RetryPolicyProtocol, send: Callable[[C], Awaitable[T]], call: C) -> Awaitable[T]:
    # A policy of another library may repeat anything, so a body that can be read once skips it.
    if not (call.replayable or isinstance(policy, ReplayAware)):
        return send(call)
    return policy.execute(Attempt(call, partial(send, call)))


def require_stack(layers: Iterable[Layer], *, total: float | None = None) -> Stack:
    """Put layers into their places.

    Raises:
        HTTPValidationError: An object is not a layer, or two layers are of one kind. Or an attempt
            may take longer than the call, the window of a breaker does not hold two attempts, so
            that its ratio would rest on half of them, or the waits between attempts are longer
            than the call.
    """
    stack = Stack()
    for layer in layers:
        require_methods(layer, "call" if hasattr(layer, "call") else "execute", field="layers")
        stack, before = _placed(stack, layer)
        if before is not None:
            message = f"two of a kind: {type(before).__name__} and {type(layer).__name__}"
            raise HTTPValidationError(message, field="layers")
    require_timeout(total, field="total")
    _require_times(stack, total)
    return stack


def _placed(stack: Stack, layer: Layer) -> "tuple[Stack, Layer | None]":
    """Put a layer into its place; also return the layer that it replaces."""
    match layer:
        case Bulkhead():
            return stack._replace(bulkhead=layer), stack.bulkhead
        case RateLimiter():
            return stack._replace(rate_limit=layer), stack.rate_limit
        case AttemptTimeout():
            return stack._replace(attempt_timeout=layer), stack.attempt_timeout
        case CircuitBreakerProtocol():
            return stack._replace(breaker=layer), stack.breaker
        case _:
            return stack._replace(retry=layer), stack.retry


def _require_times(stack: Stack, total: float | None) -> None:
    attempt = stack.attempt_timeout.seconds if stack.attempt_timeout else 0.0
    window = _window(stack.breaker)
    if window is not None and window < 2 * attempt:
        message = f"must hold two attempts of {attempt:g} s, got {window:g} s"
        raise HTTPValidationError(message, field="window")
    if total is None:
        return
    if attempt > total:
        message = f"must not be longer than the whole call, {total:g} s, got {attempt:g} s"
        raise HTTPValidationError(message, field="attempt_timeout")
    if isinstance(stack.retry, RetryPolicy) and stack.retry.rule.longest_waits > total:
        message = f"the waits between attempts add up to more than {total:g} s"
        raise HTTPValidationError(message, field="total")


def _window(breaker: CircuitBreakerProtocol | None) -> float | None:
    if isinstance(breaker, CircuitBreaker | OriginBreakers):
        return breaker.rule.window if breaker.rule.failure_ratio is not None else None
    return None
