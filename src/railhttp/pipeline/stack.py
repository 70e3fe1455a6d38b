"""The policies of a client or a pipeline, each in its place in the chain."""

from collections.abc import Awaitable, Callable
from typing import (
    TYPE_CHECKING,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    runtime_checkable,
)

if TYPE_CHECKING:  # most clients have a retry policy and nothing else (benchmarks/imports.py)
    from railhttp.model.retrying import RetryPolicyProtocol
    from railhttp.pipeline.policies.attempt_timeout import AttemptTimeout
    from railhttp.pipeline.policies.bulkhead import Bulkhead
    from railhttp.pipeline.policies.rate_limit import RateLimiter

T = TypeVar("T")
P = ParamSpec("P")


@runtime_checkable
class CircuitBreakerProtocol(Protocol):
    """Refuses calls for a while after too many of them have failed."""

    async def call(self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `func`, or refuse to.

        Returns:
            The result of `func`.

        Raises:
            HTTPCircuitOpenError: The circuit is open and `func` was not called.
        """
        ...


@runtime_checkable
class ResiliencePipelineProtocol(Protocol):
    """Retry, breaker, bulkhead and timeout as one; it replaces them in a client."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` through every layer.

        Returns:
            The result of `func`.

        Raises:
            HTTPClientError: See the layers.
        """
        ...


Layer: TypeAlias = (
    "Bulkhead | RateLimiter | AttemptTimeout | RetryPolicyProtocol | CircuitBreakerProtocol"
)
"""A layer of a pipeline. Anything with `execute` is a retry policy, with `call` a breaker."""


class Stack(NamedTuple):
    """The policies around a call, outermost first; None for each that it does not have."""

    bulkhead: "Bulkhead | None" = None
    retry: "RetryPolicyProtocol | None" = None
    rate_limit: "RateLimiter | None" = None
    breaker: "CircuitBreakerProtocol | None" = None
    attempt_timeout: "AttemptTimeout | None" = None
