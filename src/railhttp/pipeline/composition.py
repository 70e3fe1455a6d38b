"""Which layers go together: refused when they are put together, not when a call comes."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from returns.result import Failure, Result, Success

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import require_methods, require_timeout
from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.policies.bulkhead import Bulkhead
from railhttp.pipeline.policies.rate_limit import RateLimiter
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.protocols import CircuitBreakerProtocol, RetryPolicyProtocol

Layer: TypeAlias = (
    Bulkhead | RateLimiter | AttemptTimeout | RetryPolicyProtocol | CircuitBreakerProtocol
)
"""What a pipeline is made of. Anything with `execute` is a retry policy, with `call` a breaker."""


class Stack(NamedTuple):
    """The layers of a pipeline, outermost first; None where there is none."""

    bulkhead: Bulkhead | None = None
    retry: RetryPolicyProtocol | None = None
    rate_limit: RateLimiter | None = None
    breaker: CircuitBreakerProtocol | None = None
    attempt_timeout: AttemptTimeout | None = None

    @property
    def keeps_deadlines(self) -> bool:
        """Whether each wait and each attempt ends with the call's deadline by itself."""
        return (
            self.attempt_timeout is not None
            and isinstance(self.retry, RetryPolicy | None)
            and isinstance(self.breaker, CircuitBreaker | OriginBreakers | None)
            and all(
                layer is None or layer.is_waitless
                for layer in (self.retry, self.rate_limit, self.breaker)
            )
        )


def check_pipeline(
    layers: Iterable[Layer], *, total: float | None = None
) -> Result[Stack, HTTPValidationError]:
    """Check whether layers go together.

    Args:
        layers: The layers, in any order.
        total: Seconds for a whole call; None is no limit.

    Returns:
        The layers in their order, or what is wrong: what is no layer; two layers of one kind; an
        attempt that may take longer than the call; a breaker's window that does not hold two
        attempts, so that its ratio would rest on half of them; waits between attempts that are
        longer than the call.

    Example:
        >>> print(check_pipeline([AttemptTimeout(5.0)], total=1.0).failure())
        attempt_timeout: must not be longer than the whole call, 1 s, got 5 s
    """
    try:
        return Success(composed(layers, total=total))
    except HTTPValidationError as error:
        return Failure(error)


def composed(layers: Iterable[Layer], *, total: float | None = None) -> Stack:
    """Put layers into their order, or raise `HTTPValidationError`; see `check_pipeline`."""
    stack = Stack()
    for layer in layers:
        method = "call" if hasattr(layer, "call") else "execute"
        require_methods(layer, method, field="layers")
        stack, before = _place(stack, layer)
        if before is not None:
            message = f"two of a kind: {_name(before)} and {_name(layer)}"
            raise HTTPValidationError(message, field="layers")
    _check_times(stack, require_timeout(total, "total"))
    return stack


def _place(stack: Stack, layer: Layer) -> tuple[Stack, Layer | None]:
    """Put a layer into its place; also gives what was there before."""
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


def _name(layer: Layer) -> str:
    return type(layer).__name__


def _check_times(stack: Stack, total: float | None) -> None:
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
