"""What a retry policy has: beside the options of a call, which may name one."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
P = ParamSpec("P")


@runtime_checkable
class RetryPolicyProtocol(Protocol):
    """Decides whether a call is made again, and waits before it is.

    Example:
        >>> class Once:
        ...     async def execute(self, func, *args, **kwargs):
        ...         return await func(*args, **kwargs)
        >>> isinstance(Once(), RetryPolicyProtocol)
        True
    """

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` until it succeeds or the policy gives up.

        Returns:
            The result of `func`.

        Raises:
            HTTPRetryExhaustedError: Every attempt failed. If a policy raises another exception,
                such as `tenacity.RetryError`, the client finds the failures of the attempts.
        """
        ...
