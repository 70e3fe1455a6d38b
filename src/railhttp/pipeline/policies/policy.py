"""The base of the policies: each is a layer, and can run a plain function on its own."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from railhttp.model.clock import Clock
from railhttp.pipeline.attempt import attempt_of
from railhttp.pipeline.call import Call

T = TypeVar("T")
P = ParamSpec("P")
C = TypeVar("C", bound=Call)


class Policy(ABC):
    """A layer around a call."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @abstractmethod
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Pass a call on to the chain inside this layer."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` within this layer.

        Returns:
            The result of `func`.

        Raises:
            HTTPTimeoutError: The deadline of the call has passed.
            HTTPClientError: A failure of this policy, see its class.
        """
        attempt = attempt_of(func, self._clock, *args, **kwargs)
        if attempt.call.remaining() <= 0:
            raise attempt.call.timed_out()
        return await self.run(attempt.send, attempt.call)
